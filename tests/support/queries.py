"""Hand-made statements, for tests of what is done with them."""

from __future__ import annotations

from itertools import count
from typing import Any

from harness.observe.facts import Request
from harness.observe.queries import Query

_NUMBERS = count(1)


def request(name: str = "GET /users", path: str = "") -> Request:
    """A request, as `GET /users`."""
    method, _, route = name.partition(" ")
    return Request(number=next(_NUMBERS), kind="http", method=method, path=path or route, began=0.0, route=route)


def query(sql: str = "SELECT users.id FROM users", **others: Any) -> Query:
    """A statement of the test's own session; `request` makes it a request's."""
    said = {
        "sql": sql,
        "connection": 1,
        "driver": "sqlite+pysqlite",
        "load": "",
        "many": False,
        "seconds": 0.001,
        "rows": None,
        "_at": 0.0,
        "_place": None,
        "_request": others.pop("request", None),
        "_own": others.pop("own", True),
        "_dialect": others.pop("dialect", "sqlite"),
        "_style": others.pop("style", "qmark"),
        "_values": others.pop("values", None),
    }
    return Query(**{**said, **others})
