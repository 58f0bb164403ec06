"""`harness.factory(Model)` and composite foreign keys: all columns of a row agree about the rows that they point at."""

from __future__ import annotations

import pytest

from tests.support.factories import run_with
from tests.support.projects import Project

_TENANTS = """
    from sqlalchemy import ForeignKey, ForeignKeyConstraint
    from sqlalchemy.orm import Mapped, mapped_column, relationship
    from shop.models import Base

    class Tenant(Base):
        __tablename__ = "tenants"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)

    class Member(Base):
        __tablename__ = "members"
        tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
        number: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[Tenant] = relationship()

    class Room(Base):
        __tablename__ = "tenant_rooms"
        tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
        door: Mapped[str] = mapped_column(primary_key=True)
        tenant: Mapped[Tenant] = relationship()

    def pointing(*tables):
        names = {"members": ["member_number", "number"], "tenant_rooms": ["door", "door"]}
        return [
            ForeignKeyConstraint(["tenant_id", names[table][0]], [f"{table}.tenant_id", f"{table}.{names[table][1]}"])
            for table in tables
        ]

    class Booking(Base):
        __tablename__ = "bookings"
        __table_args__ = (*pointing("members", "tenant_rooms"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int]
        member_number: Mapped[int]
        door: Mapped[str]
        member: Mapped[Member] = relationship(overlaps="room")
        room: Mapped[Room] = relationship(overlaps="member")

    class Entry(Base):
        __tablename__ = "entries"
        __table_args__ = (*pointing("members", "tenant_rooms"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
        member_number: Mapped[int]
        door: Mapped[str]

    class Key(Base):
        __tablename__ = "door_keys"
        __table_args__ = (*pointing("tenant_rooms", "members"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int]
        door: Mapped[str]
        member_number: Mapped[int | None]
        room: Mapped[Room] = relationship(overlaps="member")
        member: Mapped[Member | None] = relationship(overlaps="room")
"""


def test_foreign_keys_with_a_column_in_common_agree(project: Project) -> None:
    """As those of a tenant: its rows point at rows of the same tenant."""
    run_with(
        project,
        _TENANTS,
        """
first, second = harness.factory(Booking).create_batch(2)
for booking in (first, second):
    assert booking.tenant_id == booking.member.tenant_id == booking.room.tenant_id
assert first.tenant_id != second.tenant_id
assert (count(Tenant), count(Member), count(Room)) == (2, 2, 2)
""",
    )


@pytest.mark.parametrize("model", ["Booking", "Entry"])
def test_what_is_given_decides(project: Project, model: str) -> None:
    """A parent or a column, whichever is declared first; the others are made for it."""
    given = {"Booking": "room=room", "Entry": "tenant_id=room.tenant_id, door=room.door"}[model]
    run_with(
        project,
        _TENANTS,
        f"""
room = harness.factory(Room)()
made = harness.factory({model})({given})
assert (made.tenant_id, made.door) == (room.tenant_id, room.door)
assert db_session.get(Member, (room.tenant_id, made.member_number)) is not None
assert (count(Tenant), count(Member), count(Room)) == (1, 1, 1)

other = harness.factory({model})(tenant_id=room.tenant_id)
assert db_session.get(Room, (room.tenant_id, other.door)) not in (None, room)
assert db_session.get(Member, (room.tenant_id, other.member_number)) is not None
assert count(Tenant) == 1
""",
    )


def test_foreign_keys_without_a_relationship_agree_too(project: Project) -> None:
    """Both columns come from one row."""
    run_with(
        project,
        _TENANTS,
        """
first, second = harness.factory(Entry).create_batch(2)
for entry in (first, second):
    assert db_session.get(Tenant, entry.tenant_id) is not None
    assert db_session.get(Member, (entry.tenant_id, entry.member_number)) is not None
    assert db_session.get(Room, (entry.tenant_id, entry.door)) is not None
assert (count(Tenant), count(Member), count(Room)) == (2, 2, 2)
assert not hasattr(first, "tenant_id_row")
""",
    )


def test_a_reference_that_may_be_null_is_left_alone(project: Project) -> None:
    """One nullable column is enough, also if another column must be filled for a reference that may not."""
    run_with(
        project,
        _TENANTS,
        """
key = harness.factory(Key)()
assert (key.member, key.member_number, count(Member)) == (None, None, 0)
assert key.tenant_id == key.room.tenant_id
""",
    )


def test_parents_are_only_built_with_what_is_only_built(project: Project) -> None:
    """Nothing is stored."""
    run_with(
        project,
        _TENANTS,
        """
booking = harness.factory(Booking).build()
assert booking.member.tenant.name and booking.room.door
harness.factory(Entry).build()
assert (count(Tenant), count(Member), count(Room)) == (0, 0, 0)
""",
    )
