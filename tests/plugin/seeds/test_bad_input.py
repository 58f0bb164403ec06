"""Seed data gone wrong: each mistake, and the message it gets."""

from __future__ import annotations

import pytest

from tests.plugin.seeds.conftest import Shop


@pytest.mark.parametrize(
    ("wanted", "remedy"),
    [
        ("db_session", "harness: in a module fixture ask for module_db_session"),
        ("async_db_session", "harness: in a module fixture ask for module_async_db_session"),
        ("class_db_session", "harness: in a module fixture ask for module_db_session"),
        ("db_engine", "harness: in a module fixture take the engine from module_db_session.get_bind()"),
        ("client", "harness: in a module fixture make the rows with module_db_session, or make a client"),
    ],
)
@pytest.mark.parametrize("how", ["argument", "dynamic"])
def test_a_narrower_fixture(shop: Shop, wanted: str, remedy: str, how: str) -> None:
    """pytest's own error, and what to ask for instead."""
    body = (
        f"def seed({wanted}): pass" if how == "argument" else f"def seed(request): request.getfixturevalue('{wanted}')"
    )
    shop.write(
        test_it=f"import pytest\n\n@pytest.fixture(scope='module')\n{body}\n\ndef test_it(seed):\n    pass\n",
    )
    result = shop.run()

    assert result.errors == 1
    result.assert_says("ScopeMismatch", remedy)


def test_an_async_fixture_whose_loop_is_too_narrow(shop: Shop) -> None:
    """The remedy names both scopes of pytest-asyncio."""
    shop.write(
        test_it="""
            import pytest
            import pytest_asyncio

            @pytest_asyncio.fixture(scope="module")
            async def seed(module_async_db_session): pass

            @pytest.mark.asyncio
            async def test_it(seed): pass
        """
    )
    shop.run_apart().assert_says("ScopeMismatch", "@pytest_asyncio.fixture(scope='module', loop_scope='module')")


def test_writes_left_open(shop: Shop) -> None:
    """Told to every test that asks for the fixture, by its name and the place; the next fixture is not blamed."""
    shop.write(
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            @pytest.fixture(scope="module")
            def forgetful():
                with SessionLocal() as session:
                    session.add(User(name="seed"))
                    session.flush()
                    yield session

            @pytest.fixture(scope="module")
            def fine(module_db_session):
                module_db_session.add(User(name="fine"))

            def test_first(forgetful): pass
            def test_second(forgetful): pass
            def test_third(fine, client):
                assert client.get("/users").json() == ["fine"]
        """
    )
    result = shop.run()

    assert (result.passed, result.failed, result.errors) == (1, 0, 2), result.text
    result.assert_says(
        "harness: the module fixture 'forgetful' left a transaction open, with writes that were never committed",
        "the test (test_it.py:9 in forgetful)",
        "or make the rows in fixture module_db_session (module_async_db_session), which is committed for you",
    )


@pytest.mark.parametrize("sql", ["COMMIT", "commit;"])
def test_a_commit_in_sql(shop: Shop, sql: str) -> None:
    """It is a commit like any other: the rows stay in their scope, and go with it."""
    shop.write(
        test_a=f"""
            import pytest
            from sqlalchemy import text
            from shop.models import User

            @pytest.fixture(scope="module")
            def seed(module_db_session):
                module_db_session.add(User(name="before"))
                module_db_session.flush()
                module_db_session.execute(text({sql!r}))
                module_db_session.add(User(name="after"))

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(seed, client, n):
                assert client.get("/users").json() == ["after", "before"]
                client.post("/users/own")
        """,
        test_b="def test_other(client):\n    assert client.get('/users').json() == []\n",
    )
    shop.run().assert_passed(3)


def test_a_commit_past_sqlalchemy(shop: Shop) -> None:
    """The fixture that went to the driver is named, at its set-up; the next module works."""
    shop.write(
        test_a="""
            import pytest
            from shop.models import User

            @pytest.fixture(scope="module")
            def seed(module_db_session):
                module_db_session.execute(User.__table__.delete())
                module_db_session.connection().connection.dbapi_connection.driver_connection.commit()

            def test_it(seed): pass
        """,
        test_b="def test_other(client):\n    assert client.get('/users').json() == []\n",
    )
    result = shop.run()

    assert (result.passed, result.errors) == (1, 1), result.text
    result.assert_says(
        "the transaction around the module fixture 'seed' was ended by something that harness cannot intercept",
        "the driver's own connection was used at test_a.py:7 in seed",
    )


def test_a_session_used_after_its_scope(shop: Shop) -> None:
    """Each time it is used."""
    shop.write(
        test_a="""
            kept = []

            def test_it(module_db_session):
                kept.append(module_db_session)
        """,
        test_b="""
            import pytest
            from sqlalchemy import text
            from test_a import kept

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(n):
                kept[0].execute(text("SELECT 1"))
        """,
    )
    result = shop.run()

    assert (result.passed, result.failed) == (1, 2), result.text
    result.assert_says(
        "module_db_session was used after its scope had ended",
        "why   what was made in it has been rolled back with the scope",
        "fix   use db_session in a test, or the session of a wider scope: session_db_session",
    )
