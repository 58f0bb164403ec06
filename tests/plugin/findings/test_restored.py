"""After a run nothing of harness is left in other people's objects; and a listener that fails hurts nobody."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from harness.observe.connections import Connections
from harness.observe.listen import REPLACED
from harness.observe.outbound import LIBRARIES
from harness.observe.sessions import Sessions
from tests.support.guilty import ERROR, NOTHING, document, each_test, found, guilty
from tests.support.names import named
from tests.support.projects import Project

_EVENTS: dict[Any, list[str]] = {
    Session: [
        "after_begin",
        "transient_to_pending",
        "before_commit",
        "after_commit",
        "after_rollback",
        "after_soft_rollback",
        "after_transaction_end",
        "do_orm_execute",
    ],
    Engine: [
        "before_cursor_execute",
        "after_cursor_execute",
        "begin",
        "commit",
        "rollback",
        "savepoint",
        "rollback_savepoint",
    ],
    Dialect: ["handle_error"],  # where SQLAlchemy puts what is attached to Engine
    Pool: ["checkout", "checkin", "reset", "invalidate", "connect", "first_connect"],
}


def everything() -> dict[str, Any]:
    """All that harness replaces, and how many listen to each event."""
    paths = [*REPLACED, *(f"{one.module}.{one.owner}.{one.method}" for one in LIBRARIES if _there(one.module))]
    listeners = {
        f"{target.__name__}.{name}": len(list(getattr(target.dispatch, name)._clslevel.get(target, ())))
        for target, names in _EVENTS.items()
        for name in names
    }
    return {**{path: named(path) for path in paths}, **listeners, "__import__": builtins.__import__}


def _there(module: str) -> bool:
    return find_spec(module.partition(".")[0]) is not None


@pytest.fixture
def unchanged() -> Iterator[None]:
    """The law: what was there before is there afterwards."""
    for path in REPLACED:
        named(path)
    before = everything()
    yield
    assert before == everything()


@pytest.mark.parametrize("does", [NOTHING, ERROR, "raise ValueError", "pytest.exit('enough')"])
@pytest.mark.usefixtures("unchanged")
def test_a_run_gives_everything_back(project: Project, does: str) -> None:
    """However it ends."""
    each_test(guilty(project), good=NOTHING, it=does).run()

    assert {"H408"} <= {code for code, _ in found(project)}


@pytest.mark.usefixtures("unchanged")
def test_a_refused_run_leaves_nothing_either(project: Project) -> None:
    """Found wrong after the listeners were there."""
    guilty(project).write(
        conftest="import shop.main\n",
        test_it="import pytest\n@pytest.mark.harness(allow=['H310'])\ndef test_it(): pass\n",
    )
    project.run().assert_usage_error("does not know the rule 'H310'")


def broken(*args: Any) -> None:
    raise ZeroDivisionError("a secret")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Sessions, "born"),
        (Sessions, "begin"),
        (Sessions, "closing"),
        (Sessions, "committing"),
        (Connections, "sending"),
        (Connections, "sent"),
        (Connections, "committing"),
        (Connections, "rolling_back"),
        (Connections, "checkout"),
        (Connections, "checkin"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_a_listener_that_fails_is_switched_off_and_told_once(
    project: Project, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    """No test meets its exception, which is named without what it says; nothing is called unused after that."""
    broken.__qualname__ = f"{owner.__qualname__}.{name}"
    monkeypatch.setattr(owner, name, lambda self, *args: broken())
    guilty(project, "harness_allow = H301:old/*")
    result = each_test(project, one=NOTHING, two=NOTHING, three=NOTHING).run()

    result.assert_passed(3)
    told = [one for one in document(project)["findings"] if one["code"] == "H902"]
    assert [("test_it.py::test_one", 1)] == [(one["test"], one["count"]) for one in told], result.text
    assert "ZeroDivisionError at line" in told[0]["message"]
    assert "a secret" not in result.text
    assert "H901" not in {code for code, _ in found(project)}


@pytest.mark.parametrize("name", ["generators.watch", "_endpoint_of", "_states", "_route"])
@pytest.mark.usefixtures("unchanged")
def test_where_a_request_s_listener_fails_the_request_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whichever moment of it: the beginning, the endpoint, its end, or the request's."""
    monkeypatch.setattr(f"harness.observe.asgi.{name}", broken)
    result = each_test(guilty(project), one=NOTHING, two=NOTHING).run()

    result.assert_passed(2)
    assert 1 <= [code for code, _ in found(project)].count("H902"), result.text


def test_listeners_of_the_application_are_called_and_stay(project: Project) -> None:
    """In the order in which it attached them, and for as long as it likes."""
    seen: list[str] = []
    event.listen(Session, "after_commit", lambda session: seen.append("mine"))
    try:
        each_test(guilty(project), one=NOTHING).run().assert_passed(1)
    finally:
        dispatch: Any = Session.dispatch
        listener = list(dispatch.after_commit._clslevel[Session])[-1]
        event.remove(Session, "after_commit", listener)

    assert ["mine"] == seen
