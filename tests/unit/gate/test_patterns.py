"""`harness_allow`: findings accepted by rule and path."""

from __future__ import annotations

import pytest

from harness.config.resolve import Value
from harness.errors import ConfigError
from harness.gate.patterns import Pattern, patterns_from
from tests.support.rules import KNOWN, record


def patterns(*texts: str) -> tuple[Pattern, ...]:
    """The patterns of an option."""
    return patterns_from(Value(texts, "pytest.ini", given=True), KNOWN)


@pytest.mark.parametrize(
    ("text", "path", "accepted"),
    [
        ("H301:app/main.py", "app/main.py", True),
        ("H301:app/main.py", "app/main_old.py", False),
        ("H301:app/legacy/*", "app/legacy/a/b.py", True),
        ("H301:app/legacy/*", "app/main.py", False),
        ("H301:app/legacy", "app/legacy/a.py", True),
        ("H301:app/legacy/", "app/legacy/a.py", True),
        ("H301:app/leg", "app/legacy/a.py", False),
        ("H301:./app/*", "app/main.py", True),
        ("H301:app\\legacy\\*", "app/legacy/a.py", True),
        ("H301:app/**/main.py", "app/main.py", True),
        ("H301:app/**/main.py", "app/a/b/main.py", True),
        ("H3:app/*", "app/main.py", True),
        ("H:*", "app/main.py", True),
        ("H201:app/*", "app/main.py", False),
        ("H301:*", None, True),
        ("H301:app/*", None, False),
    ],
)
def test_which_findings_a_pattern_accepts(text: str, path: str | None, accepted: bool) -> None:
    """`*` stands for any characters, a folder for all below it; a finding without a place is everywhere."""
    (pattern,) = patterns(text)

    assert accepted == pattern.accepts(record("H301", path))


def test_several_codes_may_share_a_path() -> None:
    """Each is a pattern of its own, so that each can be told to be unused."""
    assert ["H301:app/*", "H2:app/*"] == [str(pattern) for pattern in patterns("H301,H2:app/*")]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("H301", "harness_allow 'H301' names no path"),
        ("H301:", "harness_allow 'H301:' names no path"),
        ("H301: ", "harness_allow 'H301: ' names no path"),
        (":app/*", "harness_allow ':app/*' names no rule"),
        ("app/*", "harness_allow 'app/*' names no rule"),
        ("H310:app/*", "harness_allow does not know the rule 'H310'"),
    ],
)
def test_a_pattern_without_rule_or_path_is_refused(text: str, fact: str) -> None:
    """With the option's source and a remedy."""
    with pytest.raises(ConfigError) as caught:
        patterns(text)

    assert fact == caught.value.fact
    assert "pytest.ini" == caught.value.where
    assert caught.value.remedy
