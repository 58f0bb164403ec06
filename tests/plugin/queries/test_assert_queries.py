"""`assert_queries`: what is counted, whose it is, and what a failure says."""

from __future__ import annotations

import re
import sqlite3

import pytest

from tests.support.orders import orders
from tests.support.projects import Project

kinds = pytest.mark.parametrize("kind", ["sync", "async"])


@kinds
def test_a_block_holds_a_budget(project: Project, kind: str) -> None:
    """Exact, at most, none, or a mere counter; also around nothing."""
    orders(project, kind).write(
        test_it="""
            def test_it(client, assert_queries, three):
                with assert_queries(4):
                    client.get("/users")
                with assert_queries(exact=4):
                    client.get("/users")
                with assert_queries(max=5):
                    client.get("/users")
                with assert_queries(0):
                    client.get("/health")
                with assert_queries(0), assert_queries(max=0), assert_queries() as queries:
                    pass
                assert len(queries) == 0 and str(queries) == "no queries"
        """
    )
    project.run_apart().assert_passed(1)


@kinds
def test_an_async_test_holds_it_too(project: Project, kind: str) -> None:
    """With `with` and with `async with`, through `async_client`, also around gathered requests."""
    orders(project, kind).write(
        test_it="""
            import asyncio

            async def test_it(async_client, assert_queries, three):
                async with assert_queries(4):
                    await async_client.get("/users")
                with assert_queries(12) as queries:
                    await asyncio.gather(*(async_client.get("/users") for _ in range(3)))
                assert len(queries.of("GET /users")) == 12
        """
    )
    project.run_apart().assert_passed(1)


@kinds
def test_a_failure_shows_what_was_sent_by_whom_and_from_where(project: Project, kind: str) -> None:
    """By sender and shape, the most frequent first, lazy loads by name, in SQL, without a walk through harness."""
    orders(project, kind).write(
        test_it="""
            from shop.models import User

            def test_it(client, assert_queries, three, db_session):
                with assert_queries(2):
                    db_session.add(User(name="kim"))
                    db_session.flush()
                    client.get("/users")
        """
    )
    result = project.run_apart()

    assert 1 == result.failed, result.text
    lines = (project.path / "shop/main.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "for user in found]" in text)
    function = "users" if kind == "sync" else "listed"
    told = "\n".join(text.removeprefix("E").strip() for text in result.text.splitlines() if text.startswith("E"))
    told = re.sub(r" AS \w+", "", told)  # SQLAlchemy before 2.1 labels the columns of a lazy load
    assert (
        f"""AssertionError: assert_queries(2): 2 queries expected, 6 were sent

GET /users: 5 queries
4 × SELECT FROM orders, lazy load of User.orders
at shop/main.py:{line} in {function}
SELECT orders.id, orders.user_id FROM orders WHERE :p1 = orders.user_id;
1 × SELECT FROM users
at shop/main.py:{line - 1} in {function}
SELECT users.id, users.name FROM users ORDER BY users.id;

the test itself: 1 query
1 × INSERT INTO users
at test_it.py:6 in test_it
INSERT INTO users (name) VALUES (:p1);"""
        == told
    ), result.text
    assert "harness/run" not in result.text
    assert "kim" not in told


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        ("4", "assert_queries(4): 4 queries expected, 0 were sent"),
        ("max=0", "assert_queries(max=0): at most 0 queries expected, 1 was sent"),
        ("0, of='GET /users/{user_id}'", "0 queries expected of GET /users/{user_id}, 1 was sent"),
    ],
)
def test_the_first_line_says_what_was_expected(project: Project, call: str, fact: str) -> None:
    """And how many there were: also if they were too few."""
    path = "/health" if call == "4" else "/users/1"
    orders(project).write(
        test_it=f"""
            def test_it(client, assert_queries, three):
                with assert_queries({call}):
                    client.get("{path}")
        """
    )
    result = project.run()

    assert 1 == result.failed, result.text
    result.assert_says(fact)


@kinds
def test_the_statements_can_be_asked_for(project: Project, kind: str) -> None:
    """By sender, by connection, by purpose; each with what is known about it."""
    orders(project, kind).write(
        test_it="""
            import harness
            from sqlalchemy import text

            def test_it(client, assert_queries, three, db_session):
                with assert_queries() as queries:
                    client.get("/users")
                    client.get("/users/1")
                    client.get("/users/2")
                    client.get("/health")
                    db_session.execute(text("UPDATE users SET name = 'x'"))
                assert isinstance(queries, harness.Queries)
                assert len(queries) == 7 == len(queries.statements)
                assert list(queries.by_request()) == [
                    "GET /users", "GET /users/{user_id}", "GET /health", "the test itself"
                ]
                assert [len(sent) for sent in queries.by_request().values()] == [4, 2, 0, 1]
                assert len(queries.of("GET /users/{user_id}")) == 2
                assert len(queries.of("GET /users/2")) == 1
                assert len(queries.of("GET /health")) == 0
                assert (len(queries.app), len(queries.test)) == (6, 1)
                assert {query.load for query in queries.lazy_loads} == {"lazy load of User.orders"}
                assert len(queries.lazy_loads) == 3
                assert sum(map(len, queries.by_connection().values())) == 7
                assert len(queries.by_connection()) >= 2
                assert len(queries[:4]) == 4

                first, last = queries[0], queries[-1]
                assert isinstance(first, harness.Query)
                assert (first.verb, first.table, first.request) == ("SELECT", "users", "GET /users")
                assert first.sql.startswith("SELECT users.id")
                assert first.site.path.endswith("main.py")
                assert first.seconds > 0 and not first.lazy and not first.many
                assert (last.verb, last.request, last.sender, last.rows) == ("UPDATE", None, "the test itself", 3)
                assert last.site.function == "test_it"
        """
    )
    project.run_apart().assert_passed(1)


@kinds
def test_what_begins_and_ends_transactions_is_not_counted(project: Project, kind: str) -> None:
    """Neither the application's savepoints, nor BEGIN and COMMIT, nor anything of harness; executemany is one."""
    orders(project, kind).write(
        test_it="""
            def test_it(client, assert_queries):
                with assert_queries(1):
                    client.post("/users/ann")
                with assert_queries(1) as queries:
                    client.post("/many")
                assert queries[0].many
        """
    )
    project.run_apart().assert_passed(1)


def test_making_the_tables_is_not_counted(project: Project) -> None:
    """Also where the first statement of the application is what makes it necessary, inside of a block."""
    orders(project).write(
        test_it="""
            from shop.main import SessionLocal
            from shop.models import User

            def test_it(assert_queries):
                with assert_queries(1) as queries, SessionLocal() as session:
                    assert session.query(User).all() == []
                assert queries[0].sender == "outside of requests"
        """
    )
    project.run().assert_passed(1)


def test_what_comes_from_the_identity_map_is_no_statement(project: Project) -> None:
    """Nothing is sent, so nothing is counted."""
    orders(project).write(
        test_it="""
            from shop.models import User

            def test_it(assert_queries, three, db_session):
                with assert_queries(1):
                    first = db_session.get(User, 1)
                with assert_queries(0):
                    assert db_session.get(User, 1) is first
        """
    )
    project.run().assert_passed(1)


def test_a_failed_statement_was_sent(project: Project) -> None:
    """It counts, and has no duration."""
    orders(project).write(
        test_it="""
            import pytest
            from sqlalchemy import text
            from sqlalchemy.exc import OperationalError

            def test_it(assert_queries, db_session):
                with assert_queries(1) as queries:
                    with pytest.raises(OperationalError):
                        db_session.execute(text("SELECT nothing FROM nowhere"))
                assert queries[0].seconds is None
        """
    )
    project.run().assert_passed(1)


@kinds
def test_threads_count(project: Project, kind: str) -> None:
    """A block counts what all threads send while it is open, and counts each request's own."""
    orders(project, kind).write(
        test_it="""
            from concurrent.futures import ThreadPoolExecutor

            def test_it(client, assert_queries, three):
                with assert_queries(32) as queries, ThreadPoolExecutor(8) as pool:
                    list(pool.map(lambda _: client.get("/users"), range(8)))
                assert len(queries.of("GET /users")) == 32
                with assert_queries(0):
                    pass
        """
    )
    project.run_apart().assert_passed(1)


def test_blocks_nest(project: Project) -> None:
    """The outer one counts what the inner one counts, and each judges for itself."""
    orders(project).write(
        test_it="""
            import pytest

            def test_it(client, assert_queries, three):
                with assert_queries(5) as outer:
                    with assert_queries(4) as inner:
                        client.get("/users")
                    client.get("/users/1")
                    with pytest.raises(AssertionError, match="1 query expected, 0 were sent"):
                        with assert_queries(1):
                            pass
                assert (len(outer), len(inner)) == (5, 4)
        """
    )
    project.run().assert_passed(1)


def test_an_error_in_the_block_is_the_news(project: Project) -> None:
    """A budget that is not held because the block broke off is not told in its place."""
    orders(project).write(
        test_it="""
            def test_it(assert_queries):
                with assert_queries(3):
                    raise LookupError("the real problem")
        """
    )
    result = project.run()

    result.assert_says("LookupError: the real problem")
    assert "3 queries expected" not in result.text


def test_it_counts_in_a_run_without_rules(project: Project) -> None:
    """Budgets are no findings: who switches all rules off keeps them, with the names of requests."""
    orders(project).ini("harness_app = shop.main:app", "harness_ignore = H").write(
        test_it="""
            def test_it(client, assert_queries, three):
                with assert_queries(4, of="GET /users") as queries:
                    client.get("/users")
                assert len(queries.lazy_loads) == 3
        """
    )
    project.run().assert_passed(1)


def test_without_budgets_nothing_listens(project: Project) -> None:
    """The listeners come with the first budget of a run, and go with the run."""
    orders(project).write(
        test_it="""
            from sqlalchemy import event
            from harness.run.life import life_of

            def test_before(client, request):
                client.get("/users")
                assert life_of(request.config).judging.watch._counting is None

            def test_with(client, assert_queries, request):
                assert life_of(request.config).judging.watch._counting is not None
        """
    )
    project.run().assert_passed(2)


def test_values_are_shown_on_request_only(project: Project) -> None:
    """`-vv` writes them out as literals; without it a parameter is a variable, which may be a secret."""
    orders(project).write(
        test_it="""
            from shop.models import User

            def test_it(assert_queries, db_session):
                with assert_queries(0):
                    db_session.add(User(name="it's secret"))
                    db_session.flush()
        """
    )
    hidden, shown = project.run("-v"), project.run("-vv")

    hidden.assert_says("INSERT INTO users (name) VALUES (:p1);")
    assert "INSERT INTO users (name) VALUES ('it''s secret');" not in hidden.text
    shown.assert_says("INSERT INTO users (name) VALUES ('it''s secret');")


def test_what_is_shown_can_be_pasted(project: Project) -> None:
    """Each line of SQL runs as it is: with variables, and with values."""
    orders(project).write(
        test_it="""
            def test_it(client, assert_queries, three):
                with assert_queries(0):
                    client.post("/many")
                    client.get("/users")
                    client.get("/users/1")
        """
    )
    for verbosity, values in (("-v", {"p1": 1}), ("-vv", {})):
        result = project.run(verbosity)
        lines = [line.removeprefix("E").strip() for line in result.text.splitlines() if line.startswith("E")]
        sent = [line for line in lines if line.endswith(";")]
        database = sqlite3.connect(":memory:")
        database.executescript("CREATE TABLE users (id, name); CREATE TABLE orders (id, user_id)")
        for line in sent:
            database.execute(line, values)
        database.close()
        assert 4 == len(sent), result.text


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        ("3, max=5", ("assert_queries(3, max=5) has an exact number and a max", "give one of the two")),
        ("-1", ("assert_queries(-1) allows fewer than no queries",)),
        ("max=-1", ("assert_queries(max=-1) allows fewer than no queries",)),
        ("True", ("assert_queries(True) takes a whole number, not True", "assert_queries(max=5)")),
        ("3.0", ("takes a whole number, not 3.0",)),
        ("'3'", ("takes a whole number, not '3'",)),
        ("max='3'", ("takes a whole number, not '3'",)),
        ("1, of=''", ("takes the name of a request, not ''", "of='GET /users/{id}'")),
        ("1, of=3", ("takes the name of a request, not 3",)),
        ("1, of='GET /user'", ("no request 'GET /user' came while statements were counted", "there were: GET /users")),
    ],
)
def test_a_wrong_budget_is_explained(project: Project, call: str, fragments: tuple[str, ...]) -> None:
    """Instead of being a budget that always holds."""
    orders(project).write(
        test_it=f"""
            def test_it(client, assert_queries):
                with assert_queries({call}):
                    client.get("/users")
        """
    )
    result = project.run()

    assert 1 == result.failed, result.text
    result.assert_says("BudgetError", *fragments)


def test_a_block_is_entered_once(project: Project) -> None:
    """Twice nested or one after the other: the counts would be mixed up."""
    orders(project).write(
        test_it="""
            import pytest
            from harness import BudgetError

            def test_it(assert_queries):
                block = assert_queries(0)
                with block:
                    with pytest.raises(BudgetError, match="this assert_queries.0. was entered already"):
                        with block:
                            pass
                with pytest.raises(BudgetError, match="call assert_queries anew"):
                    block.__enter__()
        """
    )
    project.run().assert_passed(1)


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("assert_queries(3)", "assert_queries(3) was never entered"),
        ("assert_queries(max=3).__enter__()", "assert_queries(max=3) was entered and never left"),
    ],
)
def test_a_block_that_checks_nothing_is_told(project: Project, line: str, fact: str) -> None:
    """A forgotten `with` would hold any budget."""
    orders(project).write(test_it=f"def test_it(assert_queries):\n    {line}\n")
    result = project.run()

    assert (1, 1) == (result.passed, result.errors), result.text
    result.assert_says(fact, "test_it.py::test_it", "so it has checked nothing", "write it as a block: with")


def test_it_is_for_the_test_that_took_it(project: Project) -> None:
    """Kept and called in a later test it is refused; a wider fixture cannot take it, as pytest says."""
    orders(project).write(
        test_it="""
            kept = []

            def test_one(assert_queries):
                kept.append(assert_queries)

            def test_other():
                with kept[0](3):
                    pass
        """,
        test_wide="""
            import pytest

            @pytest.fixture(scope="module")
            def wide(assert_queries): ...

            def test_it(wide): ...
        """,
    )
    result = project.run()

    assert (1, 1, 1) == (result.passed, result.failed, result.errors), result.text
    result.assert_says(
        "assert_queries(3) was called outside of the test that it belongs to", "test_it.py::test_one", "ScopeMismatch"
    )
