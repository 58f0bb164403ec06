"""H303: a coroutine that nobody awaited."""

from __future__ import annotations

from harness.detectors.asynchrony.coroutine_not_awaited import detect, inspect
from harness.graph.facts import AppGraph, Endpoint, Function, SessionCall, Sort
from harness.observe.incidents import Unawaited
from harness.observe.tape import Tape
from tests.support.tapes import VERSIONS, at, told

HERE = "app/api.py:18 create"


def test_each_line_is_one_finding() -> None:
    """However often it ran."""
    tape = Tape("test", unawaited=[Unawaited("AsyncSession.commit", at(HERE))] * 2)

    assert [
        "H303 AsyncSession.commit() was called 2 times and never awaited, so it did nothing @ app/api.py:18 in create"
    ] == told(list(detect(tape, VERSIONS)))


def graph(**changes: object) -> AppGraph:
    """An endpoint that calls commit."""
    call = SessionCall(
        **{
            "session": "db",
            "method": "commit",
            "sort": Sort.ASYNC_SESSION,
            "site": at(HERE),
            "dropped": True,
            **changes,
        }  # type: ignore[arg-type]
    )
    function = Function(name="app.api.create", site=at("app/api.py:15 create"), coroutine=True, calls=(call,))
    return AppGraph(endpoints=(Endpoint(function=function, routes=()),))


def test_the_source_shows_it_at_the_same_place() -> None:
    """With the method as subject, as a test that meets it."""
    (read,) = inspect(graph(), VERSIONS)
    (met,) = detect(Tape("test", unawaited=[Unawaited("AsyncSession.commit", at(HERE))]), VERSIONS)

    assert ["H303 db.commit() is not awaited, so it does nothing @ app/api.py:18 in create"] == told([read])
    assert (met.site, met.subject) == (read.site, read.subject)
    assert "write await db.commit(...)" == read.fix


def test_a_coroutine_that_is_kept_and_a_synchronous_call_are_right() -> None:
    """The one may be awaited later, the other has done its work."""
    assert [] == list(inspect(graph(dropped=False), VERSIONS))
    assert [] == list(inspect(graph(sort=Sort.SESSION), VERSIONS))
