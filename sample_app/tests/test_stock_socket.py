"""The socket that tells the stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.websockets import WebSocketDisconnect

from sample_app.routers.stock import NO_SUCH_ITEM
from sample_app.tests.examples import an_item

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session


def test_the_stock_is_told_at_once(client: TestClient, db_session: Session) -> None:
    db_session.add(an_item("kettle", stock=5))
    db_session.commit()

    with client.websocket_connect("/ws/stock/kettle") as socket:
        assert socket.receive_json() == {"sku": "kettle", "stock": 5}


def test_the_stock_is_read_anew_for_every_message(client: TestClient, db_session: Session) -> None:
    kettle = an_item("kettle", stock=5)
    db_session.add(kettle)
    db_session.commit()

    with client.websocket_connect("/ws/stock/kettle") as socket:
        socket.receive_json()
        kettle.stock = 2
        db_session.commit()
        socket.send_text("again")
        assert socket.receive_json()["stock"] == 2


def test_an_unknown_item_closes_the_socket(client: TestClient) -> None:
    with client.websocket_connect("/ws/stock/teapot") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()

    assert closed.value.code == NO_SUCH_ITEM
