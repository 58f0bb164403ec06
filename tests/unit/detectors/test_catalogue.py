"""The table of all rules, and what holds for each of them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
import textwrap

import pytest

import harness.detectors
from harness.detectors.catalogue import all_rules, graph_inspectors, rule, runtime_detectors
from harness.detectors.rule import Rule
from harness.graph.facts import AppGraph
from tests.support.tapes import VERSIONS, Story

RULES = all_rules()
CODES = [rule.code for rule in RULES]
FAMILIES = {
    "H1": "sharing",
    "H2": "transactions",
    "H3": "asynchrony",
    "H4": "connections",
    "H5": "loading",
    "H6": "migrations",
    "H9": "upkeep",
}
every_rule = pytest.mark.parametrize("known", RULES, ids=CODES)


def test_every_rule_of_the_folders_is_in_the_table_and_in_order() -> None:
    """A file that nobody lists would judge nothing."""
    names = [module.name for module in pkgutil.walk_packages(harness.detectors.__path__, "harness.detectors.")]
    found = {
        module.RULE.code: name
        for name in names
        if name.count(".") == 3 and hasattr(module := importlib.import_module(name), "RULE")
    }

    assert sorted(found) == CODES
    assert [] == [(code, name) for code, name in found.items() if name.split(".")[2] != FAMILIES[code[:2]]]


def test_codes_and_names_tell_rules_apart() -> None:
    """Both are used to select."""
    assert len(RULES) == len({known.code for known in RULES}) == len({known.name for known in RULES})
    assert [known is rule(known.code) for known in RULES] == [True] * len(RULES)


def test_an_unknown_code_is_a_key_error() -> None:
    """Whoever reads codes from a user asks `harness.config.codes` first."""
    with pytest.raises(KeyError):
        rule("H999")


@every_rule
def test_the_manual_is_complete(known: Rule) -> None:
    """All its texts are there, in one style."""
    texts = (known.name, known.what, known.why, known.fix, *known.quiet)

    assert [] == [text for text in texts if not text.strip() or text != text.strip() or "\n" in text]
    assert known.quiet
    assert [] == [text for text in (known.name, known.why, known.fix, *known.quiet) if text.endswith(".")]
    assert known.what.endswith(".")


@every_rule
def test_the_examples_are_python(known: Rule) -> None:
    """And are written as a block, so that they can be shown as they are."""
    for example in (known.wrong, known.right):
        assert example.startswith("\n")
        ast.parse(textwrap.dedent(example))
    assert known.wrong != known.right


@every_rule
def test_an_empty_tape_and_an_empty_graph_have_no_finding(known: Rule) -> None:
    """A test that touches nothing, and an application without a dependency."""
    assert [] == [finding for detect in runtime_detectors([known.code]) for finding in detect(Story().tape, VERSIONS)]
    assert [] == [finding for look in graph_inspectors([known.code]) for finding in look(AppGraph(), VERSIONS)]


@every_rule
def test_what_a_rule_says_of_its_layers_is_so(known: Rule) -> None:
    """Rules of the gate and of the migrations are asked by whoever has their facts."""
    asked_elsewhere = {"H601", "H901"}

    assert known.graph == bool(graph_inspectors([known.code]))
    if known.code not in asked_elsewhere:
        assert known.runtime == bool(runtime_detectors([known.code]))


def test_judging_twice_finds_the_same() -> None:
    """A detector changes nothing of what it judges."""
    story = Story()
    request = story.request()
    db = story.session(request)
    story.sql(db, "INSERT INTO items VALUES (?)")
    story.respond(request, 201)
    story.end(request)
    once, again = (
        [
            (finding.rule.code, finding.message)
            for detect in runtime_detectors(CODES)
            for finding in detect(story.tape, VERSIONS)
        ]
        for _ in range(2)
    )

    assert ["H201", "H401"] == [code for code, _ in once]
    assert once == again


def test_the_table_is_imported_late_and_alone() -> None:
    """The plugin does not need it to be loaded, and it needs none of the libraries that it judges."""
    script = (
        "import sys, harness.plugin\n"
        "assert 'harness.detectors' not in sys.modules\n"
        "import harness.detectors.catalogue\n"
        "assert not {'sqlalchemy', 'fastapi', 'starlette'} & set(sys.modules)\n"
    )

    assert 0 == subprocess.run([sys.executable, "-c", script], check=False).returncode
