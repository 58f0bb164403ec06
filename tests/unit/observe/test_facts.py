"""What is on the tape after a request."""

from __future__ import annotations

import gc
import sys
import time

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from harness.observe.facts import Origin, Outcome, Phase, Request, Transaction
from harness.observe.recorder import Recorder
from tests.unit.observe.shop import Shop

#: What aiosqlite says of a connection that an endpoint has lost, beside what is on the tape.
lost = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning")


def only(recorder: Recorder) -> tuple[Request, Transaction]:
    """The one request on the tape and its one transaction."""
    (request,) = recorder.tape.requests
    (transaction,) = recorder.tape.transactions
    return request, transaction


def test_a_request_is_recorded_with_its_route_and_answer(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/authors/1?secret=1")

    request, transaction = only(recorder)
    assert str(request) == "GET /authors/{key} → 200"
    assert (request.path, request.kind, request.coroutine, request.ok) == ("/authors/1", "http", False, True)
    assert request.endpoint is not None
    assert request.endpoint.function == "Shop._sync.author"
    assert request.ended is not None
    assert request.answering is not None
    assert request.began < request.answering <= request.ended
    (statement,) = request.statements
    assert statement.shape.brief == "SELECT FROM authors"
    assert statement.phase is Phase.ENDPOINT
    assert statement.seconds is not None
    assert not statement.write
    assert not statement.blocking
    assert transaction.outcome is Outcome.DISCARDED


def test_its_phases_follow_each_other(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/background")

    (request,) = recorder.tape.requests
    assert [phase for phase, _ in request.phases] == [
        Phase.DEPENDENCIES,
        Phase.ENDPOINT,
        Phase.SERIALIZATION,
        Phase.TEARDOWN,
        Phase.BACKGROUND,
        Phase.TEARDOWN,
    ]
    assert [moment for _, moment in request.phases] == sorted(moment for _, moment in request.phases)
    (use, *_) = request.sessions[0].background
    assert use.place is not None
    assert use.root is not None
    assert ("deeper", "later") == (use.place[0].co_name, use.root[0].co_name)


@pytest.mark.parametrize(
    ("how", "outcome"),
    [("commit", Outcome.COMMITTED), ("rollback", Outcome.ROLLED_BACK), ("nothing", Outcome.DISCARDED)],
)
def test_how_a_session_s_transaction_ended(recorder: Recorder, shop: Shop, how: str, outcome: Outcome) -> None:
    shop.client.post("/authors", params={"name": "Cleo", "how": how})

    _, transaction = only(recorder)
    assert transaction.outcome is outcome
    (write,) = transaction.writes
    assert write.shape.brief == "INSERT INTO authors"
    assert write.place is not None
    assert write.place[0].co_name == "create"


@pytest.mark.parametrize(("commit", "outcome"), [(True, Outcome.COMMITTED), (False, Outcome.DISCARDED)])
def test_how_a_connection_s_transaction_ended(recorder: Recorder, shop: Shop, commit: bool, outcome: Outcome) -> None:
    shop.client.post("/core", params={"commit": commit})

    _, transaction = only(recorder)
    assert transaction.session is None
    assert transaction.outcome is outcome
    assert [write.rows for write in transaction.writes] == [2]


def test_what_a_session_never_sent(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/forgotten")

    (session,) = recorder.tape.sessions
    told = {(one.change, one.model, one.attributes) for one in session.unflushed}
    assert told == {("add", "Author", ()), ("change", "Author", ("name",))}
    assert next(one.place for one in session.unflushed if one.change == "add") is not None


def test_an_error_that_was_swallowed(recorder: Recorder, shop: Shop) -> None:
    assert shop.client.post("/swallowed").status_code == 200

    _, transaction = only(recorder)
    assert transaction.failed is not None
    assert transaction.failed.name == "IntegrityError"
    assert transaction.failed.place is not None
    assert transaction.failed.place[0].co_name == "swallowed"


def test_lazy_loads_and_their_statements(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/books")

    (request,) = recorder.tape.requests
    assert [load.attribute for load in request.loads] == ["Author.books", "Author.books"]
    assert len({load.parent for load in request.loads}) == 2
    assert [statement.loaded for statement in request.statements] == [None, *request.loads]
    assert {load.place and load.place[0].co_name for load in request.loads} <= {"books", "<listcomp>"}
    assert not any(load.created for load in request.loads)


def test_a_lazy_load_through_a_method_that_the_application_overrides(recorder: Recorder, shop: Shop) -> None:
    """The line is the application's own; what led there is found behind it."""
    shop.client.get("/overridden")

    (request,) = recorder.tape.requests
    assert [load.attribute for load in request.loads] == ["Author.books", "Author.books"]
    assert {load.place and load.place[0].co_name for load in request.loads} == {"execute"}


def test_what_a_savepoint_has_taken_back(recorder: Recorder, shop: Shop) -> None:
    """And what was done before it, which is kept; harness's own savepoints are nobody's statements."""
    shop.client.post("/taken-back")

    request, transaction = only(recorder)
    assert [sent.shape.verb for sent in request.statements] == ["UPDATE", "SAVEPOINT", "UPDATE", "ROLLBACK"]
    assert [sent.undone for sent in request.statements if sent.write] == [False, True]
    assert transaction.outcome is Outcome.COMMITTED


def test_a_statement_on_the_driver_s_own_cursor(recorder: Recorder, shop: Shop) -> None:
    """It passes by SQLAlchemy, and so does its commit."""
    shop.client.post("/raw")

    _, transaction = only(recorder)
    (write,) = transaction.writes
    assert (write.rows, write.place and write.place[0].co_name) == (2, "raw")
    assert transaction.outcome is Outcome.COMMITTED


def test_what_is_committed_at_once_is_no_write_that_could_be_lost(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/autocommit")

    request, transaction = only(recorder)
    assert [sent.rows for sent in request.statements] == [1, 1]
    assert transaction.writes == []


def test_a_lazy_load_of_an_object_that_the_request_has_made(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/written")

    (request,) = recorder.tape.requests
    loads = [load for load in request.loads if load.attribute == "Author.books" and not load.column]
    assert [load.created for load in loads] == [False, False, True]


def test_an_object_that_shows_what_is_not_true_any_more(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/stale")

    (session,) = recorder.tape.sessions
    (stale,) = session.stale
    assert (stale.model, stale.attributes, stale.table, stale.deleted) == ("Author", ("name",), "authors", False)


def test_an_object_that_was_refreshed_is_not_stale(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/stale", params={"refresh": True})

    (session,) = recorder.tape.sessions
    assert session.stale == []


def test_the_comparison_itself_is_not_recorded(recorder: Recorder, shop: Shop) -> None:
    shop.client.post("/stale")

    assert [statement.shape.verb for statement in recorder.tape.requests[0].statements] == ["SELECT", "UPDATE"]


def test_a_session_that_several_requests_use(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/shared")
    shop.client.get("/shared")

    (session,) = recorder.tape.sessions
    assert list(session.requests) == recorder.tape.requests
    assert session.origin is Origin.APPLICATION
    assert session.overlaps == []


def test_a_connection_that_did_not_come_back(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/leak")

    (checkout,) = recorder.tape.checkouts
    assert checkout.returned is None
    assert checkout.session is recorder.tape.sessions[0]


def test_a_connection_that_garbage_collection_brought_back(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/leak")
    shop.leaked = None
    gc.collect()

    (checkout,) = recorder.tape.checkouts
    assert checkout.returned is not None
    assert checkout.collected


def test_a_statement_that_blocks_the_event_loop(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/async/blocking")

    (statement,) = recorder.tape.requests[0].statements
    assert statement.blocking
    assert statement.holder is not None
    assert statement.holder[0].co_name == "blocking"


def test_an_asynchronous_statement_does_not_block(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/async/authors/1")

    (request,) = recorder.tape.requests
    (statement,) = request.statements
    assert not statement.blocking
    assert statement.place is not None
    assert statement.place[0].co_name == "author"
    assert recorder.tape.sessions[0].asynchronous


def test_two_tasks_on_one_connection(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/async/gather")

    (session,) = recorder.tape.sessions
    (collision,) = session.collisions
    assert (collision.first, collision.second) == ("SELECT FROM authors", "SELECT FROM authors")
    assert collision.second_place is not None
    assert session.siblings


@lost
def test_a_lazy_load_that_is_refused(recorder: Recorder, shop: Shop) -> None:
    assert shop.client.get("/async/lazy").status_code == 500

    (request,) = recorder.tape.requests
    assert request.endpoint_error is not None
    assert request.endpoint_error.greenlet
    assert request.loads[-1].attribute == "Author.books"
    assert request.endpoint_error.place is not None
    assert request.endpoint_error.place[0].co_name == "lazy"


def test_a_coroutine_that_nobody_awaited(recorder: Recorder, shop: Shop) -> None:
    """Python's own warning of it still names the application's line."""
    with pytest.warns(RuntimeWarning, match="coroutine 'AsyncSession.commit' was never awaited") as warned:
        shop.client.post("/async/unawaited")

    assert warned[0].filename.endswith("shop.py")
    (unawaited,) = recorder.tape.unawaited
    assert unawaited.method == "AsyncSession.commit"
    assert unawaited.site.function == "Shop._async.unawaited"


@lost
def test_a_generator_that_was_dropped_with_its_session(recorder: Recorder, shop: Shop) -> None:
    shop.client.get("/async/abandoned")

    (abandoned,) = recorder.tape.abandoned
    assert abandoned.function.function == "Shop.get_async_db"
    assert abandoned.holding == "AsyncSession"


def test_a_static_pool_hands_one_connection_to_two_sessions(recorder: Recorder) -> None:
    """It hears of one return only; both sessions keep their transactions, and nothing is held at the end."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    app = FastAPI()

    @app.post("/nested")
    def nested() -> None:
        with Session(engine) as outer:
            outer.execute(text("SELECT 1"))
            with Session(engine) as inner:
                inner.execute(text("SELECT * FROM items"))
            outer.execute(text("INSERT INTO items VALUES (1)"))
            outer.commit()

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE items (id INTEGER)"))
    recorder.tape.checkouts.clear()
    TestClient(app).post("/nested")
    engine.dispose()

    outer, inner = recorder.tape.checkouts
    assert [sent.shape.verb for sent in inner.statements] == ["SELECT"]
    assert [sent.shape.verb for sent in outer.statements] == ["SELECT", "INSERT"]
    assert outer.transactions[0].outcome is Outcome.COMMITTED
    assert None not in (outer.returned, inner.returned)


def test_sessions_that_join_one_connection_are_told_apart(recorder: Recorder) -> None:
    """The recipe of SQLAlchemy's documentation: each sends a SAVEPOINT before the connection knows whose it is."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    app = FastAPI()
    with engine.connect() as connection, connection.begin():

        @app.get("/items")
        def items() -> None:
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                session.execute(text("SELECT 1"))

        client = TestClient(app)
        client.get("/items")
        client.get("/items")
    engine.dispose()

    assert [1, 1] == [len(session.requests) for session in recorder.tape.sessions if session.request is not None]


def test_facts_stay_in_order_while_a_test_freezes_the_time(
    recorder: Recorder, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As libraries do it: the clock's function is replaced in every module that has it."""
    real = time.perf_counter
    for module in [known for name, known in sys.modules.items() if name.startswith("harness.")] + [time]:
        for name, value in list(vars(module).items()):
            if value is real:
                monkeypatch.setattr(module, name, lambda: 1.0)

    shop.client.post("/authors", params={"name": "Cleo"})

    request, transaction = only(recorder)
    assert transaction.committing is not None
    assert request.answering is not None
    assert transaction.committing < request.answering
