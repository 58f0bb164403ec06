"""A process whose engines are captured and observed, without pytest's hooks: these laws are about what is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import make_url

from harness.isolation.capture import capture
from harness.isolation.target import Target
from harness.observe.asgi import Requests
from harness.observe.listen import listening, listening_to_endpoints, listening_to_requests
from harness.observe.recorder import PoolFacts, Recorder
from tests.unit.observe.shop import Shop


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """The database of every engine of the process."""
    target = Target("sqlite", lambda: make_url(f"sqlite:///{tmp_path / 'shop.db'}"))
    with capture(target, lambda: target.own_engine):
        yield target
    target.pinned.close()


@pytest.fixture
def recorder(target: Target) -> Iterator[Recorder]:
    """Everything that happens in the process is on its tape."""

    def describe(pool: object) -> PoolFacts:
        dialect = pool._dialect  # type: ignore[attr-defined]
        return PoolFacts(f"{dialect.name}+{dialect.driver}", dialect.is_async, own=False)

    # This file's folder is one of tests; here it stands for an application.
    recorder = Recorder(describe, is_test=lambda path: Path(path).name.startswith("test_"))
    requests = Requests(recorder, seen=lambda app: None)
    with ExitStack() as stack:
        target.pinned.observer = stack.enter_context(listening(recorder))
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
