"""What one test commits, the next does not see, in whatever order they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sample_app.tests.examples import a_user

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import AsyncClient
    from sqlalchemy.orm import Session

ANN = {"email": "ann@example.org", "name": "Ann"}


def test_ann_registers(client: TestClient) -> None:
    assert client.post("/users", json=ANN).status_code == 201


def test_ann_registers_for_the_first_time_again(client: TestClient) -> None:
    assert client.post("/users", json=ANN).status_code == 201


@pytest.mark.asyncio
async def test_ann_registers_in_an_async_test(async_client: AsyncClient) -> None:
    assert (await async_client.post("/async/users", json=ANN)).status_code == 201


def test_ann_is_stored_by_the_test_itself(db_session: Session) -> None:
    db_session.add(a_user(ANN["email"]))
    db_session.commit()
