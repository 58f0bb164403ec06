"""Which rules judge this run, and which of their findings fail a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.config.codes import Known, covered, split, unknown_rule
from harness.config.resolve import Value
from harness.detectors.rule import Rule
from harness.errors import ConfigError
from harness.gate.record import Record

#: The word for what is selected when nobody says anything.
STABLE = "stable"


def known_codes(rules: Iterable[Rule]) -> Known:
    """Return the codes of the rules with their titles."""
    return {rule.code: rule.name for rule in sorted(rules, key=lambda rule: rule.code)}


def select(rules: Sequence[Rule], chosen: Value, ignored: Value) -> frozenset[str]:
    """Return the codes of the rules that judge this run.

    `stable` stands for all stable rules. A code or a prefix selects also what is not stable yet. A rule that is opt-in
    must be named by its full code. What is ignored is ignored, however it was selected.

    Args:
        rules: the catalogue.
        chosen: `harness_select`.
        ignored: `harness_ignore`.

    Raises:
        ConfigError: a name is no rule's, or no rule is left although nobody asked for that with `H`.
    """
    known = known_codes(rules)
    selected = {code for name in split(chosen.values) for code in _selected(name, rules, known, chosen.source)}
    dropped = {code for name in split(ignored.values) for code in _named(name, known, "harness_ignore", ignored.source)}
    left = frozenset(selected - dropped)
    if not left and "H" not in split(ignored.values):
        raise _nothing_left(chosen, ignored)
    return left


def failing(records: Iterable[Record], fail_on: str) -> list[Record]:
    """Return the findings that fail their test: those nobody accepted, at least as severe as `harness_fail_on`."""
    enough = {"error": ("error",), "warning": ("error", "warning"), "never": ()}[fail_on]
    return [record for record in records if record.suppressed is None and record.severity in enough]


def _selected(name: str, rules: Sequence[Rule], known: Known, source: str) -> Iterable[str]:
    if name == STABLE:
        return [rule.code for rule in rules if rule.stable and not rule.opt_in]
    if name in known:
        return [name]
    asked_for = {rule.code for rule in rules if rule.opt_in}
    codes = set(_named(name, known, "harness_select", source)) - asked_for
    if not codes:
        raise ConfigError(
            f"harness_select {name!r} selects no rule",
            where=source,
            why="rules that are opt-in are selected by their full code only",
            remedy=f"name them: harness_select = {STABLE} {' '.join(covered(name, known))}",
        )
    return codes


def _named(name: str, known: Known, option: str, source: str) -> tuple[str, ...]:
    codes = covered(name, known)
    if not codes:
        raise unknown_rule(option, name, known, source)
    return codes


def _nothing_left(chosen: Value, ignored: Value) -> ConfigError:
    return ConfigError(
        "no rule is left to judge the tests",
        where=" and ".join(dict.fromkeys(value.source for value in (chosen, ignored) if value.given)) or None,
        why=f"harness_select is {' '.join(chosen.values)!r} and harness_ignore is {' '.join(ignored.values)!r}",
        remedy="take back one of the two\nor switch all rules off: harness_ignore = H",
    )
