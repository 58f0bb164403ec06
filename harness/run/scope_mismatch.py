"""A wider fixture that asks for a narrower one: pytest says that it cannot, this adds what to ask for instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_MISMATCH = re.compile(
    r"ScopeMismatch: You tried to access the (?P<narrow>\w+) scoped fixture (?P<fixture>\w+) "
    r"with a (?P<wide>\w+) scoped request"
)
#: Fixture → what a fixture of a wider scope, put for `{scope}`, takes instead.
_INSTEAD = {
    "db_session": "ask for {scope}_db_session",
    "async_db_session": "ask for {scope}_async_db_session",
    "db_engine": "take the engine from {scope}_db_session.get_bind()",
    "async_db_engine": "take the connection from {scope}_async_db_session: await session.connection()",
    "db_url": "take the URL from {scope}_db_session.get_bind().url",
    "client": "make the rows with {scope}_db_session, or make a client in the fixture: with TestClient(app) as client:",
    "async_client": "make the rows with {scope}_async_db_session, or make an httpx.AsyncClient in the fixture",
    "harness": "override the dependency in a function-scoped fixture",
    "_function_scoped_runner": "give the fixture a loop of its scope: "
    "@pytest_asyncio.fixture(scope={scope!r}, loop_scope={scope!r}), and its tests the same loop_scope",
    "anyio_backend": "define fixture anyio_backend with scope={scope!r}",
    **{
        f"{narrow}_{kind}db_session": f"ask for {{scope}}_{kind}db_session"
        for narrow in ("package", "module", "class")
        for kind in ("", "async_")
    },
}


@contextmanager
def explained() -> Iterator[None]:
    """Add the remedy to pytest's own error if it is about one of harness's fixtures, or the loop they need."""
    try:
        yield
    except pytest.fail.Exception as error:
        found = _MISMATCH.match(error.msg or "")
        if found is not None and found["fixture"] in _INSTEAD:
            instead = _INSTEAD[found["fixture"]].format(scope=found["wide"])
            error.msg = f"{error.msg}\nharness: in a {found['wide']} fixture {instead}"
        raise
