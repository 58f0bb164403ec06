"""`harness_get_db`: which dependencies yield sessions, where that cannot be found out."""

from __future__ import annotations

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestGetDb(OptionLaws):
    """The laws of every option."""

    name = "get_db"
    first = "shop.main:get_db"
    second = "shop.other:get_db"


def test_a_placeholder_is_given_a_session(project: Project) -> None:
    """A dependency that is meant to be overridden gets a session on the test's transaction."""
    project.app().ini("harness_app = shop.ports:app").write(
        shop__ports="""
            from fastapi import Depends, FastAPI
            from sqlalchemy.orm import Session
            from shop.models import User

            def get_session() -> Session:
                raise NotImplementedError

            app = FastAPI()

            @app.post("/users/{name}")
            def add(name: str, db: Session = Depends(get_session)) -> int:
                db.add(User(name=name))
                db.commit()
                return db.query(User).count()
        """,
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, db_session, again):
                assert client.post("/users/ann").json() == 1
        """,
    )
    project.run().assert_passed(2)


def test_the_named_dependency_is_the_one_of_the_handle(project: Project) -> None:
    """`harness.session_dependencies` lists what was named."""
    project.app().ini("harness_app = shop.main:app", "harness_get_db = shop.main:get_db").write(
        test_it="""
            def test_it(harness):
                assert [one.name for one in harness.session_dependencies] == ["shop.main:get_db"]
        """
    )
    project.run().assert_passed(1)


def test_several_values_in_a_file_are_split_like_arguments(project: Project) -> None:
    """Separated by spaces or lines."""
    project.app().ini("harness_get_db =", "    shop.main:get_db", "    shop.other:get_db").write(
        test_it="""
            def test_it(request):
                from harness.run.life import life_of
                assert life_of(request.config).run.settings.get_db == ("shop.main:get_db", "shop.other:get_db")
        """
    )
    project.run().assert_passed(1)
