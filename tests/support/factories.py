"""A shop with orders, and its factories as users of factory-boy declare them."""

from __future__ import annotations

from tests.support.projects import Project

MODELS = """
    from sqlalchemy import ForeignKey
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)
        password: Mapped[str] = mapped_column(default="secret")
        orders: Mapped[list["Order"]] = relationship(back_populates="user")

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str]
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        user: Mapped[User] = relationship(back_populates="orders")
"""

FACTORIES = """
    import factory
    from factory.alchemy import SQLAlchemyModelFactory

    from shop.models import Order, User

    class UserFactory(SQLAlchemyModelFactory):
        class Meta:
            model = User

        name = factory.Sequence(lambda n: f"user {n}")

    class OrderFactory(SQLAlchemyModelFactory):
        class Meta:
            model = Order

        note = factory.Faker("sentence")
        user = factory.SubFactory(UserFactory)

    class BuyerFactory(UserFactory):
        orders = factory.RelatedFactoryList(OrderFactory, "user", size=2)

    class SameFactory(UserFactory):
        class Meta:
            sqlalchemy_get_or_create = ("name",)
"""


def shop(project: Project, kind: str = "sync", *settings: str) -> Project:
    """Write the application with orders, and `factories.py`."""
    project.app(kind).ini("harness_app = shop.main:app", "asyncio_mode = auto", *settings)
    return project.write(shop__models=MODELS, factories=FACTORIES)


def run_with(project: Project, models: str, test: str) -> None:
    """Run the lines of one test, with `db_session`, on the shop and on more models; it must pass."""
    lines = "\n".join(f"                {line}" for line in test.strip().splitlines())
    shop(project).write(
        more=models,
        test_it=f"""
            import harness, pytest
            from sqlalchemy import func, select
            from more import *

            def test_it(db_session):
                def count(model):
                    return db_session.scalar(select(func.count()).select_from(model))

{lines}
        """,
    )
    project.run().assert_passed(1)
