"""How a run tells of something slow while pytest captures what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def teller(config: pytest.Config) -> Any:
    """Return a function that writes a line on the terminal."""

    def say(text: str) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        capture = config.pluginmanager.get_plugin("capturemanager")
        if reporter is None:
            return
        if capture is None:
            reporter.write_line(f"harness: {text}")
            return
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"harness: {text}")

    return say
