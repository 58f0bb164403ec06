"""Two of hypothesis' settings that are made for tests which nobody isolates, and are eased where harness does.

`settings` can be applied to a test only once, so the attribute under which it keeps them is read and set here, and only
here; `tests/backends/test_private_names.py` pins it. Without that attribute nothing is eased, and hypothesis itself
tells what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SETTINGS = "_hypothesis_internal_use_settings"


@contextmanager
def eased(test: Any, *, fixtures_are_reset: bool) -> Iterator[None]:
    """For a while, let a property use function-scoped fixtures, and have it no deadline that it did not ask for.

    The deadline of hypothesis' default profile, 200 ms, is meant for computations: an example here may be the one that
    waits for the application's startup, for a container, or for a busy server. Any other deadline is the user's.

    Args:
        test: the test, as pytest calls it.
        fixtures_are_reset: whether all its function-scoped fixtures are put back after each example.
    """
    function = getattr(test, "__func__", test)
    before = getattr(function, _SETTINGS, None)
    if before is None:
        yield
        return
    from hypothesis import HealthCheck, settings

    changes: dict[str, Any] = {}
    if fixtures_are_reset:
        checks = {*before.suppress_health_check, HealthCheck.function_scoped_fixture}
        changes["suppress_health_check"] = sorted(checks, key=lambda check: str(check.name))
    if before.deadline == settings.get_profile("default").deadline:
        changes["deadline"] = None
    setattr(function, _SETTINGS, settings(before, **changes))
    try:
        yield
    finally:
        setattr(function, _SETTINGS, before)


def accepts_shared_fixtures(test: Any) -> bool:
    """Tell whether the user has said that fixtures may live through all examples of a property."""
    from hypothesis import HealthCheck

    settings = getattr(getattr(test, "__func__", test), _SETTINGS, None)
    return settings is not None and HealthCheck.function_scoped_fixture in settings.suppress_health_check
