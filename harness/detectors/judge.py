"""From facts to findings: every selected rule looks at the tape, and each root cause is told once."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from harness.detectors.catalogue import Detector, graph_inspectors, runtime_detectors
from harness.detectors.finding import Finding
from harness.detectors.root_cause import merge
from harness.detectors.signs import signs_of
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph
from harness.observe.tape import Tape


def judge(tape: Tape, codes: Collection[str], versions: Versions) -> list[Finding]:
    """Return what the rules with these codes find in a test."""
    shown = 0 if tape.empty else signs_of(tape)
    if not shown:
        return []
    asked = _detectors(frozenset(codes), shown)
    return merge([finding for detect in asked for finding in detect(tape, versions)])


@lru_cache
def _detectors(codes: frozenset[str], shown: int) -> list[Detector]:
    return runtime_detectors(codes, shown)


def judge_graph(graph: AppGraph, codes: Collection[str], versions: Versions) -> list[Finding]:
    """Return what the rules with these codes find in an application's dependency tree and source."""
    return [finding for inspect in graph_inspectors(codes) for finding in inspect(graph, versions)]
