"""`@pytest.mark.harness(…)`: the marker's signature is a function, and a wrong call is an error that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.config.options import ISOLATIONS
from harness.config.settings import unknown_value
from harness.errors import ConfigError

if TYPE_CHECKING:
    import pytest

SIGNATURE = "harness(isolation='rollback' | 'none')"
HELP = f"{SIGNATURE}: how this test's database work is kept apart from other tests' (see README)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a test asked for with its markers; None where it said nothing."""

    isolation: str | None = None


def request_of(item: pytest.Item) -> Request:
    """Return what the markers of a test ask for, the closest marker first.

    Raises:
        ConfigError: a marker was called with arguments that it does not take.
    """
    chosen: str | None = None
    for marker in item.iter_markers("harness"):
        request = _read(marker, item.nodeid)
        chosen = chosen or request.isolation
    return Request(isolation=chosen)


def _read(marker: pytest.Mark, nodeid: str) -> Request:
    unknown = sorted(set(marker.kwargs) - {"isolation"})
    if marker.args or unknown:
        what = (
            f"positional arguments {marker.args!r}" if marker.args else f"no argument {', '.join(map(repr, unknown))}"
        )
        raise ConfigError(
            f"@pytest.mark.harness takes {what}".replace("takes positional", "takes no positional"),
            where=nodeid,
            remedy=f"its signature is {SIGNATURE}",
        )
    isolation = marker.kwargs.get("isolation")
    if isolation is not None and isolation not in ISOLATIONS:
        raise unknown_value("@pytest.mark.harness(isolation=…)", str(isolation), ISOLATIONS, nodeid)
    return Request(isolation=isolation)
