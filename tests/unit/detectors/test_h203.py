"""H203: a dependency commits after the response."""

from __future__ import annotations

import pytest

from harness.detectors.finding import Finding
from harness.detectors.transactions.commit_after_response import detect, inspect
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph, Dependency, ExitCommit, Function, Route, Use
from harness.observe.facts import Failure, Origin, Outcome, Phase
from tests.support.tapes import VERSIONS, Story, at, told

COMMIT = "app/db.py:9 get_db generator"
POST, GET, WS = (Route(methods=(method,), path="/items", threaded=True) for method in ("POST", "GET", "WS"))


def committed_late(sql: str = "INSERT INTO items (name) VALUES (?)", origin: Origin = Origin.APPLICATION) -> Story:
    """A request whose dependency commits in its exit."""
    story = Story()
    request = story.request("POST /items")
    db = story.session(request, origin=origin)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, sql)
    story.respond(request, 201)
    story.commit(db, at=COMMIT)
    story.close(db)
    story.end(request)
    return story


def met(story: Story) -> list[Finding]:
    """What is found on a tape."""
    return list(detect(story.tape, VERSIONS))


def test_writes_that_are_committed_after_the_response_are_reported() -> None:
    """With what was told the client, what was written, and how late."""
    (finding,) = met(committed_late())

    assert [
        "H203 POST /items answered 201, and INSERT INTO items was committed 2.0 ms after the response was sent "
        "@ app/db.py:9 in get_db"
    ] == told([finding])
    assert 'use Depends(get_db, scope="function")' in finding.fix


def test_a_request_that_wrote_nothing_loses_nothing() -> None:
    """Its commit ends a transaction, and that is all."""
    assert [] == met(committed_late("SELECT 1 FROM items"))


def test_a_session_of_the_tests_is_the_tests_business() -> None:
    """It takes the place of a dependency that may be right."""
    assert [] == met(committed_late(origin=Origin.TEST))


def test_a_commit_before_the_response_is_right() -> None:
    """In the endpoint, or in a middleware that has not answered yet."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, "INSERT INTO items VALUES (1)")
    story.commit(db)
    story.respond(request, 201)
    story.end(request)

    assert [] == met(story)


def test_a_commit_that_ends_a_streamed_body_is_right() -> None:
    """The body is not sent yet: the client still learns of a failure."""
    story = Story()
    request = story.request()
    db = story.session(request)
    request.answering, request.status = story.tick(), 200
    story.sql(db, "INSERT INTO items VALUES (1)")
    story.commit(db)
    request.answered = story.tick()
    story.end(request)

    assert [] == met(story)


@pytest.mark.parametrize("own", [True, False])
def test_a_background_task_may_commit(own: bool) -> None:
    """A session of its own, as it should; the request's session in it is another rule's."""
    story = Story()
    request = story.request()
    first = story.session(request)
    story.respond(request, 201)
    story.phase(request, Phase.BACKGROUND)
    db = story.session(request) if own else first
    story.sql(db, "INSERT INTO log VALUES (1)")
    story.commit(db)
    story.end(request)

    assert [] == met(story)


def test_a_commit_that_failed_is_another_rules() -> None:
    """H204 is worse."""
    story = committed_late()
    story.tape.transactions[0].outcome = Outcome.ROLLED_BACK

    assert [] == met(story)


def test_a_failed_request_is_another_rules() -> None:
    """H205 is worse."""
    story = committed_late()
    story.fail(story.tape.requests[0], Failure("fastapi.exceptions.HTTPException", http=409))

    assert [] == met(story)


def graph(*routes: Route, scope: str | None = None, after_error: bool = False, block: bool = False) -> AppGraph:
    """An application with one dependency that commits in its exit."""
    commit = ExitCommit(site=at(COMMIT), block=block, after_error=after_error)
    function = Function(name="app.db.get_db", site=at("app/db.py:5 get_db"), commits=(commit,))
    use = Use(consumer="app.api.create", parameter="db", scope=scope, routes=routes)
    return AppGraph(
        dependencies=(Dependency(name="app.db.get_db", site=function.site, function=function, uses=(use,)),)
    )


def test_the_source_shows_it_at_the_same_place() -> None:
    """And without a subject, so it is the same finding."""
    (finding,) = inspect(graph(GET, POST), VERSIONS)

    assert [
        "H203 get_db commits after its yield, which is after the response, on one writing route (POST /items) "
        "@ app/db.py:9 in get_db"
    ] == told([finding])
    assert met(committed_late())[0].site == finding.site
    assert met(committed_late())[0].subject == finding.subject


def test_a_block_around_the_yield_is_told_as_one() -> None:
    """There is no commit to look for."""
    (finding,) = inspect(graph(POST, block=True), VERSIONS)

    assert "get_db ends a transaction block around its yield" in finding.message


@pytest.mark.parametrize(
    "read",
    [graph(GET), graph(WS), graph(), graph(POST, scope="function"), graph(POST, after_error=True)],
    ids=["reads", "websocket", "unused", "function scope", "in finally"],
)
def test_look_alikes_are_right(read: AppGraph) -> None:
    """Nothing is written, the exit runs before the response, or H205 says it."""
    assert [] == list(inspect(read, VERSIONS))


@pytest.mark.parametrize(
    ("fastapi", "late"),
    [((0, 105), True), ((0, 106), False), ((0, 117, 1), False), ((0, 118), True), ((0, 121), True)],
)
def test_the_source_is_judged_for_the_installed_fastapi(fastapi: tuple[int, ...], late: bool) -> None:
    """From 0.106 to 0.117 the exit ran before the response."""
    assert late == bool(list(inspect(graph(POST), Versions(fastapi=fastapi, sqlalchemy=(2, 0, 46)))))


def test_the_remedy_fits_the_installed_fastapi() -> None:
    """scope="function" is not advised where it does not exist."""
    (finding,) = inspect(graph(POST), Versions(fastapi=(0, 118), sqlalchemy=(2, 0, 46)))

    assert 'commit in the endpoint, before it returns; Depends(..., scope="function") would need FastAPI 0.121' == (
        finding.fix
    )


def test_two_dependencies_with_one_helper_are_one_finding() -> None:
    """It is mended once."""
    one = graph(POST).dependencies[0]

    assert 1 == len(list(inspect(AppGraph(dependencies=(one, one)), VERSIONS)))


def test_an_exit_that_calls_what_commits_is_not_named() -> None:
    """The line is known, the dependency that led there is not."""
    story = Story()
    request = story.request("POST /items")
    db = story.session(request)
    story.phase(request, Phase.ENDPOINT)
    story.sql(db, "INSERT INTO items (name) VALUES (?)")
    story.respond(request, 201)
    story.commit(db, at="app/db.py:30 save")
    story.end(request)
    (finding,) = met(story)

    assert finding.site == at("app/db.py:30 save")
    assert finding.fix.startswith('use Depends(..., scope="function"), whose exit runs before the response')
