"""The query ledger: recorded once, compared in every run, and the gate for a branch that sends more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.orders import orders
from tests.support.projects import Project

_TESTS = {
    "test_users": """
        def test_list(client, three):
            client.get("/users")

        def test_none(client):
            client.get("/users")
            client.get("/health")
    """,
    "test_more": """
        import pytest
        from sqlalchemy import text

        @pytest.mark.parametrize("name", ["kim", "lou"])
        def test_add(client, name):
            client.post(f"/users/{name}")

        async def test_async(async_client, db_session, three):
            await async_client.get("/users/1")
            assert db_session.scalar(text("SELECT count(*) FROM users")) == 3

        def test_nothing():
            pass
    """,
}
_TWO = ("-p", "xdist", "-n2")


def ledger(project: Project, kind: str = "sync") -> Project:
    """The shop with a ledger that is not recorded yet."""
    return orders(project, kind, "harness_queries = queries.json").write(**_TESTS)


def rows(project: Project) -> list[dict[str, Any]]:
    """What is recorded."""
    counts: list[dict[str, Any]] = json.loads((project.path / "queries.json").read_text())["counts"]
    return counts


def edit(project: Project, old: str, new: str, name: str = "shop/main.py") -> None:
    """Change a file."""
    path = project.path / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_branch_that_sends_more_fails(project: Project, kind: str) -> None:
    """The gate, end to end: recorded, then failed with exit status 1, naming request, statement and line."""
    ledger(project, kind).run_apart("--harness-queries-record").assert_passed(6)
    await_, async_ = ("await ", "async ") if kind == "async" else ("", "")
    old = "return (await db.scalars(" if kind == "async" else "return db.scalars("
    edit(project, old, f"{await_}again(db); {old}")
    main = project.path / "shop/main.py"
    main.write_text(f"{main.read_text()}\n{async_}def again(db):\n    {await_}db.scalars(select(Order))\n")
    line = len(main.read_text().splitlines())
    result = project.run_apart()

    assert (1, 5, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says(
        "FAILED test_more.py::test_async",
        "harness: this test sends more queries than queries.json records",
        "GET /users/{user_id}: 2 queries, 1 recorded\n"
        "  new: 1 × SELECT FROM orders\n"
        f"      at shop/main.py:{line} in again\n"
        "      SELECT orders.id, orders.user_id FROM orders;\n",
        "  fix   send fewer, or record what is meant: pytest --harness-queries-record",
    )


def test_what_is_recorded(project: Project) -> None:
    """Requests without statements, the test's own, parametrised tests; no fixtures, and no test that is idle."""
    ledger(project).run("--harness-queries-record").assert_passed(6)

    assert [
        ("test_more.py::test_add[kim]", "POST /users/{name}", 1),
        ("test_more.py::test_add[lou]", "POST /users/{name}", 1),
        ("test_more.py::test_async", "GET /users/{user_id}", 1),
        ("test_more.py::test_async", "the test itself", 1),
        ("test_users.py::test_list", "GET /users", 4),
        ("test_users.py::test_none", "GET /health", 0),
        ("test_users.py::test_none", "GET /users", 1),
    ] == [(row["test"], row["request"], row["queries"]) for row in rows(project)]


def test_order_and_workers_change_nothing(project: Project) -> None:
    """The same file, byte for byte, in any order and from any number of processes; only the controller writes it."""
    ledger(project)
    written = []
    for arguments in (("-p", "randomly"), _TWO):
        (project.path / "queries.json").unlink(missing_ok=True)
        result = project.run_apart("--harness-queries-record", *arguments)
        result.assert_passed(6)
        result.assert_says("query ledger queries.json (sqlite): 5 tests added, 0 changed, 0 removed")
        written.append((project.path / "queries.json").read_text())
    assert 1 == len(set(written))

    edit(project, "for user in found]", "for user in found if db.scalar(select(1))]")
    result = project.run_apart(*_TWO)
    assert (1, 1) == (result.code, result.failed), result.text
    result.assert_says("GET /users: 7 queries, 4 recorded", "  new: 3 × SELECT\n", "at shop/main.py:")


def test_a_part_of_the_suite_touches_its_part_only(project: Project) -> None:
    """Entries of others stay; those of tests that are gone stay too, until the whole suite has run."""
    ledger(project).run("--harness-queries-record").assert_passed(6)
    (project.path / "test_more.py").unlink()
    edit(project, "client.get", "client.get('/users'), client.get", "test_users.py")

    project.run("--harness-queries-record", "-k", "test_list").assert_passed(1)
    assert 7 == len(rows(project))
    result = project.run("-k", "test_list")
    assert "not there any more" not in result.text

    project.run("--harness-queries-record").assert_says("0 tests added, 1 changed, 3 removed")
    assert {"test_users.py::test_list", "test_users.py::test_none"} == {row["test"] for row in rows(project)}


def test_what_could_be_recorded_is_noted(project: Project) -> None:
    """Fewer queries, a new test and one that is gone pass, and the run says how to record them."""
    ledger(project).run("--harness-queries-record").assert_passed(6)
    edit(project, "def test_nothing():\n    pass", "def test_new(client):\n    client.get('/users')", "test_more.py")
    edit(project, '    client.get("/users")\n    client.get("/health")', "    pass", "test_users.py")
    edit(project, '["kim", "lou"]', '["kim"]', "test_more.py")
    result = project.run()

    result.assert_passed(5)
    result.assert_says(
        "query ledger queries.json (sqlite): 1 test sent fewer queries than recorded\n"
        "  test_users.py::test_none: GET /users 1 → 0\n",
        "query ledger queries.json (sqlite): 1 test not recorded\n  test_more.py::test_new\n",
        "query ledger queries.json (sqlite): 1 recorded test not there any more\n  test_more.py::test_add[lou]\n",
        "  record what is so now: pytest --harness-queries-record",
    )


def test_a_test_that_fails_is_not_recorded(project: Project) -> None:
    """It may have broken off before it sent what it sends; what was recorded for it stays."""
    ledger(project).run("--harness-queries-record").assert_passed(6)
    before = rows(project)
    edit(project, 'client.get("/users")\n\n', 'assert client.get("/users") is None\n\n', "test_users.py")
    edit(project, "for user in found]", "for user in found if db.scalar(select(1))]")
    result = project.run("--harness-queries-record")

    assert 1 == result.failed, result.text
    assert before == rows(project)


def test_a_growth_that_is_expected_to_fail_is(project: Project) -> None:
    """It fails inside of the test's call, where xfail looks."""
    ledger(project).run("--harness-queries-record").assert_passed(6)
    edit(project, "for user in found]", "for user in found if db.scalar(select(1))]")
    edit(project, "def test_list(", "@__import__('pytest').mark.xfail\ndef test_list(", "test_users.py")
    result = project.run()

    assert (0, 0) == (result.code, result.failed), result.text
    result.assert_says("1 xfailed")
