"""The budgets, and whether the figures keep them. A verdict is printed and stored; nothing fails because of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import clones, observation, properties, suite, trivial, whole
from benchmarks.clock import Samples
from benchmarks.drivers import backend_of
from benchmarks.imports import PLUGIN
from benchmarks.isolation import HARNESS, RECIPE, RECIPE_EACH, UNISOLATED
from benchmarks.results import ISOLATION, JUDGEMENT, OBSERVATION, WHOLE, Results

ISOLATED_TO_UNISOLATED = 1.0
OVERHEAD_TO_RECIPES = 0.3
WHOLE_TO_WRITTEN = 0.6
TRIVIAL_SECONDS = 50e-6
IMPORT_SECONDS = 15e-3
JUDGED_TO_UNJUDGED = 1.05
WAIT_TO_COPY = {"sqlite": 2.0, "postgresql": 0.1}
EXAMPLE_TO_SAVEPOINT = 1.3
OBSERVED_TO_UNOBSERVED = {observation.ORM: 1.15, observation.CORE: 1.3}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One budget: what was measured against what is allowed."""

    what: str
    measured: str
    allowed: str
    within: bool

    def __str__(self) -> str:
        return "within budget" if self.within else "OVER"


def verdicts(results: Results) -> list[Verdict]:
    """Judge every budget for which there are figures."""
    return [
        *_isolation(results),
        *_whole(results),
        *_observation(results),
        *_judgement(results),
        *_clones(results),
        *_trivial(results),
        *_properties(results),
        *_imports(results),
    ]


def relative_overhead(samples: Samples, recipe: str) -> float:
    """Return harness's overhead as a part of a recipe's; overhead is what is added to the unisolated body."""
    recipes = samples.over(recipe, UNISOLATED)
    own = samples.over(HARNESS, UNISOLATED)
    if own <= 0:
        return 0.0  # no overhead at all
    return own / recipes if recipes > 0 else float("inf")


def _isolation(results: Results) -> Iterator[Verdict]:
    for driver, samples in results.samples(ISOLATION):
        if backend_of(driver) == "postgresql":
            ratio = samples.ratio(HARNESS, UNISOLATED)
            what = f"{driver}: isolated / unisolated test"
            yield Verdict(what, f"{ratio:.2f}", f"{ISOLATED_TO_UNISOLATED:.2f}", ratio <= ISOLATED_TO_UNISOLATED)
            continue
        for recipe in (RECIPE, RECIPE_EACH):
            ratio = relative_overhead(samples, recipe)
            what = f"{driver}: overhead / of the {recipe}"
            yield Verdict(what, f"{ratio:.2f}", f"{OVERHEAD_TO_RECIPES:.2f}", ratio <= OVERHEAD_TO_RECIPES)


def _whole(results: Results) -> Iterator[Verdict]:
    for driver, samples in results.samples(WHOLE):
        ratio = samples.ratio(HARNESS, whole.WRITTEN)
        what = f"{driver}: whole test / recipe with TestClient"
        yield Verdict(what, f"{ratio:.2f}", f"{WHOLE_TO_WRITTEN:.2f}", ratio <= WHOLE_TO_WRITTEN)


def _observation(results: Results) -> Iterator[Verdict]:
    for driver, samples in results.samples(OBSERVATION):
        for kind, allowed in OBSERVED_TO_UNOBSERVED.items():
            observed, without = (observation.name(kind, how) for how in (observation.OBSERVED, observation.UNOBSERVED))
            ratio = samples.ratio(observed, without)
            yield Verdict(f"{driver}: {kind}, observed / not", f"{ratio:.2f}", f"{allowed:.2f}", ratio <= allowed)


def _judgement(results: Results) -> Iterator[Verdict]:
    allowed = JUDGED_TO_UNJUDGED
    for driver, samples in results.samples(JUDGEMENT):
        ratio = samples.ratio(observation.JUDGED, observation.UNJUDGED)
        what = f"{driver}: whole test, all stable rules / none"
        yield Verdict(what, f"{ratio:.2f}", f"{allowed:.2f}", ratio <= allowed)
    for clock in suite.CLOCKS if results.suite.rounds else ():
        ratio = results.suite.ratio(suite.name(clock, suite.JUDGED), suite.name(clock, suite.UNJUDGED))
        what = f"sample_app's suite, all stable rules / none, {clock}"
        yield Verdict(what, f"{ratio:.2f}", f"{allowed:.2f}", ratio <= allowed)


def _clones(results: Results) -> Iterator[Verdict]:
    for backend, allowed in WAIT_TO_COPY.items():
        waits, plain = clones.names(backend)
        if waits in results.clones.rounds:
            ratio = results.clones.ratio(waits, plain)
            yield Verdict(f"{waits} / a plain copy", f"{ratio:.3f}", f"{allowed:.1f}", ratio <= allowed)


def _trivial(results: Results) -> Iterator[Verdict]:
    for variant in trivial.VARIANTS if results.trivial.rounds else ():
        extra = results.trivial.over(*trivial.with_and_without(variant))
        what = f"a test without a database, {variant}: extra"
        yield Verdict(what, f"{extra * 1e6:.0f} µs", f"{TRIVIAL_SECONDS * 1e6:.0f} µs", extra <= TRIVIAL_SECONDS)


def _properties(results: Results) -> Iterator[Verdict]:
    for backend, samples in results.properties.items():
        ratio = samples.ratio(properties.ISOLATED, properties.BY_HAND)
        what = f"{backend}: {properties.EXAMPLES} examples / savepoints by hand"
        yield Verdict(what, f"{ratio:.2f}", f"{EXAMPLE_TO_SAVEPOINT:.2f}", ratio <= EXAMPLE_TO_SAVEPOINT)


def _imports(results: Results) -> Iterator[Verdict]:
    if not results.imports.rounds:
        return
    taken = results.imports.median(PLUGIN)
    limit = f"{IMPORT_SECONDS * 1e3:.0f} ms"
    yield Verdict("importing the plugin, over pytest", f"{taken * 1e3:.1f} ms", limit, taken <= IMPORT_SECONDS)
    yield Verdict("heavy modules it loads", ", ".join(results.heavy) or "none", "none", not results.heavy)
