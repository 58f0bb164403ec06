"""What differs between two databases, as a user is told it: on the terminal, in files, under pytest-xdist."""

from __future__ import annotations

import json

import pytest

from tests.support.projects import Project

BOTH = ("--harness-database=sqlite", "--harness-database=sqlite:///other_test.db")
#: Each test behaves differently in the file, in one way only.
_DIFFERS = """
    import pytest
    from sqlalchemy import text

    @pytest.fixture
    def in_file(db_url):
        return "other_test" in str(db_url)

    def test_alike(client):
        client.post("/users/ann")

    def test_outcome(in_file, client):
        client.get("/users")
        assert not in_file, "only in memory"

    def test_queries(in_file, client):
        client.post("/users/ann")
        if in_file:
            client.get("/users")

    def test_finding(in_file, client):
        client.get("/users")
        client.post("/forgetful/ann" if in_file else "/users/ann")

    @pytest.fixture
    def guilty(in_file):
        if in_file:
            raise RuntimeError("no file")

    def test_error(guilty):
        pass
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A project whose tests differ."""
    project.app().ini("harness_app = shop.main:app").write(test_it=_DIFFERS)
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("  # harness: allow[H201] tests show that it is lost", ""))
    return project


def _section(text: str) -> list[str]:
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if "= harness databases =" in line)
    end = next(number for number, line in enumerate(lines[start + 1 :], start + 1) if line.startswith("==="))
    return lines[start + 1 : end]


_TOLD = [
    "test_it.py::test_error",
    "  outcome   sqlite: passed",
    "  outcome   sqlite_other_test: error: RuntimeError: no file",
    "test_it.py::test_finding",
    "  outcome   sqlite: passed",
    "  outcome   sqlite_other_test: failed: harness: 1 finding in this test: H201",
    "  finding   sqlite_other_test: H201 write never committed at shop/main.py:40",
    "test_it.py::test_outcome",
    "  outcome   sqlite: passed",
    "  outcome   sqlite_other_test: failed: AssertionError: only in memory",
    "test_it.py::test_queries",
    "  queries   sqlite 1, sqlite_other_test 2",
    "  statement first one that differs: number 2",
    "            sqlite: nothing more",
    "            sqlite_other_test: SELECT FROM users (GET /users, shop/main.py:44 in names)",
    "5 tests ran on sqlite and sqlite_other_test: 1 alike, 4 differ",
]


def test_the_section_names_tests_and_the_first_statement(shop: Project) -> None:
    """Outcome, number of statements, findings: only what differs is told."""
    found = _section(shop.run_apart(*BOTH).text)

    assert _TOLD == found


def test_workers_tell_the_same(shop: Project) -> None:
    """The section is the controller's."""
    pytest.importorskip("xdist")
    result = shop.pytester.runpytest_subprocess("-p", "harness", "-p", "no:randomly", "-n", "2", *BOTH, timeout=180)

    assert _TOLD == _section(result.stdout.str())


def test_quietly_only_the_numbers(shop: Project) -> None:
    """With `-q`."""
    assert _TOLD[-1:] == _section(f"{shop.run_apart('-q', *BOTH).text}\n===")


def test_nothing_is_told_of_one_database(shop: Project) -> None:
    """There is nothing to compare."""
    result = shop.run_apart("--harness-report=json:found.json")

    assert "harness databases" not in result.text
    assert "comparison" not in json.loads((shop.path / "found.json").read_text())


def test_the_json_report_has_it(shop: Project) -> None:
    """Under `comparison`, beside the promised keys."""
    shop.run_apart(*BOTH, "--harness-report=json:found.json")
    report = json.loads((shop.path / "found.json").read_text())
    comparison = report["comparison"]
    by_test = {one.pop("test"): one for one in comparison["divergences"]}

    assert ["sqlite", "sqlite_other_test"] == comparison["databases"]
    assert (5, [], [], []) == (
        comparison["compared"],
        comparison["lacking"],
        comparison["partly"],
        comparison["unasked"],
    )
    assert {
        "outcomes": None,
        "queries": {"sqlite": 1, "sqlite_other_test": 2},
        "findings": None,
        "statement": {
            "number": 2,
            "wording": False,
            "databases": {
                "sqlite": None,
                "sqlite_other_test": "SELECT FROM users (GET /users, shop/main.py:44 in names)",
            },
        },
    } == by_test["test_it.py::test_queries"]
    assert ["sqlite (in memory)", f"sqlite (file {shop.path / 'other_test.db'})"] == report["databases"]


def test_the_html_report_has_it(shop: Project) -> None:
    """As a table, with what differs in words."""
    shop.run_apart(*BOTH, "--harness-report=html:found.html")
    page = (shop.path / "found.html").read_text()

    assert "Where databases differ" in page
    assert "test_it.py::test_queries" in page
    assert "SELECT FROM users (GET /users, shop/main.py:44 in names)" in page


def test_a_test_that_uses_the_database_unasked_is_named(project: Project) -> None:
    """It can only run on one, and the user should know."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from fastapi.testclient import TestClient
            from shop.main import app

            def test_own_client():
                with TestClient(app) as client:
                    assert client.get("/users").json() == []

            def test_other(client):
                pass
        """
    )
    result = project.run_apart("-v", *BOTH)

    result.assert_passed(3)
    assert [
        "1 test ran on sqlite and sqlite_other_test: 1 alike, 0 differ",
        "1 test used the database without asking for it, and ran on sqlite only: "
        '@pytest.mark.usefixtures("harness") asks',
        "  test_it.py::test_own_client",
    ] == _section(result.text)


def test_a_test_that_was_left_out_on_one_is_not_compared(shop: Project) -> None:
    """By -k, say."""
    found = _section(shop.run_apart("-k", "test_alike or test_outcome and not other", *BOTH).text)

    assert [
        "1 test ran on sqlite and sqlite_other_test: 1 alike, 0 differ",
        "1 test ran on some of them only: not compared",
    ] == found


def test_the_query_ledger_of_one_database_holds_for_both(project: Project) -> None:
    """It is kept by test, and by server: the name in the brackets is no part of it."""
    project.app().ini("harness_app = shop.main:app", "harness_queries = queries.json").write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("name", ["ann", "bob"])
            def test_names(client, name, harness):
                client.post(f"/users/{name}")
                if "other" in harness.origin:
                    client.get("/users")
        """
    )
    project.run_apart("--harness-queries-record").assert_passed(2)
    one = json.loads((project.path / "queries.json").read_text())["counts"]
    result = project.run_apart(*BOTH)

    assert ["test_it.py::test_names[ann]", "test_it.py::test_names[bob]"] == [row["test"] for row in one]
    assert (2, 2) == (result.passed, result.failed), result.text
    result.assert_says("this test sends more queries than queries.json records", "GET /users")
