"""H301: a synchronous database call on the event loop."""

from __future__ import annotations

from inspect import CO_COROUTINE

from harness.callsite import Place, site_of
from harness.detectors.asynchrony.blocking_call import detect, inspect
from harness.detectors.finding import Finding
from harness.graph.facts import AppGraph, Endpoint, Function, Route, SessionCall, Sort
from harness.observe.facts import Origin, Phase, Statement, Transaction
from tests.support.tapes import VERSIONS, Story, at, place, told

READ = "app/api.py:18 read_items"


def coroutine(text: str) -> Place:
    """A place in an `async def`."""
    code, line = place(text)
    return code.replace(co_flags=code.co_flags | CO_COROUTINE), line


def blocked(statement: Statement, holder: Place | None = None, *, by: str | None = None) -> Statement:
    """A statement that held the event loop, sent by an `async def` or by what it called."""
    statement.blocking = True
    statement.holder = holder
    statement.place = place(by) if by else holder or statement.place
    return statement


def met(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def test_statements_in_an_async_endpoint_are_one_finding_at_the_first() -> None:
    """With their number, driver and time; the end of their transaction is counted in."""
    story = Story()
    request = story.request("GET /items", coroutine=True)
    db = story.session(request)
    story.phase(request, Phase.ENDPOINT)
    here = coroutine(READ)
    blocked(story.sql(db, "SELECT * FROM items"), here)
    blocked(story.sql(db, "SELECT * FROM users"), here, by="app/crud.py:3 users")
    story.close(db)
    db.transactions[0].blocking = True
    story.respond(request)
    story.end(request)
    (finding,) = met(story)

    assert [
        "H301 2 statements and 1 COMMIT or ROLLBACK (psycopg, 2.0 ms) held the event loop in GET /items "
        "@ app/api.py:18 in read_items"
    ] == told([finding])
    assert finding.fix.startswith("make read_items a def")
    assert "" == finding.subject


def test_an_async_def_is_one_finding_whichever_helper_sends_the_first_statement() -> None:
    """What is loaded already decides which one that is; the function to mend is the same."""
    story = Story()
    for helper in ("app/crud.py:3 items", "app/crud.py:9 users"):
        request = story.request("GET /items", coroutine=True)
        story.phase(request, Phase.ENDPOINT)
        blocked(story.sql(story.session(request), "SELECT 1 FROM items"), coroutine(READ), by=helper)
    findings = met(story)

    assert [(at(READ), "")] * 2 == [(finding.site, finding.subject) for finding in findings]
    assert [[at("app/crud.py:3 items")], [at("app/crud.py:9 users")]] == [
        [piece.site for piece in finding.evidence] for finding in findings
    ]
    assert all(finding.fix.startswith("make read_items a def") for finding in findings)


def test_what_no_async_def_of_the_users_led_to_is_told_with_the_endpoint() -> None:
    """A response model that loads in an async endpoint: the line that it reads may be right in a def endpoint."""
    story = Story()
    request = story.request("GET /items", endpoint="app/api.py:15 read_items", coroutine=True)
    story.phase(request, Phase.SERIALIZATION)
    blocked(story.sql(story.session(request), "SELECT 1 FROM items", at="app/models.py:3 Item.owner"))
    (finding,) = met(story)

    assert ("GET /items", at("app/api.py:15 read_items")) == (finding.subject, finding.site)
    assert [at("app/models.py:3 Item.owner")] == [piece.site for piece in finding.evidence]
    assert finding.fix.startswith("make read_items a def")


def test_what_the_response_model_loads_is_told_with_what_the_endpoint_sends() -> None:
    """It is the same async def that has to be mended."""
    story = Story()
    request = story.request("GET /items", endpoint="app/api.py:18 read_items", coroutine=True)
    code, _ = coroutine(READ)
    request.endpoint = site_of(code)
    db = story.session(request)
    story.phase(request, Phase.ENDPOINT)
    blocked(story.sql(db, "SELECT 1 FROM items"), (code, 18))
    story.phase(request, Phase.SERIALIZATION)
    blocked(story.sql(db, "SELECT 1 FROM users", at="app/models.py:3 Item.owner"))
    (finding,) = met(story)

    assert told([finding]) == [
        "H301 2 statements (psycopg, 2.0 ms) held the event loop in GET /items @ app/api.py:18 in read_items"
    ]


def test_an_async_dependency_is_the_same_finding_on_all_its_routes() -> None:
    """And another one than the endpoint's."""
    story = Story()
    for path in ("/items", "/users"):
        request = story.request(f"GET {path}")
        db = story.session(request)
        blocked(story.sql(db, "SELECT 1 FROM users"), coroutine("app/auth.py:5 get_user"))
        story.phase(request, Phase.ENDPOINT)
        blocked(story.sql(db, "SELECT 1 FROM items"), coroutine(f"app{path}.py:5 read"))
    findings = met(story)

    assert ["get_user", "read", "get_user", "read"] == [one.site.function if one.site else "" for one in findings]
    assert {""} == {one.subject for one in findings}


def closing(story: Story, origin: Origin) -> Transaction:
    """A def endpoint whose async dependency closes its session on the event loop."""
    request = story.request("GET /items")
    db = story.session(request, origin=origin)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, "SELECT 1 FROM items")
    story.respond(request)
    story.close(db, at="app/db.py:10 get_db")
    story.end(request)
    transaction = db.transactions[0]
    transaction.blocking = True
    return transaction


def test_the_end_of_a_transaction_alone_is_a_finding_of_its_dependency() -> None:
    """An async dependency around a synchronous session rolls back on the event loop, also for a def endpoint."""
    story = Story()
    closing(story, Origin.APPLICATION)

    assert ["H301 1 COMMIT or ROLLBACK (psycopg) held the event loop in GET /items @ app/db.py:10 in get_db"] == told(
        met(story)
    )


def test_a_tests_own_dependency_may_close_where_it_likes() -> None:
    """Production has another one."""
    story = Story()
    closing(story, Origin.TEST)

    assert [] == met(story)


def test_what_ran_in_a_thread_or_outside_of_requests_is_right() -> None:
    """A test may block its own loop."""
    story = Story()
    request = story.request("GET /items")
    story.sql(story.session(request), "SELECT 1 FROM items")
    blocked(story.sql(story.session(None, origin=Origin.TEST), "SELECT 1 FROM items"))

    assert [] == met(story)


def call(method: str, line: int, sort: Sort = Sort.SESSION) -> SessionCall:
    """A call in read_items."""
    return SessionCall(session="db", method=method, sort=sort, site=at(f"app/api.py:{line} read_items"), dropped=False)


def graph(*calls: SessionCall, is_coroutine: bool = True) -> AppGraph:
    """An application with one endpoint."""
    function = Function(
        name="app.api.read_items", site=at("app/api.py:15 read_items"), coroutine=is_coroutine, calls=calls
    )
    return AppGraph(
        endpoints=(Endpoint(function=function, routes=(Route(methods=("GET",), path="/items", threaded=False),)),)
    )


def test_the_source_shows_it_at_the_same_place() -> None:
    """Without a subject, as a test that meets it."""
    (finding,) = inspect(graph(call("execute", 18), call("commit", 19)), VERSIONS)

    assert [
        "H301 async def read_items (GET /items) makes 2 calls to a synchronous Session, first db.execute(...) "
        "@ app/api.py:18 in read_items"
    ] == told([finding])
    assert "" == finding.subject


def test_a_def_or_an_async_session_is_right() -> None:
    """One runs in a thread, the other awaits."""
    assert [] == list(inspect(graph(call("execute", 18), is_coroutine=False), VERSIONS))
    assert [] == list(inspect(graph(call("execute", 18, Sort.ASYNC_SESSION)), VERSIONS))
