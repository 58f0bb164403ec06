"""The manual of the rules, in the terminal and as pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.detectors.rule import Rule, Severity
from harness.errors import ConfigError
from harness.report import explain as room
from harness.report.explain import explain, index, manual, markdown, pages
from tests.support.rules import RULES, rule

FULL = Rule(
    code="H203",
    name="commit after the response",
    severity=Severity.WARNING,
    what="A dependency commits after its yield, and the client has been told before that all went well. " * 2,
    why="reading back at once finds nothing in __dict__ or db_session",
    fix="commit in the endpoint\ndb.commit() before the return",
    wrong="""
        def get_db():
            yield db
            db.commit()
    """,
    right="""
        def get_db():
            yield db
    """,
    quiet=("a dependency with Session | AsyncSession, and a sentence that is so long that it needs a second line", "b"),
    graph=True,
    since="0.2",
)


def test_a_manual_has_everything_there_is_to_say() -> None:
    """In this order, indented, and no wider than a terminal."""
    text = manual(FULL)
    titles = [line for line in text.splitlines()[1:] if line and not line.startswith(" ")]

    assert text.startswith("H203  commit after the response\n")
    expected = ["What", "Why", "Wrong", "Right", "Fix", "Not reported", "Severity", "Found", "Select", "Allow"]
    assert expected == titles
    assert max(map(len, text.splitlines())) <= 88


def test_code_is_shown_as_it_is_written() -> None:
    """Without the indentation of the rule's own file."""
    assert "Wrong\n  def get_db():\n      yield db\n      db.commit()\n\nRight\n" in manual(FULL)
    assert "```python\ndef get_db():\n    yield db\n    db.commit()\n```" in markdown(FULL)


def test_look_alikes_are_a_list_and_several_remedies_several_lines() -> None:
    """Further lines of one are indented."""
    text = manual(FULL)

    assert "\n  - a dependency with" in text
    assert "\n    needs a second line\n  - b\n" in text
    assert "\n  commit in the endpoint\n  db.commit() before the return\n" in text


@pytest.mark.parametrize(
    "way",
    [
        "# harness: allow[H203] reason",
        '@pytest.mark.harness(allow=["H203"])',
        "harness_allow = H203:app/legacy/*",
        "harness_ignore = H203",
    ],
)
def test_every_way_to_allow_is_shown(way: str) -> None:
    """In the terminal and on the page."""
    assert way in manual(FULL)
    assert f"`{way}`" in markdown(FULL)


def test_a_rule_that_no_test_meets_is_not_allowed_by_a_tests_marker() -> None:
    """That would never accept anything."""
    assert "@pytest.mark" not in manual(rule("H305", runtime=False, graph=True))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"severity": Severity.ERROR}, "error: fails the test in which it arises"),
        ({"severity": Severity.WARNING}, "warning: is summarised; fails the test with harness_fail_on = warning"),
        ({"severity": Severity.INFO}, "info: is shown with -v, and never fails a test"),
        ({"graph": True}, "while tests run and in the application's dependency tree and source; since version 0.2"),
        ({"opt_in": True}, "opt-in, by its full code only: harness_select = stable H203"),
        ({"stable": False}, "unstable, not part of the default: harness_select = stable H203"),
        ({}, "part of the default selection"),
    ],
)
def test_severity_layer_and_selection_are_told(others: dict[str, Any], said: str) -> None:
    """Whoever reads the manual decides what to do about it."""
    assert said in manual(rule("H203", **others))
    assert said in markdown(rule("H203", **others)).replace("\\", "")


def test_markdown_shows_what_is_written() -> None:
    """Names of Python keep their underscores, and a bar its meaning; a sentence begins and ends like one."""
    text = markdown(FULL)

    assert r"**Why.** Reading back at once finds nothing in \_\_dict\_\_ or db_session." in text
    assert r"Session \| AsyncSession" in text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_prefix_lists_a_family() -> None:
    """One line a rule, with what is special about it."""
    text = explain(["H3"], RULES)

    assert [
        "H3  Sync and async",
        "  H301  error    sync database call on the event loop",
        "  H303  error    coroutine never awaited",
        "  H305  info     async session expires on commit (unstable)",
        "",
        "--harness-explain CODE prints the manual of one.",
    ] == text.splitlines()
    assert "  H403  error    leaks when cancelled (opt-in)" in explain(["H"], RULES)


def test_several_names_are_explained_together() -> None:
    """Also with commas."""
    assert explain(["H201,H301"], RULES) == explain(["H201", "H301"], RULES)
    assert ["H201", "H301"] == [line[:4] for line in explain(["H201,H301"], RULES).splitlines() if line[:1] == "H"]


def test_an_unknown_name_is_refused_with_near_ones() -> None:
    """As an error of the option."""
    with pytest.raises(ConfigError, match="--harness-explain does not know the rule 'H310'") as caught:
        explain(["H310"], RULES)

    assert (caught.value.remedy or "").startswith("did you mean H301")


def test_the_index_links_to_every_page() -> None:
    """By family."""
    text = index(RULES)

    assert "## H2: Transactions\n\n| code | rule | severity |\n|---|---|---|\n| [H201](H201.md) | write" in text
    assert {f"{one.code}.md" for one in RULES} | {"README.md"} == set(pages(RULES))
    assert all(f"]({name})" in text for name in pages(RULES) if name != "README.md")


def test_the_generator_writes_all_pages_and_removes_those_of_rules_that_are_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And leaves other files alone."""
    folder = tmp_path / "docs/rules"
    folder.mkdir(parents=True)
    for name in ("H999.md", "HOWTO.md"):
        (folder / name).write_text("old")

    assert 0 == room.main([str(folder)])
    assert "pages in" in capsys.readouterr().out
    assert (folder / "H201.md").read_text().startswith("# H201: write never committed\n")
    assert (folder / "HOWTO.md").exists()
    assert not (folder / "H999.md").exists()


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--help"]])
def test_the_generator_says_how_it_is_called(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And writes nothing."""
    assert 2 == room.main(arguments)
    assert "usage: python -m harness.report.explain DIRECTORY" in capsys.readouterr().err
