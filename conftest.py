"""Hygiene and the `--db` selector; fixtures of the tests live in `tests/`."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

pytest_plugins = ["pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db",
        action="append",
        choices=["sqlite", "postgres", "mariadb"],
        help="databases to test on; may be given several times (default: sqlite, and the servers where an engine runs)",
    )


def pytest_configure() -> None:
    # A shell that runs the tests in the background has them ignore signals, and some tests send signals.
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, default)
    # Before 3.14, and unless told that there is none, asyncio makes a loop for whoever asks for the current one first.
    # pytest-asyncio asks, and the next asyncio.run() drops that loop unclosed, in a test that has no part in it.
    asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outer settings must not reach the runs that tests start."""
    for name in [name for name in os.environ if name.startswith("HARNESS_") and not name.startswith("HARNESS_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("PY_COLORS", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
