"""The runs inside this process share its hypothesis: the profile that they load must not stay."""

from __future__ import annotations

from collections.abc import Iterator

# Loaded out here, so that they need not load it each time.
import hypothesis.stateful  # noqa: F401
import pytest
from hypothesis import settings


@pytest.fixture(autouse=True)
def _profile() -> Iterator[None]:
    """hypothesis' own profile, afterwards as before."""
    settings.load_profile("default")
    yield
    settings.load_profile("default")
