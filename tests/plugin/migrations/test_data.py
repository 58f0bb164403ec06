"""The fixture `migrations`: rows at one revision, and what they are at another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.migrations import revision, shop
from tests.support.projects import Project, Result

_LOWER = 'op.execute("UPDATE users SET name = lower(name)")'
_AGE = 'op.add_column("users", sa.Column("age", sa.Integer))'
_NO_AGE = 'op.drop_column("users", "age")'


def run(project: Project, test: str, kind: str = "sync", *arguments: str) -> Result:
    """Run tests of a history of four revisions; the third adds a column, the fourth changes rows."""
    shop(project, kind)
    revision(project, "c3", "b2", _AGE, _NO_AGE)
    revision(project, "d4", "c3", _LOWER)
    return project.write(test_migrations=test).run(*arguments)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_rows_from_before_a_revision_are_changed_by_it(project: Project, kind: str) -> None:
    """They are put into the tables as they were then; an async test and an async env.py do not mind each other."""
    result = run(
        project,
        """
        import pytest

        ANN = {"id": 1, "name": "Ann"}

        def check(migrations):
            migrations.before("b2")
            assert migrations.current == ("a1",)
            migrations.insert("users", ANN, {"id": 2, "name": "Bob"})
            migrations.upgrade("b2")
            assert migrations.rows("users") == [{"id": 1, "name": "ANN"}, {"id": 2, "name": "BOB"}]
            migrations.upgrade()
            assert migrations.rows("users")[0] == {"id": 1, "name": "ann", "age": None}
            assert migrations.current == migrations.heads == ("d4",)

        def test_it(migrations):
            check(migrations)

        @pytest.mark.asyncio
        async def test_in_a_loop(migrations):
            check(migrations)
        """,
        kind,
    )
    result.assert_passed(2)


def test_at_goes_up_and_down(project: Project) -> None:
    """Whichever it takes; `before` does as well, and an id may be shortened."""
    result = run(
        project,
        """
        def test_it(migrations):
            for revision in ("c3", "a1", "d", "c3", "c3"):
                migrations.at(revision)
                assert migrations.current[0].startswith(revision)
            migrations.before("b2")
            assert migrations.current == ("a1",)
            migrations.downgrade("base")
            assert migrations.current == ()
            assert [one.id for one in migrations.revisions] == ["a1", "b2", "c3", "d4"]
        """,
    )
    result.assert_passed(1)


def test_a_connection_of_ones_own(project: Project) -> None:
    """What it sends is committed at the end of its block."""
    result = run(
        project,
        """
        from sqlalchemy import text

        def test_it(migrations):
            migrations.at("a1")
            with migrations.connect() as connection:
                connection.execute(text("INSERT INTO users (name) VALUES ('Ann')"))
            with migrations.connect() as connection:
                assert connection.scalar(text("SELECT name FROM users")) == "Ann"
            users = migrations.table("users")
            assert [column.name for column in users.columns] == ["id", "name"]
        """,
    )
    result.assert_passed(1)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_sessions_and_the_application_use_the_same_database(project: Project, kind: str) -> None:
    """So that a test can ask the application what a migration has made; the next test finds nothing of it."""
    result = run(
        project,
        """
        import pytest
        from sqlalchemy import text

        @pytest.mark.parametrize("again", [False, True])
        def test_it(migrations, client, db_session, again):
            migrations.at("c3")
            client.post("/users/ANN")
            migrations.upgrade()
            assert client.get("/users").json() == ["ann"]
            assert db_session.scalar(text("SELECT count(*) FROM users")) == 1

        def test_other(client):
            assert client.get("/users").json() == []
        """,
        kind,
    )
    result.assert_passed(3)


def test_each_revision_can_be_taken_for_a_test_of_ones_own(project: Project) -> None:
    """With the fixture `migration_revision`, or with parameters of the same name."""
    result = run(
        project,
        """
        import pytest

        def test_message(migration_revision):
            assert migration_revision.message

        @pytest.mark.parametrize("migration_revision", ["a1"])
        def test_named(migration_revision, migrations):
            migrations.at(migration_revision)
        """,
        "sync",
        "-v",
    )
    result.assert_passed(5)
    result.assert_says("test_message[b2_shout]", "test_named[a1]")


def test_a_failed_test_keeps_its_database(project: Project) -> None:
    """As other tests that have one of their own."""
    result = run(
        project,
        "def test_it(migrations):\n    migrations.at('a1')\n    assert False\n",
        "sync",
        "--harness-keep-failed",
    )

    (path,) = re.findall(r"open +sqlite3 (\S+)", result.text)
    assert Path(path).stat().st_size > 0


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('upgrade("b22")', ["there is no revision 'b22' among the migrations", "did you mean 'b2'", "a1 (Add users)"]),
        ('at("zz")', ["there is no revision 'zz' among the migrations", "oldest first"]),
        ('before("zz")', ["there is no revision 'zz' among the migrations"]),
        ('downgrade("zz")', ["there is no revision 'zz' among the migrations"]),
        ('insert("user", {"id": 1})', ["there is no table 'user' in the database", "at a1", "there are: ", "users"]),
        ('insert("users", {"age": 1})', ["table users has no column age", "at a1", "there are: id, name"]),
        ('rows("nothing")', ["there is no table 'nothing' in the database"]),
        ("differences()", ["can only be compared at the newest revision", "the database is at a1"]),
    ],
)
def test_what_there_is_not_is_told(project: Project, call: str, said: list[str]) -> None:
    """With what there is."""
    result = run(project, f"def test_it(migrations):\n    migrations.at('a1')\n    migrations.{call}\n")

    assert 1 == result.failed, result.text
    result.assert_says("MigrationError: ", *said)


def test_the_fixture_comes_too_late_in_the_middle_of_a_test(project: Project) -> None:
    """The whole test has to use the empty database."""
    result = run(project, "def test_it(client, request):\n    request.getfixturevalue('migrations')\n")

    assert 1 == result.failed, result.text
    result.assert_says(
        "the fixture migrations was asked for when the test had begun", "among the arguments of the test"
    )


def test_a_fixture_of_the_projects_own_is_left_alone(project: Project) -> None:
    """It may be called the same."""
    result = run(
        project,
        """
        import pytest

        @pytest.fixture
        def migrations():
            return "mine"

        def test_it(migrations, client, db_session):
            assert migrations == "mine"
            assert client.get("/users").json() == []
        """,
    )
    result.assert_passed(1)
