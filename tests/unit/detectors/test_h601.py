"""H601: models and migrations differ."""

from __future__ import annotations

from harness.detectors.migrations.models_and_migrations_differ import RULE, compare
from tests.support.tapes import told


def test_each_difference_is_a_finding() -> None:
    """No line of code is to blame; the difference tells them apart."""
    findings = list(compare(["add column items.price", "remove table old", "add column items.price"]))

    assert [
        "H601 the models and the migrated database differ: add column items.price @ None",
        "H601 the models and the migrated database differ: remove table old @ None",
    ] == told(findings)
    assert ["add column items.price", "remove table old"] == [finding.subject for finding in findings]


def test_no_difference_is_no_finding() -> None:
    """And the rule must be asked for, as it migrates a database."""
    assert [] == list(compare([]))
    assert RULE.opt_in
