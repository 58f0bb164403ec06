"""The rules of this run, and what the user has accepted: read once from the options, before the first test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.config.codes import Known
from harness.config.settings import Settings
from harness.detectors.catalogue import all_rules
from harness.detectors.rule import Rule
from harness.gate.allowances import Allowances
from harness.gate.baseline import Baseline, open_baseline
from harness.gate.patterns import patterns_from
from harness.gate.selection import known_codes, select
from harness.queries.ledger import QueryLedger, open_ledger


@dataclass(frozen=True, slots=True)
class Rules:
    """What judges this run.

    Attributes:
        all: every rule there is.
        known: their codes and names.
        selected: the codes of those that judge.
        allowances: what is accepted.
        baseline: the file of accepted findings, if there is one.
        ledger: the file of how many statements tests send, if there is one.
    """

    all: tuple[Rule, ...]
    known: Known
    selected: frozenset[str]
    allowances: Allowances
    baseline: Baseline | None
    ledger: QueryLedger | None


def rules_of(settings: Settings, root: Path) -> Rules:
    """Return the rules that the settings ask for.

    Raises:
        ConfigError: an option names no rule, or the baseline or the query ledger cannot be used.
    """
    rules = tuple(all_rules())
    known = known_codes(rules)
    selected = select(rules, settings.sources["select"], settings.sources["ignore"])
    baseline = None
    if settings.baseline is not None:
        source = settings.source("baseline")
        baseline = open_baseline(settings.baseline, root, updating=settings.baseline_update, source=source)
    ledger = None
    if settings.queries is not None:
        source = settings.source("queries")
        ledger = open_ledger(settings.queries, root, recording=settings.queries_record, source=source)
    patterns = patterns_from(settings.sources["allow"], known)
    return Rules(rules, known, selected, Allowances(root, known, selected, patterns, baseline), baseline, ledger)
