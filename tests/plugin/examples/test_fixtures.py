"""What fixtures hold is the same in each example; hypothesis' check of fixtures is about the user's own."""

from __future__ import annotations

import pytest

from tests.support.projects import Project
from tests.support.properties import run_properties


def test_rows_of_fixtures_are_there_in_each_example(project: Project) -> None:
    """Committed, flushed or only added; what an example does to them is undone, in the database and in the object."""
    run_properties(
        project,
        """
        @pytest.fixture(autouse=True)
        def users(db_session):
            eve, fay, gus = (User(name=name) for name in ("eve", "fay", "gus"))
            db_session.add(eve)
            db_session.commit()
            db_session.add(fay)
            db_session.flush()
            db_session.add(gus)
            return [eve, fay, gus]

        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(name=names, commit=st.booleans())
        def test_it(client, db_session, users, name, commit):
            assert client.get("/users").json() == ["eve", "fay", "gus"]
            assert [user.name for user in users] == ["eve", "fay", "gus"]
            assert all(user in db_session for user in users)
            users[0].name = name
            db_session.delete(users[1])
            db_session.add(User(name="new"))
            db_session.flush()
            if commit:
                db_session.commit()
                assert client.get("/users").json() == sorted([name, "gus", "new"])
        """,
    ).assert_passed(1)


def test_objects_of_an_async_session_stay_readable(project: Project) -> None:
    """They are loaded in each example as they were in the first, so that no attribute needs an await."""
    run_properties(
        project,
        """
        @pytest.fixture
        def eve(async_db_session):
            eve = User(name="eve")
            async_db_session.add(eve)
            return eve

        @pytest.mark.asyncio
        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(name=names)
        async def test_it(async_client, async_db_session, eve, name):
            assert (eve.id, eve.name) == (1, "eve")
            assert (await async_client.get("/users")).json() == ["eve"]
            eve.name = name
            await async_db_session.commit()
            assert (await async_client.get("/users")).json() == [name]
        """,
        kind="async",
    ).assert_passed(1)


def test_a_client_forgets_what_an_example_gave_it(project: Project) -> None:
    """Cookies and headers; those that a fixture has set stay. So do overrides."""
    run_properties(
        project,
        """
        def other():
            yield None

        @pytest.fixture(autouse=True)
        def language(client):
            client.headers["Accept-Language"] = "cy"
            client.cookies.set("theme", "dark")

        @given(name=names)
        def test_it(client, name):
            assert dict(client.cookies) == {"theme": "dark"}
            assert client.headers["Accept-Language"] == "cy"
            assert "Authorization" not in client.headers
            assert app.dependency_overrides == {}
            client.cookies.set("session", name)
            client.headers["Authorization"] = name
            client.headers["Accept-Language"] = "en"
            app.dependency_overrides[store] = other
        """,
    ).assert_passed(1)


def test_a_fixture_that_an_example_asks_for(project: Project) -> None:
    """It is made in the first example and shared by the others, so it is put back from then on."""
    run_properties(
        project,
        """
        @given(name=names)
        def test_it(request, name):
            session = request.getfixturevalue("db_session")
            assert list(session) == []
            session.add(User(name=name))
            session.commit()
        """,
    ).assert_passed(1)


@pytest.mark.parametrize("fixtures", ["cart", "client, cart", "cart, db_session"])
def test_a_fixture_of_the_users_own_trips_the_check(project: Project, fixtures: str) -> None:
    """Alone and beside harness's, the message names it."""
    result = run_properties(
        project,
        f"""
        @pytest.fixture
        def cart():
            return []

        @given(name=names)
        def test_it({fixtures}, name):
            pass
        """,
    )

    assert (0, 1) == (result.passed, result.failed), result.text
    result.assert_says("unction-scoped fixture 'cart'", "HealthCheck.function_scoped_fixture")


def test_the_message_says_what_is_put_back(project: Project) -> None:
    """Beside harness's own fixtures."""
    run_properties(
        project,
        """
        @pytest.fixture
        def cart():
            return []

        @given(name=names)
        def test_it(client, cart, name):
            pass
        """,
    ).assert_says(
        "harness: 'test_it.py::test_it' uses a function-scoped fixture 'cart', which is not reset between the examples",
        "  why   pytest sets it up once for all of them. Harness puts its own fixtures and the database back, and",
        "  fix   do in the test what the fixture does, or give it a wider scope,",
    )


def test_a_fixture_that_overrides_one_of_harness_is_the_users(project: Project) -> None:
    """It trips the check; where the user accepts that, it works, as the database is put back all the same."""
    result = run_properties(
        project,
        """
        @pytest.fixture
        def client(client):
            client.headers["X-Tenant"] = "one"
            return client

        @given(name=names)
        def test_refused(client, name):
            pass

        @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
        @given(name=names)
        def test_accepted(client, name):
            assert client.headers["X-Tenant"] == "one"
            assert client.get("/users").json() == []
            assert client.post(f"/users/{name}").status_code == 201
        """,
    )

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("unction-scoped fixture 'client'")


def test_a_wider_fixture_is_nobodys_business(project: Project) -> None:
    """Rows that a module's fixture made are there in each example."""
    run_properties(
        project,
        """
        @pytest.fixture(scope="module")
        def seed():
            return store("seed")

        @given(name=names)
        def test_it(seed, client, name):
            assert client.get("/users").json() == ["seed"]
            assert client.post(f"/users/{name}").status_code == 201
        """,
    ).assert_passed(1)


def test_the_deadline_that_nobody_chose_is_lifted(project: Project) -> None:
    """An example may wait for the application; a deadline of the user's own is kept."""
    result = run_properties(
        project,
        """
        import time

        @settings(max_examples=2)
        @given(name=names)
        def test_default(client, name):
            time.sleep(0.3)

        @settings(max_examples=2, deadline=100)
        @given(name=names)
        def test_chosen(client, name):
            time.sleep(0.3)
        """,
    )

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("DeadlineExceeded", "100.00ms")
