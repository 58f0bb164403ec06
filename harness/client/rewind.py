"""A client as it was: the cookies, headers, parameters and credentials that a test has given it since are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.client.blocking import Client
    from harness.client.concurrent import AsyncClient


def mark(client: Client | AsyncClient) -> Callable[[], None]:
    """Return a function that makes the client again what it is now."""
    cookies, headers = type(client.cookies)(client.cookies), client.headers.copy()
    params = client.params
    auth: Any = client.auth

    def put_back() -> None:
        client.cookies = type(cookies)(cookies)
        client.headers = headers.copy()
        client.params, client.auth = params, auth

    return put_back


def mark_async(client: AsyncClient) -> Callable[[], None]:
    """Do the same for a client of an event loop, which also begins anew if its loop has been closed."""
    put_back = mark(client)

    def put_back_and_renew() -> None:
        put_back()
        client.renew()

    return put_back_and_renew
