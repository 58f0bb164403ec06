"""The container engine, as far as it can be judged without one."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from harness.database import engine


def _engine(*events: dict[str, str]) -> Any:
    """Return an engine whose pull reports `events`."""

    def pull(repository: str, **options: object) -> Iterator[dict[str, str]]:
        yield from events

    return SimpleNamespace(api=SimpleNamespace(pull=pull))


@pytest.fixture
def _slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each look at the clock be four seconds after the last."""
    seconds = iter(range(0, 1000, 4))
    monkeypatch.setattr(engine, "monotonic", lambda: next(seconds))


@pytest.mark.usefixtures("_slow")
def test_a_pull_tells_how_far_it_is() -> None:
    """Layers that are there already count as done; the line that repeats the tag is no layer."""
    told: list[str] = []
    events = (
        {"id": "17", "status": "Pulling from library/postgres"},
        {"id": "a", "status": "Already exists"},
        {"id": "b", "status": "Downloading"},
        {"id": "b", "status": "Pull complete"},
        {"status": "Status: Downloaded newer image"},
    )
    engine._pull(_engine(*events), "postgres", "17", told.append)

    assert told[1] == "1 of 1 layers"
    assert told[2:] == ["1 of 2 layers", "2 of 2 layers", "2 of 2 layers"]


def test_a_fast_pull_tells_nothing() -> None:
    """That it began has been said already."""
    told: list[str] = []
    engine._pull(_engine({"id": "a", "status": "Pull complete"}), "postgres", "17", told.append)

    assert told == []


def test_a_pull_that_fails_half_way_fails() -> None:
    """The engine reports it in the middle of its answer, which began well."""
    from docker.errors import DockerException

    with pytest.raises(DockerException, match="no space left on device"):
        engine._pull(_engine({"error": "no space left on device"}), "postgres", "17", lambda told: None)


@pytest.mark.parametrize("chosen", [True, False])
def test_the_user_keeps_the_janitor_he_chose(chosen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ryuk is off for harness's own container only, also if its start fails."""
    from testcontainers.core.config import testcontainers_config

    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", chosen)
    during: list[bool] = []

    def start() -> None:
        with engine._without_ryuk():
            during.append(testcontainers_config.ryuk_disabled)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()

    assert (during, testcontainers_config.ryuk_disabled) == ([True], chosen)
