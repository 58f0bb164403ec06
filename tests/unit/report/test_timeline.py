"""What happened in a test, in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.observe.facts import Phase
from harness.observe.tape import Tape
from harness.report.timeline import REQUESTS, STATEMENTS, TEXT, timeline_of
from tests.support.tapes import Story
from tests.unit.report.made import request as made_request
from tests.unit.report.made import statement as made_statement
from tests.unit.report.made import timeline as made_timeline
from tests.unit.report.made import transaction as made_transaction

ROOT = Path.cwd()


def told() -> Story:
    """A request that writes, asks a partner, answers, and commits after that."""
    story = Story()
    post = story.request("POST /items")
    db = story.session(post)
    story.phase(post, Phase.ENDPOINT)
    story.sql(db, "INSERT INTO items (name) VALUES ('pear')", at="app/api.py:18 create_item")
    story.call(post, post.checkouts[0])
    story.sql(db, "SELECT * FROM authors", loaded=story.load(post, "Item.author", 1), at="app/api.py:19 create_item")
    story.respond(post, 201)
    story.commit(db, at="app/db.py:10 get_db")
    story.end(post)
    return story


def test_a_request_is_told_with_phases_statements_transactions_and_calls() -> None:
    """In milliseconds from its beginning."""
    timeline = timeline_of(told().tape, ROOT)
    (request,) = timeline["requests"]

    assert ("tests/test_items.py::test_create", 2, 2.0) == (
        timeline["test"],
        timeline["statements"],
        timeline["database_ms"],
    )
    assert {"statements": 0, "database_ms": 0.0} == timeline["outside"]
    assert ("POST", "/items", 201, 2, 2.0) == tuple(
        request[key] for key in ("method", "route", "status", "count", "database_ms")
    )
    assert ["dependencies", "endpoint", "teardown"] == [phase["name"] for phase in request["phases"]]
    assert all(one["ended"] == two["began"] for one, two in zip(request["phases"], request["phases"][1:], strict=False))
    assert request["phases"][-1]["ended"] == request["took"]
    (call,) = request["calls"]
    assert ("httpx", "POST https://mail.example", 1) == (call["library"], call["target"], call["held"])
    insert, select = request["statements"]
    assert (True, 0, None) == (insert["write"], insert["lane"], insert["loaded"])
    assert "pear" not in insert["text"]
    assert ("app/api.py", 19, "create_item", "Item.author") == tuple(
        select[key] for key in ("path", "line", "function", "loaded")
    )
    assert insert["at"] < select["at"] < request["answered"] < request["took"]


def test_a_commit_after_the_response_is_marked() -> None:
    """If the transaction wrote, and had begun before."""
    (request,) = timeline_of(told().tape, ROOT)["requests"]
    (transaction,) = request["transactions"]

    assert ("committed", 1, True, "app/db.py", 10) == tuple(
        transaction[key] for key in ("outcome", "writes", "after_response", "path", "line")
    )


def test_background_work_with_its_own_transaction_is_not_marked() -> None:
    """It is meant to come later."""
    story = Story()
    post = story.request("POST /mails")
    story.respond(post, 202)
    story.phase(post, Phase.BACKGROUND)
    db = story.session(post)
    story.sql(db, "INSERT INTO mails (body) VALUES (?)")
    story.commit(db)
    story.end(post)
    (request,) = timeline_of(story.tape, ROOT)["requests"]

    assert [False] == [transaction["after_response"] for transaction in request["transactions"]]


def test_each_connection_is_a_lane() -> None:
    """In the order in which they were taken."""
    story = Story()
    get = story.request("GET /items")
    first, second = story.session(get), story.session(get)
    story.sql(first, "SELECT 1")
    story.sql(second, "SELECT 2")
    story.sql(first, "SELECT 3")
    story.end(get)
    (request,) = timeline_of(story.tape, ROOT)["requests"]

    assert [0, 1, 0] == [statement["lane"] for statement in request["statements"]]
    assert [0, 1] == [transaction["lane"] for transaction in request["transactions"]]
    assert ["postgresql+psycopg"] * 2 == [lane["driver"] for lane in request["lanes"]]
    assert ["open", "open"] == [transaction["outcome"] for transaction in request["transactions"]]
    assert [None, None] == [transaction["ended"] for transaction in request["transactions"]]


def test_the_test_s_own_statements_are_counted_apart() -> None:
    """They belong to no request."""
    story = Story()
    story.sql(story.session(None), "SELECT 1")
    timeline = timeline_of(story.tape, ROOT)

    assert ({"statements": 1, "database_ms": 1.0}, []) == (timeline["outside"], timeline["requests"])


def test_its_size_is_bounded_and_what_is_left_out_is_counted() -> None:
    """A test may send a million statements."""
    story = Story()
    get = story.request("GET /items")
    db = story.session(get)
    for _ in range(STATEMENTS + 7):
        story.sql(db, "SELECT " + "x, " * TEXT)
    story.end(get)
    for _ in range(REQUESTS + 2):
        story.end(story.request("GET /more"))
    timeline = timeline_of(story.tape, ROOT)
    first = timeline["requests"][0]

    assert (REQUESTS, 3) == (len(timeline["requests"]), timeline["more_requests"])
    assert (STATEMENTS, 7, STATEMENTS + 7) == (len(first["statements"]), first["more"], first["count"])
    assert len(first["statements"][0]["text"]) < TEXT + 60


def test_a_request_that_never_ended_lasts_until_the_last_fact() -> None:
    """As when its test was cancelled."""
    story = Story()
    get = story.request("GET /stuck")
    story.sql(story.session(get), "SELECT 1")
    (request,) = timeline_of(story.tape, ROOT)["requests"]

    assert request["took"] >= request["statements"][0]["at"] + request["statements"][0]["ms"]
    assert request["answered"] is None


@pytest.mark.parametrize("tape", [Tape("t.py::nothing"), told().tape], ids=["empty", "told"])
def test_it_survives_json(tape: Tape) -> None:
    """And so the way from a worker of pytest-xdist."""
    timeline = timeline_of(tape, ROOT)

    assert timeline == json.loads(json.dumps(timeline))


def test_hand_made_timelines_look_like_real_ones() -> None:
    """So that the tests of the page are about what it gets."""
    real = timeline_of(told().tape, ROOT)
    statement = made_statement(1, 1, "SELECT 1 FROM items", "a.py:1 f")
    request = made_request("GET /", 200, [("endpoint", 0)], 1, [statement], [made_transaction(0, 1, "committed")])

    assert real.keys() == made_timeline("t", request).keys()
    assert real["requests"][0].keys() == request.keys()
    for part in ("statements", "transactions", "lanes", "phases"):
        assert real["requests"][0][part][0].keys() == request[part][0].keys()
