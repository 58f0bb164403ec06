"""Waiting for a server, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.database.readiness import NotReady, Patience, until_ready


class Clock:
    """Time that passes by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def patience(self, limit: float = 120) -> Patience:
        return Patience(limit=limit, clock=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _refuse() -> str:
    raise ConnectionRefusedError("not yet")


def _wait(
    clock: Clock,
    *,
    connect: Callable[[], str] = _refuse,
    ended: Callable[[], str | None] = lambda: None,
    final: Callable[[Exception], bool] = lambda problem: False,
    tell: Callable[[str], None] = lambda waited: None,
    limit: float = 120,
) -> str:
    return until_ready(connect, ended=ended, final=final, tell=tell, patience=clock.patience(limit))


def test_the_connection_that_works_is_returned() -> None:
    """However many failed before."""
    clock = Clock()

    def connect() -> str:
        return "connected" if clock.now > 5 else _refuse()

    assert _wait(clock, connect=connect) == "connected"


def test_a_container_that_ends_is_not_waited_for() -> None:
    """How it ended is the reason, at once."""
    clock = Clock()
    with pytest.raises(NotReady, match="stopped with exit code 1"):
        _wait(clock, ended=lambda: "stopped with exit code 1" if clock.now > 1 else None)

    assert clock.now < 1.5


def test_waiting_is_bounded_and_keeps_the_last_error() -> None:
    """The reason names the limit; what the driver said last is its cause."""
    clock = Clock()
    with pytest.raises(NotReady, match="within 30 s") as gone:
        _wait(clock, limit=30)

    assert clock.now == pytest.approx(30, abs=0.2)
    assert str(gone.value.__cause__) == "not yet"


def test_an_error_that_time_cannot_cure_ends_the_waiting() -> None:
    """A wrong password stays wrong."""
    clock = Clock()
    with pytest.raises(NotReady, match="refuses"):
        _wait(clock, final=lambda problem: True)

    assert clock.now == 0


def test_the_reader_hears_of_it_every_few_seconds() -> None:
    """Silence looks like a hang."""
    clock, told = Clock(), list[str]()
    with pytest.raises(NotReady):
        _wait(clock, tell=told.append, limit=10)

    assert told == ["3 s", "6 s", "9 s"]


def test_an_interruption_is_not_taken_for_a_failure() -> None:
    """Ctrl-C ends the waiting."""

    def connect() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _wait(Clock(), connect=connect)
