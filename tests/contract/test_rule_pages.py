"""The rules' pages in `docs/rules/` are what the rules say of themselves."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

import harness
from harness.detectors.catalogue import all_rules
from harness.detectors.rule import Rule
from harness.report.explain import pages

FOLDER = Path(harness.__file__).parent.parent / "docs/rules"
WRITE = "write them anew: python -m harness.report.explain docs/rules"
every_rule = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)


def test_the_pages_are_up_to_date() -> None:
    """All of them, and no other."""
    expected = pages(all_rules())
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}

    assert sorted(expected) == sorted(found), WRITE
    assert [] == [name for name, text in expected.items() if found[name] != text], WRITE


def test_codes_and_names_are_unique() -> None:
    """A code is never used twice; a name tells rules apart for a reader."""
    codes, names = [rule.code for rule in all_rules()], [rule.name for rule in all_rules()]

    assert sorted(set(codes)) == codes
    assert len(set(names)) == len(names)


@every_rule
def test_every_manual_is_complete(rule: Rule) -> None:
    """What, why, a remedy, wrong and right code that differ, and where it is found."""
    assert all((rule.what, rule.why, rule.fix, rule.wrong.strip(), rule.right.strip(), rule.since))
    assert rule.wrong != rule.right
    assert not rule.name.endswith(".")


@every_rule
def test_wrong_and_right_code_is_python(rule: Rule) -> None:
    """So that a reader can take it as it stands."""
    for text in (rule.wrong, rule.right):
        ast.parse(dedent(text), f"<{rule.code}>")
