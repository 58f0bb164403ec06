"""Properties with seed data: each example finds what wider fixtures made as they made it, rows and objects."""

from __future__ import annotations

import pytest

from tests.support.projects import Project
from tests.support.properties import run_properties

_SEED = """
        @pytest.fixture(scope="module")
        def seed(module_db_session):
            user = User(name="seed")
            module_db_session.add(user)
            return user
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_rows_and_objects_in_the_tests_own_session(project: Project, kind: str) -> None:
    """An object that belongs to `db_session` or `async_db_session` is changed by one example, and not in the next."""
    run_properties(
        project,
        _SEED
        + """
        @given(name=names)
        def test_changed(seed, client, db_session, name):
            assert client.get("/users").json() == ["seed"] == [seed.name]
            seed.name = "changed"
            db_session.commit()
            assert client.post(f"/users/{name}").status_code == 201
            assert client.get("/users").json() == sorted(["changed", name])

        @pytest.mark.asyncio
        @given(name=names)
        async def test_deleted(seed, async_client, async_db_session, name):
            assert (await async_client.get("/users")).json() == ["seed"] == [seed.name]
            await async_db_session.delete(seed)
            await async_db_session.commit()
            assert (await async_client.get("/users")).json() == []

        def test_after(seed, client):
            assert client.get("/users").json() == ["seed"] == [seed.name]
        """,
        kind=kind,
    ).assert_passed(3)


def test_objects_in_no_session_of_the_test(project: Project) -> None:
    """A detached object is put back too, as is one whose own session a fixture keeps open, to what they were before."""
    run_properties(
        project,
        _SEED
        + """
        @pytest.fixture(scope="module")
        def session():
            with SessionLocal() as session:
                yield session

        @pytest.fixture(scope="module")
        def kept(session):
            user = User(name="kept")
            session.add(user)
            session.commit()
            session.refresh(user)
            session.commit()
            return user

        @given(name=names)
        def test_detached(seed, client, name):
            assert seed.name == "seed"
            seed.name = name
            client.post(f"/users/{name}")

        @given(name=names)
        def test_kept(kept, session, client, name):
            assert kept.name == "kept"
            assert client.get("/users").json() == ["kept", "seed"]
            kept.name = name
            session.commit()
            assert client.get("/users").json() == sorted([name, "seed"])

        def test_after(seed, kept):
            assert (seed.name, kept.name) == ("seed", "kept")
        """,
    ).assert_passed(3)


def test_time_that_advances_and_ids_of_their_own(project: Project) -> None:
    """The marker's choice holds in each example, whose ids begin where the first one's did."""
    run_properties(
        project,
        _SEED
        + """
        seen = set()

        @pytest.mark.harness(ids="distinct", now="advancing")
        @given(name=names)
        def test_it(seed, client, db_session, name):
            before = db_session.scalar(select(func.current_timestamp()))
            client.post(f"/users/{name}")
            db_session.commit()
            assert before < db_session.scalar(select(func.current_timestamp()))
            seen.add(db_session.scalar(select(User.id).where(User.name == name)))
            assert 1 == len(seen)
            assert min(seen) > 100_000
        """,
    ).assert_passed(1)
