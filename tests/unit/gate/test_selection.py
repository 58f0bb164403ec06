"""Which rules judge a run, and which findings fail a test."""

from __future__ import annotations

import pytest

from harness.config.resolve import Value
from harness.errors import ConfigError
from harness.gate.selection import failing, select
from tests.support.rules import RULES, record


def value(*values: str, source: str = "pytest.ini") -> Value:
    """What a user has said."""
    return Value(values, source, given=True)


def selected(chosen: str = "stable", ignored: str = "") -> set[str]:
    """The codes that a choice gives."""
    return set(select(RULES, value(*chosen.split()), value(*ignored.split())))


def refused(chosen: str = "stable", ignored: str = "") -> ConfigError:
    """The error that a choice gives."""
    with pytest.raises(ConfigError) as caught:
        selected(chosen, ignored)
    assert caught.value.where == "pytest.ini"
    assert caught.value.remedy
    return caught.value


def test_the_default_is_every_stable_rule_that_is_not_opt_in() -> None:
    """As the word `stable` says."""
    assert {"H201", "H203", "H301", "H303", "H401", "H901"} == selected()


def test_a_code_and_a_prefix_select() -> None:
    """Together they add up."""
    assert {"H201"} == selected("H201")
    assert {"H201", "H203", "H401"} == selected("H2 H401")


def test_commas_separate_like_spaces() -> None:
    """As in other tools."""
    assert {"H201", "H301"} == selected("H201,H301")


@pytest.mark.parametrize("chosen", ["H305", "H30", "H3", "H"])
def test_an_unstable_rule_is_selected_by_code_and_by_prefix(chosen: str) -> None:
    """Whoever says so, has chosen it."""
    assert "H305" in selected(chosen)


def test_an_opt_in_rule_is_selected_by_its_full_code_only() -> None:
    """Beside the others, with `stable`."""
    assert "H403" not in selected("H4")
    assert "H403" not in selected("H")
    assert {"H403"} == selected("H403")
    assert selected() | {"H403"} == selected("stable H403")


def test_a_prefix_of_opt_in_rules_alone_is_refused() -> None:
    """It would silently select nothing; the remedy names them."""
    error = refused("H6")

    assert "harness_select 'H6' selects no rule" == error.fact
    assert "harness_select = stable H601" in (error.remedy or "")


def test_ignoring_wins() -> None:
    """However a rule was selected."""
    assert {"H303"} == selected("H301 H303", "H301")
    assert {"H201", "H203", "H401", "H901"} == selected("stable", "H3")


def test_all_rules_can_be_switched_off_by_saying_so() -> None:
    """With `H`."""
    assert set() == selected("stable", "H")
    assert set() == selected("H301", "H")


def test_nothing_left_by_accident_is_refused() -> None:
    """A gate that lets everything through must be meant."""
    error = refused("H301", "H3")

    assert "no rule is left to judge the tests" == error.fact
    assert "harness_ignore = H" in (error.remedy or "")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("H310", "did you mean H301 sync database call on the event loop?"),
        ("h301", "did you mean H301 sync database call on the event loop?"),
        ("H2O1", "H201 write never committed"),
        ("awaited", "did you mean H303 coroutine never awaited?"),
    ],
)
@pytest.mark.parametrize("option", ["harness_select", "harness_ignore"])
def test_an_unknown_name_lists_near_ones_and_all(name: str, near: str, option: str) -> None:
    """A slip of the finger, a small letter, a word of the title."""
    error = refused(name) if option == "harness_select" else refused("stable", name)

    assert f"{option} does not know the rule {name!r}" == error.fact
    assert near in (error.remedy or "")
    assert "valid: H201, H203\n" in (error.remedy or "")


def test_a_name_like_no_other_lists_all() -> None:
    """Without a guess."""
    assert (refused("everything").remedy or "").startswith("valid: H201")
    assert "stable" not in selected("H201")


@pytest.mark.parametrize(("fail_on", "expected"), [("error", ["H201"]), ("warning", ["H201", "H203"]), ("never", [])])
def test_what_fails_a_test(fail_on: str, expected: list[str]) -> None:
    """What is open, and severe enough; a piece of information never."""
    found = [
        record("H201"),
        record("H203", severity="warning"),
        record("H305", severity="info"),
        record("H301", suppressed="comment"),
    ]

    assert expected == [one.code for one in failing(found, fail_on)]
