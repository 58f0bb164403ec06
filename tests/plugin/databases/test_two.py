"""One suite on two databases: which tests run on which, and what passes from one to another. On servers: `backends`."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support.projects import Project

BOTH = ("--harness-database=sqlite", "--harness-database=sqlite:///other_test.db")
_SHOP = """
    import pytest

    def test_pure():
        pass

    def test_shop(client):
        assert client.get("/users").json() == []
        assert client.post("/users/ann").status_code == 201

    @pytest.mark.parametrize("name", ["ann", "bob"])
    def test_names(client, name):
        client.post(f"/users/{name}")
        assert client.get("/users").json() == [name]
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with the application, and its name in the configuration."""
    return project.app().ini("harness_app = shop.main:app")


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_each_test_runs_on_both_with_readable_ids(project: Project, kind: str) -> None:
    """One that has nothing to do with the database runs once."""
    project.app(kind).ini("harness_app = shop.main:app").write(test_it=_SHOP)
    result = project.run_apart("-v", *BOTH)

    result.assert_passed(7)
    result.assert_says(
        "test_it.py::test_pure PASSED",
        "test_it.py::test_shop[sqlite] PASSED",
        "test_it.py::test_shop[sqlite_other_test] PASSED",
        "test_it.py::test_names[sqlite-ann] PASSED",
        "test_it.py::test_names[sqlite_other_test-bob] PASSED",
    )


def test_all_tests_run_on_the_first_database_before_the_second(shop: Project) -> None:
    """So that each database's fixtures of wider scope are made once."""
    shop.write(test_a=_SHOP, test_b=_SHOP)
    lines = [line for line in shop.run("-v", *BOTH).text.splitlines() if "[sqlite" in line and "PASSED" in line]

    assert 12 == len(lines)
    assert [False] * 6 + [True] * 6 == ["[sqlite_other_test" in line for line in lines]


def test_the_database_is_the_one_that_the_id_names(shop: Project) -> None:
    """For harness's fixtures, the app's own engine and its requests."""
    shop.write(
        test_it="""
            from sqlalchemy import text
            from shop.main import engine

            def file_of(connection):
                return connection.exec_driver_sql("PRAGMA database_list").first()[2]

            def test_it(client, db_session, db_engine, db_url, harness, request):
                in_file = "other_test" in request.node.name
                assert file_of(db_session.connection()).endswith("other_test.db") == in_file
                with engine.connect() as mine, db_engine.connect() as other:
                    assert file_of(mine).endswith("other_test.db") == in_file
                    assert file_of(other).endswith("other_test.db") == in_file
                assert ("other_test" in str(db_url)) == in_file
                assert ("other_test" in str(db_engine.url)) == in_file
                assert ("other_test" in str(harness.database)) == in_file
                assert ("other_test" in harness.origin) == in_file
        """
    )
    shop.run_apart(*BOTH).assert_passed(2)


def test_the_file_is_left_as_it_was_found(shop: Project) -> None:
    """Whichever database the run was on when it ended."""
    shop.write(test_it=_SHOP)
    for order in (BOTH, BOTH[::-1]):
        shop.run(*order).assert_passed(7)
        with closing(sqlite3.connect(shop.path / "other_test.db")) as connection:
            assert [] == connection.execute("SELECT name FROM sqlite_master").fetchall()


_ORDER = """
    def pytest_collection_modifyitems(items):
        items.sort(key=lambda item: (item.name.partition("[")[0], item.name))
"""


def test_turns_may_come_at_every_test(shop: Project) -> None:
    """Under any order each test finds its own database empty, and the rows that wider fixtures have made there."""
    shop.write(
        conftest=_ORDER,
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            made = []

            @pytest.fixture(scope="session")
            def root(session_db_session):
                made.append("root")
                session_db_session.add(User(name="root"))

            @pytest.fixture(scope="module")
            def own(request):
                with SessionLocal.begin() as session:
                    session.add(User(name="own"))
                yield
                made.append("own is gone")

            def test_a(client, root):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann", "root"]

            def test_b(client, root, own):
                assert client.get("/users").json() == ["own", "root"]

            def test_c(client):
                assert "ann" not in client.get("/users").json()

            @pytest.mark.harness(isolation="database")
            def test_d(client, root, own):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann", "own", "root"]

            @pytest.mark.harness(isolation="delete")
            def test_e(client, own):
                client.post("/users/ann")
                assert "ann" in client.get("/users").json()

            def test_f(client, root, own):
                assert client.get("/users").json() == ["own", "root"]

            def test_g():
                assert (made.count("root"), made.count("own is gone")) == (8, 8)
        """,
    )
    shop.run_apart(*BOTH).assert_passed(13)


def test_a_fixture_that_has_used_the_database_is_made_anew_on_the_other(shop: Project) -> None:
    """With the lifespan of the application, if that reads; one that has not used it stays."""
    shop.write(
        test_it="""
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import SessionLocal, app, lives
            from shop.models import User

            made = []

            @pytest.fixture(scope="session")
            def running():
                with TestClient(app) as client:
                    made.append(client.get("/users").json())
                    yield client

            @pytest.fixture(scope="session")
            def settings():
                made.append("settings")

            @pytest.fixture(scope="session")
            def url(harness_database_url, settings):
                return harness_database_url

            @pytest.mark.parametrize("turn", [1, 2])
            def test_it(running, turn, db_session, url, request):
                assert ("other_test" in request.node.name) == ("other_test" in url)
                assert lives.count("up") == lives.count("down") + 1 == 1 + ("other_test" in request.node.name)

            def test_end(settings):
                assert made == [[], "settings", []]
        """
    )
    shop.run_apart(*BOTH).assert_passed(5)


def test_a_fixture_that_fails_on_one_database_is_tried_on_the_other(shop: Project) -> None:
    """pytest would repeat the first one's failure."""
    shop.write(
        test_it="""
            import pytest
            from sqlalchemy import text
            from shop.main import engine

            @pytest.fixture(scope="session")
            def guilty():
                with engine.connect() as connection:
                    file = connection.exec_driver_sql("PRAGMA database_list").first()[2]
                assert "other_test" in file

            def test_it(guilty, db_session):
                pass
        """
    )
    result = shop.run_apart("-v", *BOTH)

    assert (1, 1) == (result.passed, result.errors), result.text
    result.assert_says("test_it.py::test_it[sqlite_other_test] PASSED")


def test_objects_of_seeds_belong_to_their_database(shop: Project) -> None:
    """Those of the first are unknown on the second."""
    shop.write(
        test_it="""
            import pytest
            from shop.models import User

            @pytest.fixture(scope="module")
            def ann(module_db_session, request):
                user = User(name="ann")
                module_db_session.add(user)
                return user

            @pytest.mark.parametrize("turn", [1, 2])
            def test_it(ann, db_session, turn):
                assert ann in db_session and ann.id == 1
                ann.name = "anna"
                db_session.commit()

            def test_other(db_session):
                assert [user.name for user in db_session] == ["ann"]
        """
    )
    shop.run_apart(*BOTH).assert_passed(6)


def test_a_connection_that_outlives_its_database_says_so(shop: Project) -> None:
    """It would write to the first one while the tests run on the second."""
    shop.write(
        test_it="""
            import pytest
            from sqlalchemy import text
            from shop.main import engine

            held = []

            def test_it(db_session):
                held.append(held[0] if held else engine.connect())
                held[0].execute(text("SELECT 1"))
        """
    )
    result = shop.run_apart("-v", *BOTH)

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "a connection that was opened on sqlite is used in a test on sqlite_other_test",
        "a connection stays with the one that it was opened on",
        "open a connection, or a session, for each piece of work",
    )


@pytest.mark.parametrize(("choice", "passed"), [("sqlite_other_test", 3), ("not sqlite_other_test", 4)])
def test_k_chooses_a_database(shop: Project, choice: str, passed: int) -> None:
    """By the name in the ids."""
    shop.write(test_it=_SHOP)

    shop.run("-k", choice, *BOTH).assert_passed(passed)


def test_lf_runs_the_test_on_the_database_where_it_failed(shop: Project) -> None:
    """And on no other."""
    shop.write(test_it="def test_it(db_url):\n    assert 'other' not in str(db_url)\ndef test_two(db_url): pass\n")
    first = shop.pytester.runpytest_inprocess("-p", "harness", "-p", "no:randomly", *BOTH)
    first.assert_outcomes(passed=3, failed=1)
    again = shop.pytester.runpytest_inprocess("-p", "harness", "-p", "no:randomly", "-v", "--lf", *BOTH)

    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*test_it.py::test_it[[]sqlite_other_test[]] FAILED*"])


def test_a_node_id_runs_on_its_database(shop: Project) -> None:
    """As it is printed."""
    shop.write(test_it=_SHOP)

    shop.run("test_it.py::test_names[sqlite_other_test-bob]", *BOTH).assert_passed(1)


_ASKS = {
    "fixture": "def test_it(db_url): pass",
    "indirectly": "@pytest.fixture\ndef mine(client): pass\ndef test_it(mine): pass",
    "usefixtures": "@pytest.mark.usefixtures('db_session')\ndef test_it(): pass",
    "autouse": "@pytest.fixture(autouse=True)\ndef mine(harness): pass\ndef test_it(): pass",
    "own fixture of the name": "@pytest.fixture\ndef client(): pass\ndef test_it(client): pass",
    "marker": "@pytest.mark.harness(isolation='none')\ndef test_it(): pass",
    "wide": "def test_it(harness_app): pass",
    "class": "class TestIt:\n    def test_it(self, assert_queries): pass",
}
_DOES_NOT = {
    "nothing": "def test_it(): pass",
    "another fixture": "def test_it(tmp_path): pass",
    "another argument of the marker": "@pytest.mark.harness(allow=['H301'])\ndef test_it(): pass",
    "plain parameters": "@pytest.mark.parametrize('n', [1])\ndef test_it(n): pass",
    "unittest": "import unittest\nclass TestIt(unittest.TestCase):\n    def test_it(self): pass",
}


@pytest.mark.parametrize("asks", [*_ASKS, *_DOES_NOT])
def test_what_asks_for_the_database(shop: Project, asks: str) -> None:
    """Any fixture of harness's, directly or not, and what a marker says about the database."""
    shop.write(test_it=f"import pytest\n{ {**_ASKS, **_DOES_NOT}[asks] }\n")

    shop.run(*BOTH).assert_passed(2 if asks in _ASKS else 1)


@pytest.mark.parametrize("how", ["file", "environment", "comma"])
def test_ways_to_name_several(shop: Project, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """As for other options that take several values; words may also be separated by commas."""
    text = "sqlite sqlite:///other_test.db"
    arguments = []
    if how == "file":
        shop.ini("harness_app = shop.main:app", f"harness_database = {text}")
    if how == "environment":
        monkeypatch.setenv("HARNESS_DATABASE", text)
    if how == "comma":
        arguments = ["--harness-database=sqlite:///other_test.db", "--harness-database=sqlite,"]
    shop.write(test_it=_SHOP)
    result = shop.run(*arguments)

    result.assert_passed(7)
    assert "in memory" in result.header
    assert "other_test.db" in result.header


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        (("sqlite", "sqlite"), "in memory"),
        (("sqlite", "sqlite+aiosqlite://"), "in memory"),
        (("sqlite:///a_test.db", "sqlite+aiosqlite:///./a_test.db"), "a_test.db"),
        (("postgres", "postgresql"), "container postgres"),
        (
            ("postgresql+psycopg://ann:hunter2@h/a_test", "postgresql+asyncpg://ann:hunter3@h/a_test"),
            "ann:***@h/a_test",
        ),
    ],
)
def test_one_database_twice_is_refused(shop: Project, values: tuple[str, str], origin: str) -> None:
    """However it is written, and without showing a password."""
    shop.write(test_it=_SHOP)
    result = shop.run(*(f"--harness-database={value}" for value in values))

    result.assert_usage_error("harness_database names one database twice", origin, "leave out one of the two")
    assert "hunter" not in result.text


def test_one_that_means_nothing_is_refused_beside_others(shop: Project) -> None:
    """Before any test runs."""
    shop.write(test_it=_SHOP)

    shop.run("--harness-database=sqlite,postgress").assert_usage_error("did you mean 'postgres'?")


def test_a_database_of_a_conftest_cannot_stand_beside_several(shop: Project) -> None:
    """The fixture would decide for all of them."""
    shop.write(
        conftest="""
            import pytest

            @pytest.fixture(scope="session")
            def harness_database_url():
                return "sqlite:///mine_test.db"
        """,
        test_it="def test_it(client): pass",
    )
    result = shop.run(*BOTH)

    assert 2 == result.errors, result.text
    result.assert_says(
        "harness_database_url is overridden, and harness_database names several databases", "one of them"
    )


def test_the_second_database_may_be_out_of_reach(shop: Project) -> None:
    """Its tests fail with the reason; those on the first one have passed."""
    shop.write(test_it=_SHOP)
    result = shop.run_apart("--harness-database=sqlite,", "--harness-database=postgresql://nobody@127.0.0.1:1/a_test")

    assert 4 == result.passed, result.text
    result.assert_says("the database 'a_test' at 127.0.0.1:1 cannot be reached")


def test_workers_tell_one_report(shop: Project) -> None:
    """Under pytest-xdist ids are the same everywhere, and each worker takes turns as its tests demand."""
    pytest.importorskip("xdist")
    shop.write(conftest=_ORDER, test_a=_SHOP, test_b=_SHOP)
    arguments = ("-p", "harness", "-p", "no:randomly", "-n", "2", *BOTH)
    result = shop.pytester.runpytest_subprocess(*arguments, timeout=180)

    result.assert_outcomes(passed=14)
    result.stdout.fnmatch_lines(["6 tests ran on sqlite and sqlite_other_test: 6 alike, 0 differ"])
