"""A run of a small shop: seven rules, fifteen findings, eight timelines, and the source that they are about."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from harness.gate.record import Record
from harness.gate.results import Results
from tests.unit.report.made import record, request, statement, timeline, transaction

_SOURCES = {
    "app/db.py": '''
        """Where sessions come from."""

        from collections.abc import Iterator

        from sqlalchemy import create_engine
        from sqlalchemy.orm import Session, sessionmaker

        engine = create_engine("postgresql+psycopg://shop@db/shop")
        SessionLocal = sessionmaker(engine)


        def get_db() -> Iterator[Session]:
            with SessionLocal() as db:
                yield db
                db.commit()


        def audit_session() -> Session:
            # Closed by the caller, they said.
            return SessionLocal()
    ''',
    "app/items.py": '''
        """Items: what the shop sells."""

        from fastapi import APIRouter, Depends
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        from app.db import audit_session, get_session
        from app.models import Item, ItemIn

        router = APIRouter(prefix="/items")


        @router.post("", status_code=201)
        def create_item(item: ItemIn, db: Session = Depends(get_session)) -> dict[str, object]:
            """Store an item."""
            found = Item(**item.model_dump())
            db.add(found)
            db.flush()
            return {"ok": True, "id": found.id}


        @router.put("/{item_id}")
        def rename_item(item_id: int, name: str, db: Session = Depends(get_session)) -> dict[str, object]:
            item = db.get(Item, item_id)
            item.name = name  # noqa: the lock is taken above
            db.flush()
            log = audit_session()
            log.execute(select(Item.id).where(Item.id == item_id))
            return {"name": f"renamed to {item.name!r}"}
    ''',
    "app/authors.py": '''
        """Authors and their books."""

        from fastapi import APIRouter, Depends
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        from app.db import get_db
        from app.models import Author

        router = APIRouter(prefix="/authors")


        @router.get("")
        async def list_authors(db: Session = Depends(get_db)) -> list[dict[str, object]]:
            authors = db.scalars(select(Author).order_by(Author.name)).all()
            return [
                {
                    "name": author.name,
                    "titles": [book.title for book in author.books],
                }
                for author in authors
            ]
    ''',
    "app/orders.py": '''
        """Orders, which a partner must be asked about."""

        import httpx
        from fastapi import APIRouter, Depends
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        from app.db import get_db
        from app.models import Order

        router = APIRouter(prefix="/orders")


        @router.post("/{order_id}/pay")
        def pay(order_id: int, db: Session = Depends(get_db)) -> dict[str, str]:
            order = db.scalars(select(Order).where(Order.id == order_id)).one()
            answer = httpx.post("https://pay.example/charges", json={"amount": order.total})
            order.state = "paid" if answer.is_success else "refused"
            return {"state": order.state}
    ''',
}
_SELECT_AUTHORS = "SELECT authors.id, authors.name FROM authors ORDER BY authors.name"
_SELECT_BOOKS = (
    "SELECT books.author_id AS books_author_id, books.id AS books_id, books.title AS books_title "
    "FROM books WHERE %(param_1)s = books.author_id"
)
_INSERT = "INSERT INTO items (name, price) VALUES (%(name)s, %(price)s) RETURNING items.id"


def realistic(root: Path) -> Results:
    """Write the application's files below `root`, and return the outcome of a run of its tests."""
    for name, source in _SOURCES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source).lstrip())
    return Results(
        version="0.2.0",
        databases=["sqlite", "container postgres:17"],
        root=str(root),
        tests=128,
        requests=341,
        statements=2189,
        records=[*_errors(), *_warnings(), *_read(), *_accepted()],
        timelines=_timelines(),
    )


def _errors() -> list[Record]:
    items = tuple(f"tests/test_items.py::test_create[{name}]" for name in ("apple", "pear", "plum", "fig"))
    return [
        record(
            message="POST /items answered 201, and 1 INSERT into items was discarded when get_session closed",
            at="app/items.py:18 create_item",
            tests=items,
            count=7,
            evidence=(
                ("INSERT INTO items, 1 row", "app/items.py:18 create_item"),
                ("201 was sent 2.1 ms later", None),
                ("the session was closed without a commit and without a rollback", "app/db.py:14 get_db"),
            ),
        ),
        record(
            message="PUT /items/{item_id} answered 200, and 1 UPDATE of items was discarded when get_session ended",
            at="app/items.py:26 rename_item",
            request=("PUT", "/items/{item_id}", 200),
            tests=("tests/test_items.py::test_rename",),
            evidence=(("UPDATE items, 1 row", "app/items.py:26 rename_item"),),
        ),
        record(
            "H301",
            "14 statements (psycopg, 9.7 ms) held the event loop in async def list_authors",
            "app/authors.py:15 list_authors",
            request=("GET", "/authors", 200),
            tests=("tests/test_authors.py::test_list", "tests/test_authors.py::test_titles"),
            count=28,
            evidence=(
                ("SELECT FROM authors, 1 statement", "app/authors.py:15 list_authors"),
                ("SELECT FROM books, 12 statements", "app/authors.py:19 <listcomp>"),
                ("COMMIT, 1 statement", "app/db.py:15 get_db"),
            ),
        ),
        record(
            "H401",
            "PUT /items/{item_id} ended, and 1 connection of the pool was not returned",
            "app/items.py:27 rename_item",
            request=("PUT", "/items/{item_id}", 200),
            tests=("tests/test_items.py::test_rename",),
            evidence=(("checked out for SELECT FROM items", "app/items.py:28 rename_item"),),
        ),
    ]


def _warnings() -> list[Record]:
    return [
        record(
            "H502",
            "Author.books was loaded 12 times from one line, once for each of 12 authors",
            "app/authors.py:19 list_authors",
            request=("GET", "/authors", 200),
            tests=("tests/test_authors.py::test_titles",),
            evidence=(("SELECT FROM books WHERE author_id = ?, 12 times", "app/authors.py:19 list_authors"),),
        ),
        record(
            "H405",
            "1 connection with an open transaction was held while https://pay.example was called",
            "app/orders.py:16 pay",
            request=("POST", "/orders/{order_id}/pay", 200),
            tests=("tests/test_orders.py::test_pay", "tests/test_orders.py::test_pay_twice"),
            evidence=(("the transaction began with SELECT FROM orders", "app/orders.py:15 pay"),),
        ),
        record(
            "H203",
            "POST /orders/{order_id}/pay answered 200, then get_db committed 1 UPDATE of orders",
            "app/db.py:15 get_db",
            request=("POST", "/orders/{order_id}/pay", 200),
            tests=("tests/test_orders.py::test_pay",),
            fix='Annotated[Session, Depends(get_db, scope="function")], which FastAPI has since 0.121',
        ),
    ]


def _read() -> list[Record]:
    places = ("app/db.py:15 get_db", "app/db.py:18 audit_session")
    found = [
        record(
            "H203", "get_db commits after yield, and 3 routes that write use it", places[0], request=None, graph=True
        ),
        record("H401", "audit_session returns a session that nobody closes", places[1], request=None, graph=True),
        record(
            "H301",
            "async def list_authors depends on get_db, which yields a synchronous Session",
            "app/authors.py:14 list_authors",
            request=("GET", "/authors", None),
            graph=True,
        ),
    ]
    info = record(
        "H305",
        "async_sessionmaker at app/later.py expires on commit",
        "app/later.py:9 <module>",
        request=None,
        graph=True,
    )
    return [*found, info]


def _accepted() -> list[Record]:
    return [
        record(at="app/items.py:90 import_items", message="POST /import answered 202, …", suppressed="baseline"),
        record(at="app/items.py:120 seed", message="POST /seed answered 201, …", suppressed="baseline"),
        record("H502", "Item.tags was loaded 4 times", at="app/items.py:140 tags", suppressed="comment"),
        record("H203", "POST /carts answered 201, …", at="app/carts.py:14 get_db", suppressed="marker"),
    ]


def _timelines() -> list[dict[str, Any]]:
    return [
        timeline("tests/test_items.py::test_create[apple]", _create(), _list_items()),
        timeline("tests/test_items.py::test_rename", _rename()),
        timeline("tests/test_authors.py::test_list", _authors(12)),
        timeline("tests/test_authors.py::test_titles", _authors(12), own=9.2),
        timeline("tests/test_orders.py::test_pay", _pay()),
        timeline("tests/test_orders.py::test_pay_twice", _pay(), _refused()),
        timeline("tests/test_health.py::test_ready", _ready()),
        timeline("tests/test_reports.py::test_month[2026-02]", _report(), own=31.5),
    ]


def _create() -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 1.3), ("serialization", 5.9), ("teardown", 7.0)]
    sent = [statement(3.1, 1.9, _INSERT, "app/items.py:18 create_item")]
    return request("POST /items", 201, phases, 8.2, sent, [transaction(2.9, 7.8, "discarded", writes=1)])


def _list_items() -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 0.8), ("serialization", 3.2), ("teardown", 3.9)]
    sent = [statement(1.2, 1.1, "SELECT items.id, items.name FROM items LIMIT %(limit)s", "app/items.py:33 list_items")]
    return request("GET /items", 200, phases, 4.2, sent, [transaction(1.1, 4.1, "discarded")])


def _rename() -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 0.9), ("serialization", 9.1), ("teardown", 9.8)]
    select = "SELECT items.id, items.name, items.price FROM items WHERE items.id = %(pk_1)s"
    sent = [
        statement(1.4, 1.0, select, "app/items.py:24 rename_item"),
        statement(3.0, 1.7, "UPDATE items SET name=%(name)s WHERE items.id = %(id)s", "app/items.py:26 rename_item"),
        statement(
            6.2, 1.2, "SELECT items.id FROM items WHERE items.id = %(id)s", "app/items.py:28 rename_item", lane=1
        ),
    ]
    ends = [transaction(1.3, 10.2, "discarded", writes=1), transaction(6.0, None, "open", lane=1)]
    made = request("PUT /items/{item_id}", 200, phases, 10.5, sent, ends)
    made["lanes"][1] |= {"began": 5.8, "ended": None}
    return made


def _authors(books: int) -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 0.7), ("serialization", 14.8), ("teardown", 16.4)]
    sent = [statement(1.2, 1.4, _SELECT_AUTHORS, "app/authors.py:15 list_authors", blocking=True)]
    sent += [
        statement(
            3.0 + 0.97 * number,
            0.62,
            _SELECT_BOOKS,
            "app/authors.py:19 list_authors",
            loaded="Author.books",
            blocking=True,
        )
        for number in range(books)
    ]
    return request("GET /authors", 200, phases, 17.3, sent, [transaction(1.0, 17.0, "committed")])


def _pay() -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 0.6), ("serialization", 42.0), ("teardown", 43.1)]
    select = "SELECT orders.id, orders.total, orders.state FROM orders WHERE orders.id = %(id_1)s"
    sent = [
        statement(1.1, 1.3, select, "app/orders.py:15 pay"),
        statement(44.0, 1.5, "UPDATE orders SET state=%(state)s WHERE orders.id = %(id)s", "app/db.py:15 get_db"),
    ]
    ends = [transaction(1.0, 47.2, "committed", writes=1, after_response=True, line=15)]
    call = {
        "at": 3.1,
        "library": "httpx",
        "target": "POST https://pay.example",
        "path": "app/orders.py",
        "line": 16,
        "held": 1,
    }
    return request("POST /orders/{order_id}/pay", 200, phases, 47.9, sent, ends, calls=[call])


def _refused() -> dict[str, Any]:
    phases = [("dependencies", 0.0), ("endpoint", 0.6), ("teardown", 6.1)]
    sent = [
        statement(
            1.1, 1.2, "SELECT orders.id, orders.total FROM orders WHERE orders.id = %(id)s", "app/orders.py:15 pay"
        ),
        statement(3.2, 0.9, "INSERT INTO payments (order_id) VALUES (%(order_id)s)", "app/orders.py:22 pay"),
    ]
    ends = [transaction(1.0, 5.4, "rolled back", writes=1)]
    return request("POST /orders/{order_id}/pay", 409, phases, 6.9, sent, ends, error="IntegrityError")


def _ready() -> dict[str, Any]:
    return request("GET /ready", 200, [("dependencies", 0.0), ("endpoint", 0.2), ("teardown", 0.6)], 0.8, [], [])


def _report() -> dict[str, Any]:
    phases = [
        ("dependencies", 0.0),
        ("endpoint", 1.0),
        ("serialization", 96.0),
        ("background", 101.0),
        ("teardown", 131.0),
    ]
    text = "SELECT sum(orders.total) AS total FROM orders WHERE orders.day = %(day)s GROUP BY orders.state"
    sent = [
        statement(2.0 + 3.1 * number, 2.2 + number % 3 * 0.4, text, "app/reports.py:41 month") for number in range(28)
    ]
    sent += [
        statement(104.0, 6.0, "DELETE FROM report_cache WHERE month = %(month)s", "app/reports.py:60 remember", lane=1),
        statement(
            112.0,
            9.0,
            "INSERT INTO report_cache (month, body) VALUES (%(month)s, %(body)s)",
            "app/reports.py:61 remember",
            lane=1,
        ),
    ]
    ends = [
        transaction(1.5, 132.0, "rolled back"),
        transaction(103.0, 124.0, "committed", lane=1, writes=2),
    ]
    made = request("GET /reports/{month}", 200, phases, 133.0, sent, ends, answered=100.5)
    made["lanes"][1] |= {"began": 102.5, "ended": 125.0}
    return made
