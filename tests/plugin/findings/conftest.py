"""Findings as a user of pytest meets them."""

from __future__ import annotations

import pytest

from harness.detectors.versions import installed


@pytest.fixture(autouse=True)
def _order() -> None:
    """One of the mistakes in these suites exists only where dependencies end after the response."""
    if not installed().exits_after_response:
        pytest.skip(reason="this FastAPI ends dependencies before the response, so one of the mistakes is none")
