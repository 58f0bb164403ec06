"""The pairs as documents: complete, comparable, and told apart by nothing but the mistake."""

from __future__ import annotations

import ast
import difflib
from typing import get_args

import pytest

from harness.detectors.catalogue import all_rules
from sample_app.pitfalls.catalogue import PAIRS
from sample_app.pitfalls.pair import Meeting, Pair, Side
from tests.pitfalls.runs import PITFALLS

every_pair = pytest.mark.parametrize("pair", [pytest.param(pair, id=pair.name) for pair in PAIRS])

#: How much of both sides is the same, at least, for a reader to see two versions of one module.
ALIKE = 0.5


def code_of(pair: Pair, side: Side) -> list[str]:
    """Return a side's code without its docstring and comments, line by line."""
    tree = ast.parse(pair.source(side).read_text())
    if ast.get_docstring(tree):
        del tree.body[0]
    return ast.unparse(tree).splitlines()


def routes_of(pair: Pair, side: Side) -> set[tuple[str, str]]:
    schema: dict[str, dict[str, object]] = pair.app(side).openapi()["paths"]
    return {(method, path) for path, methods in schema.items() for method in methods}


@every_pair
def test_the_mistake_is_marked(pair: Pair) -> None:
    """Every kind of route that a pair has, or its source, has a line marked with the pair's rule."""
    met = {met for met in get_args(Meeting) for mark in pair.marks(met) if mark.code == pair.code}

    assert met <= {"graph", "override"} or set(pair.variants) <= met
    assert met or pair.code == "H601", "nothing but a migration is missing there"


@every_pair
def test_both_sides_have_the_same_routes(pair: Pair) -> None:
    """What the wrong application offers, the right one offers too."""
    assert routes_of(pair, "wrong") <= routes_of(pair, "right")


@every_pair
def test_the_sides_differ_by_little(pair: Pair) -> None:
    """Read side by side, the two are one module with and without the mistake."""
    wrong, right = code_of(pair, "wrong"), code_of(pair, "right")
    assert wrong != right or pair.code == "H901"
    assert difflib.SequenceMatcher(None, wrong, right, autojunk=False).ratio() >= ALIKE


def test_the_lessons_pairs_keep_their_names() -> None:
    """The three mistakes of the lesson are pairs of their own."""
    names = [pair.name for pair in PAIRS if pair.name.startswith("lesson/")]

    assert names == ["lesson/forgotten_commit", "lesson/global_session", "lesson/mixing_async_and_sync"]


def test_every_rule_has_a_pair() -> None:
    """No rule without an example; only H902 is about harness and not about an application."""
    assert {rule.code for rule in all_rules()} - {pair.code for pair in PAIRS} == {"H902"}


@every_pair
def test_the_table_names_every_pair(pair: Pair) -> None:
    """A reader finds each folder in README.md."""
    assert f"[`{pair.name}`]({pair.name})" in (PITFALLS / "README.md").read_text()
