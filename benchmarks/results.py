"""What a run of the benchmarks found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.clock import Samples

ISOLATION, WHOLE, ASYNC_WHOLE, STATEMENTS = "isolation", "whole test", "whole test, async client", "statements"
OBSERVATION, JUDGEMENT = "observation", "judgement"


@dataclass(slots=True)
class Results:
    """All figures.

    Attributes:
        machine: versions and load, to read the figures by.
        drivers: for each driver's name the samples of each part.
        clones: seconds that a test waits for a database of its own, and that a plain copy takes.
        trivial: seconds per test that uses no database.
        suite: seconds of the sample application's suite, with rules and without.
        properties: for each backend the seconds per example of a property.
        imports: seconds to load pytest and the plugin.
        heavy: heavy modules that the plugin loads.
    """

    machine: dict[str, Any]
    drivers: dict[str, dict[str, Samples]] = field(default_factory=dict)
    clones: Samples = field(default_factory=Samples)
    trivial: Samples = field(default_factory=Samples)
    suite: Samples = field(default_factory=Samples)
    properties: dict[str, Samples] = field(default_factory=dict)
    imports: Samples = field(default_factory=Samples)
    heavy: list[str] = field(default_factory=list)

    def samples(self, part: str) -> list[tuple[str, Samples]]:
        """Return (driver's name, samples) of every driver for which a part was measured."""
        return [(driver, parts[part]) for driver, parts in self.drivers.items() if part in parts]
