"""The table of all rules. Nothing needs it before the first test runs, or an option names a rule."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from types import ModuleType

from harness.detectors.asynchrony import (
    annotation_mismatch,
    blocking_call,
    coroutine_not_awaited,
    expires_on_commit,
    implicit_io,
    sync_and_async_engines,
)
from harness.detectors.connections import (
    connection_not_returned,
    engine_per_request,
    held_during_background,
    held_during_external_call,
    leaks_when_cancelled,
    pool_settings,
    returned_by_garbage_collection,
    second_connection,
)
from harness.detectors.finding import Finding
from harness.detectors.loading import (
    detached_object,
    lazy_loads_in_endpoint,
    lazy_loads_in_serialization,
    stale_object,
)
from harness.detectors.migrations import models_and_migrations_differ
from harness.detectors.rule import Rule
from harness.detectors.sharing import (
    abandoned_session_generator,
    session_as_default,
    session_in_background_task,
    session_outlives_request,
    session_shared_by_overlapping_requests,
    session_shared_by_requests,
    session_shared_by_sibling_tasks,
    session_used_after_close,
    session_used_by_two_tasks_at_once,
)
from harness.detectors.signs import ALL
from harness.detectors.transactions import (
    changes_never_committed,
    commit_after_response,
    commit_failed_after_response,
    commit_on_error,
    core_write_never_committed,
    error_swallowed,
    partial_work,
    write_never_committed,
)
from harness.detectors.upkeep import listener_disabled, order_by_frozen_time, override_hides_finding, unused_allowance
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph
from harness.observe.tape import Tape

Detector = Callable[[Tape, Versions], Iterator[Finding]]
Inspector = Callable[[AppGraph, Versions], Iterator[Finding]]

#: One module per rule, in the order of their codes.
_MODULES: tuple[ModuleType, ...] = (
    session_shared_by_requests,
    session_shared_by_overlapping_requests,
    session_used_by_two_tasks_at_once,
    session_shared_by_sibling_tasks,
    session_in_background_task,
    session_outlives_request,
    session_used_after_close,
    abandoned_session_generator,
    session_as_default,
    write_never_committed,
    changes_never_committed,
    commit_after_response,
    commit_failed_after_response,
    commit_on_error,
    error_swallowed,
    partial_work,
    core_write_never_committed,
    blocking_call,
    implicit_io,
    coroutine_not_awaited,
    sync_and_async_engines,
    expires_on_commit,
    annotation_mismatch,
    connection_not_returned,
    returned_by_garbage_collection,
    leaks_when_cancelled,
    second_connection,
    held_during_external_call,
    engine_per_request,
    held_during_background,
    pool_settings,
    stale_object,
    lazy_loads_in_endpoint,
    lazy_loads_in_serialization,
    detached_object,
    models_and_migrations_differ,
    unused_allowance,
    listener_disabled,
    override_hides_finding,
    order_by_frozen_time,
)


@cache
def _table() -> dict[str, ModuleType]:
    return {module.RULE.code: module for module in _MODULES}


def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in the order of their codes."""
    return tuple(module.RULE for module in _MODULES)


def rule(code: str) -> Rule:
    """Return the rule with a code.

    Raises:
        KeyError: no rule has it.
    """
    found: Rule = _table()[code].RULE
    return found


def runtime_detectors(codes: Collection[str], shown: int = ALL) -> list[Detector]:
    """Return, of the rules with these codes, the functions that judge a tape that shows these signs."""
    return [module.detect for module in _having("detect", codes) if module.SIGNS & shown]


def graph_inspectors(codes: Collection[str]) -> list[Inspector]:
    """Return, of the rules with these codes, the functions that judge an application's dependency tree and source."""
    return [module.inspect for module in _having("inspect", codes)]


def _having(function: str, codes: Collection[str]) -> Iterable[ModuleType]:
    return (module for code, module in _table().items() if code in codes and hasattr(module, function))
