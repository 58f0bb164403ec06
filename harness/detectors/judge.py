"""From facts to findings: every selected rule looks at the tape, and each root cause is told once."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from harness.detectors.catalogue import Detector, graph_inspectors, runtime_detectors
from harness.detectors.finding import Finding
from harness.detectors.root_cause import merge
from harness.detectors.versions import Versions
from harness.graph.facts import AppGraph
from harness.observe.tape import Tape


def judge(tape: Tape, codes: Collection[str], versions: Versions) -> list[Finding]:
    """Return what the rules with these codes find in a test."""
    if tape.empty:
        return []
    return merge([finding for detect in _detectors(frozenset(codes)) for finding in detect(tape, versions)])


@cache
def _detectors(codes: frozenset[str]) -> list[Detector]:
    return runtime_detectors(codes)


def judge_graph(graph: AppGraph, codes: Collection[str], versions: Versions) -> list[Finding]:
    """Return what the rules with these codes find in an application's dependency tree and source."""
    return [finding for inspect in graph_inspectors(codes) for finding in inspect(graph, versions)]
