"""A process that is observed, without pytest's hooks: what the listeners record is what these laws are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.observe.asgi import Requests
from harness.observe.listen import listening, listening_to_endpoints, listening_to_requests
from harness.observe.recorder import PoolFacts, Recorder
from tests.unit.observe.shop import Shop


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Everything that happens in the process is on its tape."""

    def describe(pool: object) -> PoolFacts:
        dialect = pool._dialect  # type: ignore[attr-defined]
        return PoolFacts(f"{dialect.name}+{dialect.driver}", dialect.is_async, own=False)

    # This file's folder is one of tests; here it stands for an application.
    recorder = Recorder(describe, is_test=lambda path: Path(path).name.startswith("test_"))
    requests = Requests(recorder, seen=lambda app: None)
    with ExitStack() as stack:
        stack.enter_context(listening(recorder))
        stack.enter_context(listening_to_requests(requests))
        stack.enter_context(listening_to_endpoints(requests))
        yield recorder
    assert recorder.disabled == []


@pytest.fixture
def shop(recorder: Recorder, tmp_path: Path) -> Iterator[Shop]:
    """A small application with synchronous and asynchronous endpoints on one SQLite file."""
    shop = Shop(tmp_path / "shop.db")
    with shop:
        recorder.tape.checkouts.clear()
        recorder.tape.transactions.clear()
        yield shop
