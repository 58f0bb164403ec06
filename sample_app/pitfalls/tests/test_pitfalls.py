"""Each pair is driven as its users would; nearly every pitfall answers as if all were well.

Every test here passes. What is wrong is told by harness, at the end of `pytest -p harness sample_app/pitfalls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sample_app.pitfalls.catalogue import PAIRS
from sample_app.pitfalls.tests.drive import drive, drive_async
from sample_app.pitfalls.tests.stage import furnish

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from sample_app.pitfalls.pair import Pair, Side

both_sides = pytest.mark.parametrize("side", ["wrong", "right"])
blocking_pairs = pytest.mark.parametrize(
    "pair", [pytest.param(pair, id=pair.name) for pair in PAIRS if pair.steps and "sync" in pair.variants]
)
async_pairs = pytest.mark.parametrize(
    "pair", [pytest.param(pair, id=pair.name) for pair in PAIRS if pair.steps and "async" in pair.variants]
)


@both_sides
@blocking_pairs
def test_sync(pair: Pair, side: Side, db_session: Session) -> None:
    furnish(db_session)

    assert drive(pair, side) == [step.answer_of(side) for step in pair.steps]


@both_sides
@async_pairs
@pytest.mark.asyncio
async def test_async(pair: Pair, side: Side, db_session: Session) -> None:
    furnish(db_session)

    assert await drive_async(pair, side) == [step.answer_of(side) for step in pair.steps]
