"""`@pytest.mark.harness(…)`: called like a function, and checked like one before any test runs."""

from __future__ import annotations

import pytest

from tests.support.projects import Project


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        ("harness('rollback')", ("takes no positional arguments ('rollback',)",)),
        ("harness(isolated='none')", ("takes no argument 'isolated'",)),
        ("harness(isolation='none', a=1, b=2)", ("takes no argument 'a', 'b'",)),
        (
            "harness(isolation='nome')",
            ("does not know 'nome'", "did you mean 'none'?", "valid: rollback, database, delete, none"),
        ),
        ("harness(isolation=5)", ("does not know '5'", "valid: rollback, database, delete, none")),
        ("harness(isolation=['none'])", ("does not know",)),
        (
            "harness(ids='distict')",
            ("does not know 'distict'", "did you mean 'distinct'?", "reset, distinct, continue"),
        ),
        ("harness(ids=1)", ("@pytest.mark.harness(ids=…) does not know '1'",)),
        ("harness(now='advance')", ("does not know 'advance'", "did you mean 'advancing'?", "frozen, advancing")),
        ("harness(now=True)", ("@pytest.mark.harness(now=…) does not know 'True'",)),
        ("harness(allow=[])", ("@pytest.mark.harness(allow=…) names no rule", "allow=['H301']")),
        ("harness(allow='')", ("@pytest.mark.harness(allow=…) names no rule",)),
        ("harness(allow=['H301', ' '])", ("@pytest.mark.harness(allow=…) names no rule",)),
        ("harness(allow=301)", ("takes a list of codes, not 301",)),
        ("harness(allow=[301])", ("takes a list of codes, not [301]",)),
        ("harness(allow=['H310'])", ("does not know the rule 'H310'", "did you mean H301", "or a prefix")),
        ("harness(expect=[])", ("@pytest.mark.harness(expect=…) names no rule", "expect=['H301']")),
        ("harness(expect=['H2'])", ("does not know the rule 'H2'", "did you mean one of: H201")),
        ("harness('H301')", ("takes no positional arguments ('H301',)", "allow=[codes]")),
    ],
)
def test_a_wrong_call_is_a_usage_error(project: Project, call: str, fragments: tuple[str, ...]) -> None:
    """No test runs; the message has the test's id and the marker's signature or valid values."""
    project.write(
        test_it=f"import pytest\n@pytest.mark.{call}\ndef test_guilty(): pass\ndef test_other(): raise AssertionError\n"
    )
    result = project.run()

    assert result.code == 4, result.text
    assert (result.passed, result.failed) == (0, 0), result.text
    result.assert_says("test_it.py::test_guilty", *fragments)


def test_strict_markers_know_it(project: Project) -> None:
    """It is declared, with its signature as help."""
    project.write(test_it="import pytest\n@pytest.mark.harness(isolation='none')\ndef test_it(): pass\n")
    project.run("--strict-markers").assert_passed(1)

    project.run("--markers").assert_says("@pytest.mark.harness(isolation=")


@pytest.mark.parametrize("place", ["function", "class", "module"])
def test_isolation_none_commits_for_real(project: Project, place: str) -> None:
    """On a test, a class or a module: its rows stay for the tests after it, as it was asked for."""
    mark = "@pytest.mark.harness(isolation='none')"
    project.app().ini("harness_app = shop.main:app").write(
        test_a=f"""
import pytest
{"pytestmark = pytest.mark.harness(isolation='none')" if place == "module" else ""}

{mark if place == "class" else ""}
class TestOne:
    {mark if place == "function" else ""}
    def test_leaves(self, client):
        client.post("/users/ann")
""",
        test_b="""
            def test_finds(client):
                assert client.get("/users").json() == ["ann"]
                client.post("/users/bob")

            def test_finds_no_other(client):
                assert client.get("/users").json() == ["ann"]
        """,
    )
    project.run().assert_passed(3)


def test_the_closest_marker_wins(project: Project) -> None:
    """A test may be isolated in a class that is not."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest

            @pytest.mark.harness(isolation="none")
            class TestShop:
                @pytest.mark.harness(isolation="rollback")
                def test_isolated(self, client):
                    client.post("/users/ann")

                def test_not(self, client):
                    assert client.get("/users").json() == []
                    client.post("/users/bob")

                def test_after(self, client):
                    assert client.get("/users").json() == ["bob"]
        """
    )
    project.run().assert_passed(3)


def test_isolation_none_works_for_async_sessions_and_seeds(project: Project) -> None:
    """Sessions of both kinds and a function-scoped seed commit for real."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            import pytest
            from sqlalchemy import delete, select
            from shop.models import User

            @pytest.mark.harness(isolation="none")
            async def test_leaves(async_db_session, db_session):
                async_db_session.add(User(name="ann"))
                await async_db_session.commit()
                assert db_session.scalars(select(User.name)).all() == ["ann"]
                db_session.rollback()

            @pytest.mark.harness(isolation="none")
            async def test_cleans(async_db_session):
                await async_db_session.execute(delete(User))
                await async_db_session.commit()

            async def test_clean(async_db_session):
                assert (await async_db_session.scalars(select(User.name))).all() == []
        """
    )
    project.run_apart().assert_passed(3)


def test_a_statement_outside_of_transactions_runs_where_nothing_is_isolated(project: Project) -> None:
    """The remedy that the error for VACUUM gives is a remedy."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest
            from sqlalchemy import text

            @pytest.mark.harness(isolation="none")
            def test_it(db_engine):
                with db_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("VACUUM"))
        """
    )
    project.run().assert_passed(1)


def test_a_test_without_harness_fixtures_may_carry_it(project: Project) -> None:
    """It is inert there."""
    project.write(test_it="import pytest\n@pytest.mark.harness(isolation='none')\ndef test_it(): pass\n")
    project.run(plugin=False).assert_passed(1)


def test_a_wrong_outer_marker_is_found_behind_a_right_one(project: Project) -> None:
    """Every marker of a test is checked, not only the closest."""
    project.write(
        test_it="""
            import pytest

            pytestmark = pytest.mark.harness(isolation="magic")

            @pytest.mark.harness(isolation="none")
            def test_it(): raise AssertionError
        """
    )

    project.run().assert_usage_error("does not know 'magic'")
