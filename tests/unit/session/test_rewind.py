"""A session that is put back: what was in it stays, with its values; what came later is gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import JSON, ForeignKey, create_engine, inspect
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from harness.session.rewind import mark


class Base(DeclarativeBase):
    pass


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    people: Mapped[list[Person]] = relationship(back_populates="team")


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    team: Mapped[Team | None] = relationship(back_populates="people")


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that keeps what it has loaded after a commit, with one team and one person in it."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine, expire_on_commit=False) as session:
        session.add(Team(id=1, facts={"wins": 1}, people=[Person(id=1)]))
        session.flush()
        yield session
    engine.dispose()


def test_what_was_pending_or_open_is_committed(session: Session) -> None:
    mark(session)

    assert not session.in_transaction()


@pytest.mark.parametrize("ending", ["commit", "rollback", "flush", "close"])
def test_loaded_values_are_there_again(session: Session, ending: str) -> None:
    """Scalars, documents changed in place, and collections, without a statement; and nothing else is in the session."""
    team = session.get_one(Team, 1)
    (person,) = team.people
    put_back = mark(session)
    team.facts["wins"] = 2
    team.people.append(Person())
    session.flush()
    getattr(session, ending)()

    put_back()

    assert [{"wins": 1}, [person]] == [vars(team)["facts"], list(vars(team)["people"])]
    assert {team, person} == set(session)
    assert not session.dirty


def test_what_was_deleted_or_renamed_is_attached_again(session: Session) -> None:
    """With the identity it had."""
    team = session.get_one(Team, 1)
    (person,) = team.people
    put_back = mark(session)
    session.delete(person)
    team.id = 7
    session.commit()

    put_back()

    assert {team, person} == set(session)
    assert [(1,), (1,)] == [inspect(team).identity, inspect(person).identity]
    assert session.get(Team, 1) is team


def test_it_can_be_put_back_again(session: Session) -> None:
    """What an example did to the values does not reach the next one."""
    team = session.get_one(Team, 1)
    put_back = mark(session)
    for _ in range(2):
        assert {"wins": 1} == team.facts
        team.facts["wins"] += 1
        put_back()
