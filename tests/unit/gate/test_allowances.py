"""What the user has accepted, and what of that nothing needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from harness.config.markers import Allow, Request
from harness.gate.allowances import Allowances, Unused
from harness.gate.baseline import Baseline, open_baseline
from harness.gate.patterns import Pattern
from harness.gate.sources import loaded_sources
from tests.support.rules import KNOWN, record

STABLE = frozenset({"H201", "H203", "H301", "H303", "H401", "H901"})


def allowances(
    root: Path,
    *patterns: Pattern,
    baseline: Baseline | None = None,
    selected: frozenset[str] = STABLE,
    **sources: str,
) -> Allowances:
    """Those of a project with some source files; `app__main` is `app/main.py`."""
    for name, text in sources.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip())
    return Allowances(root, KNOWN, selected, patterns, baseline)


def marked(*allow: str, expect: Sequence[str] = (), holder: str = "t.py::test", shared: bool = False) -> Request:
    """What a marker says."""
    return Request(allow=tuple(Allow(code, holder, shared) for code in allow), expect=tuple(expect))


def baseline_of(root: Path, *codes: str) -> Baseline:
    """A baseline that accepts findings of these rules."""
    written = open_baseline("b.json", root, updating=True, source="")
    written.update([record(code) for code in codes], "0.2", lambda entry: True)
    return open_baseline("b.json", root, updating=False, source="")


def texts(unused: Sequence[Unused]) -> list[str]:
    """Where and what."""
    return [f"{one.where} {one.text}" for one in unused]


COMMENTED = """
    def f():
        a()
        b()  # harness: allow[H301] legacy
"""


# -- accepting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["H301", "H30", "H3", "H"])
def test_a_marker_accepts_by_code_or_prefix(tmp_path: Path, code: str) -> None:
    """And nothing else."""
    found = allowances(tmp_path).judge([record("H301"), record("H201")], marked(code)).records

    assert ["marker", "marker" if code == "H" else None] == [one.suppressed for one in found]


def test_a_comment_accepts_at_its_line(tmp_path: Path) -> None:
    """And no other rule or line."""
    judge = allowances(tmp_path, app__main=COMMENTED).judge
    found = judge([record("H301", line=3), record("H301", line=2), record("H201", line=3)]).records

    assert ["comment", None, None] == [one.suppressed for one in found]


def test_a_pattern_and_the_baseline_accept(tmp_path: Path) -> None:
    """By path, and by fingerprint."""
    judge = allowances(tmp_path, Pattern("H301", "app/*"), baseline=baseline_of(tmp_path, "H201")).judge
    found = judge([record("H301"), record("H201"), record("H401")]).records

    assert ["ini", "baseline", None] == [one.suppressed for one in found]


def test_the_closest_acceptance_is_named_and_all_are_needed(tmp_path: Path) -> None:
    """Else each of two would be called superfluous because of the other."""
    both = allowances(tmp_path, Pattern("H301", "app/*"), baseline=baseline_of(tmp_path, "H301"), app__main=COMMENTED)
    both.survey(["app/main.py"])
    (found,) = both.judge([record("H301", line=3)], marked("H301")).records

    assert "marker" == found.suppressed
    assert [] == both.unused(complete=True)


def test_a_finding_without_a_place_is_not_looked_up(tmp_path: Path) -> None:
    """Nor is one in a file that is not there, or not Python."""
    (tmp_path / "page.html").write_text("# harness: allow[H301]")
    found = allowances(tmp_path).judge([record(path=None), record(path="gone.py"), record(path="page.html", line=1)])

    assert [None, None, None] == [one.suppressed for one in found.records]


# -- expect ------------------------------------------------------------------------------------------------------------


def test_an_expected_finding_is_accepted(tmp_path: Path) -> None:
    """The test says that it is there."""
    verdict = allowances(tmp_path).judge([record("H201"), record("H301")], marked(expect=["H201"]))

    assert ["marker", None] == [one.suppressed for one in verdict.records]
    assert "" == verdict.unmet


def test_an_expected_finding_that_a_comment_accepts_is_found_all_the_same(tmp_path: Path) -> None:
    """What is accepted is there."""
    verdict = allowances(tmp_path, app__main=COMMENTED).judge([record("H301", line=3)], marked(expect=["H301"]))

    assert "" == verdict.unmet


def test_an_expected_finding_that_is_missing_fails_with_what_was_found_instead(tmp_path: Path) -> None:
    """One line each."""
    verdict = allowances(tmp_path).judge([record("H301"), record("H401", None)], marked(expect=["H201"]))

    assert [
        "expected H201 (write never committed), and it was not found",
        "  found H301 H301 was found at app/main.py:3 in f",
        "        H401 H401 was found",
    ] == verdict.unmet.splitlines()


def test_several_are_told_together(tmp_path: Path) -> None:
    """With nothing found at all."""
    verdict = allowances(tmp_path).judge([], marked(expect=["H201", "H301"]))

    assert (
        "expected, and not found: H201 (write never committed), H301 (sync database call on the event loop)\n"
        "  found no other finding"
    ) == verdict.unmet


def test_a_rule_that_is_not_selected_cannot_be_found(tmp_path: Path) -> None:
    """The message says so, and how to select it."""
    unmet = allowances(tmp_path).judge([], marked(expect=["H403"])).unmet

    assert "H403 is not selected by harness_select" in unmet
    assert "harness_select = stable H403" in unmet


def test_a_test_that_failed_is_not_asked_for_its_expectation(tmp_path: Path) -> None:
    """It may not have come that far, and one reason is enough."""
    assert "" == allowances(tmp_path).judge([], marked(expect=["H201"]), passed=False).unmet


# -- unused markers ----------------------------------------------------------------------------------------------------


def test_a_tests_own_marker_is_judged_with_the_test(tmp_path: Path) -> None:
    """It ran, passed, and did not need it."""
    judge = allowances(tmp_path).judge

    assert ["t.py::test allow=['H201']"] == texts(judge([record("H301")], marked("H301", "H201")).unused)
    assert () == judge([record("H301")], marked("H301")).unused


def test_a_failed_test_says_nothing_about_its_marker(tmp_path: Path) -> None:
    """It may not have come that far."""
    account = allowances(tmp_path)

    assert () == account.judge([], marked("H301"), passed=False).unused
    assert [] == account.unused(complete=True)


def test_a_shared_marker_is_needed_if_one_of_its_tests_needs_it(tmp_path: Path) -> None:
    """That of a class, a module, or a function with parameters; judged when all have run."""
    account = allowances(tmp_path)
    assert () == account.judge([], marked("H301", "H2", holder="t.py::TestA", shared=True)).unused
    assert () == account.judge([record("H301")], marked("H301", "H2", holder="t.py::TestA", shared=True)).unused

    assert ["t.py::TestA allow=['H2']"] == texts(account.unused(complete=True))
    assert [] == account.unused(complete=False)


def test_a_shared_marker_is_not_judged_if_one_of_its_tests_failed(tmp_path: Path) -> None:
    """That one may be the one that needs it."""
    account = allowances(tmp_path)
    account.judge([], marked("H301", holder="t.py", shared=True))
    account.judge([], marked("H301", holder="t.py", shared=True), passed=False)

    assert [] == account.unused(complete=True)


def test_what_is_found_afterwards_is_accepted_and_decides_nothing(tmp_path: Path) -> None:
    """While the test is torn down, its markers hold; whether they are needed has been asked before."""
    account = allowances(tmp_path)
    shared = marked("H301", "H2", expect=["H401"], holder="t.py", shared=True)
    account.judge([record("H401")], shared)
    verdict = account.judge([record("H301")], shared, passed=None)

    assert (["marker"], "", ()) == ([one.suppressed for one in verdict.records], verdict.unmet, verdict.unused)
    assert ["t.py allow=['H2']"] == texts(account.unused(complete=True))


@pytest.mark.parametrize("code", ["H403", "H4", "H305", "H3", "H901"])
def test_what_did_not_judge_tells_nothing(tmp_path: Path, code: str) -> None:
    """A rule that is not selected, a family of which one is not, and what is about harness itself."""
    account = allowances(tmp_path, Pattern(code, "app/*"), app__main=f"a()  # harness: allow[{code}]\n")
    account.survey(["app/main.py"])

    assert () == account.judge([], marked(code)).unused
    assert [] == account.unused(complete=True)


# -- unused comments, patterns and entries -----------------------------------------------------------------------------


def test_an_unused_comment_is_told_with_its_line(tmp_path: Path) -> None:
    """Each code for itself."""
    account = allowances(
        tmp_path,
        app__main="""
            class A:
                def f(self):
                    a()  # harness: allow[H301,H201] legacy
        """,
    )
    account.survey(["app/main.py"])
    account.judge([record("H301", line=3)])
    (unused,) = account.unused(complete=True)

    assert ("comment", "# harness: allow[H201]", "app/main.py:3") == (unused.kind, unused.text, unused.where)
    assert "app/main.py:3 in A.f" == str(unused.location)


def test_unused_patterns_and_entries_are_told(tmp_path: Path) -> None:
    """With the option's source, and the file."""
    patterns = (Pattern("H301", "app/*", "pytest.ini"), Pattern("H301", "old/*", "pytest.ini"))
    baseline = baseline_of(tmp_path, "H201", "H203")
    account = allowances(tmp_path, *patterns, baseline=baseline)
    account.judge([record("H301"), record("H203")])

    entry = f"b.json {record('H201').fingerprint} (H201 at app/main.py in f)"
    assert [entry, "pytest.ini H301:old/*"] == texts(account.unused(complete=True))


def test_an_entry_of_a_rule_that_is_gone_is_told_and_one_of_a_rule_that_is_off_is_not(tmp_path: Path) -> None:
    """The first can never match again."""
    account = allowances(tmp_path, baseline=baseline_of(tmp_path, "H999", "H201"), selected=frozenset({"H301"}))

    assert ["H999"] == [one.text.split("(")[1].split(" ")[0] for one in account.unused(complete=True)]


def test_a_part_of_the_suite_tells_nothing(tmp_path: Path) -> None:
    """What the rest needs is not known."""
    account = allowances(
        tmp_path, Pattern("H301", "old/*"), baseline=baseline_of(tmp_path, "H201"), app__main=COMMENTED
    )
    account.survey(["app/main.py"])

    assert [] == account.unused(complete=False)


def test_unused_ones_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Line 2 before line 10."""
    text = "\n" + "a()  # harness: allow[H301]\n" + "\n" * 7 + "a()  # harness: allow[H301]\n"
    account = allowances(tmp_path)
    (tmp_path / "m.py").write_text(text)
    account.survey(["m.py"])

    assert ["m.py:2", "m.py:10"] == [one.where for one in account.unused(complete=True)]


# -- wrong comments ----------------------------------------------------------------------------------------------------


def test_a_comment_that_names_no_rule_is_a_problem_with_its_line(tmp_path: Path) -> None:
    """Whoever wrote it believes that it holds."""
    account = allowances(
        tmp_path,
        app__main="""
            a()  # harness: allow
            b()  # harness: ignore[H301]
            c()  # harness: allow[H310,H401]
        """,
    )
    found = account.judge([record("H401", line=3)]).records

    assert ["comment"] == [one.suppressed for one in found]
    assert 3 == len(account.problems)
    bare, verb, unknown = sorted(account.problems, key=lambda text: text.split("main.py:")[1])
    assert "a comment to harness names no rule\n  where app/main.py:1" in bare
    assert "fix   write it as # harness: allow[H301] reason" in bare
    assert "a comment to harness does not know 'ignore'\n  where app/main.py:2" in verb
    assert "does not know the rule 'H310'\n  where app/main.py:3" in unknown
    assert "did you mean H301" in unknown


def test_a_problem_is_told_once(tmp_path: Path) -> None:
    """However often the file is asked."""
    account = allowances(tmp_path, app__main="a()  # harness: allow[]\n")
    account.survey(["app/main.py"])
    account.judge([record(line=1), record(line=1)])

    assert 1 == len(account.problems)


# -- between processes -------------------------------------------------------------------------------------------------


def test_several_processes_keep_one_account(tmp_path: Path) -> None:
    """Each saw a part; what one needed is needed. Through plain values that survive JSON."""
    (tmp_path / "bad.py").write_text("a()  # harness: allow[]\n")
    patterns = (Pattern("H401", "app/*"), Pattern("H301", "old/*"))
    workers = [allowances(tmp_path, *patterns, app__main=COMMENTED) for _ in range(2)]
    workers[0].judge([record("H301", line=3)], marked("H2", holder="t.py", shared=True))
    workers[1].judge([record("H401"), record("H201")], marked("H2", holder="t.py", shared=True))
    controller = allowances(tmp_path, *patterns)
    for worker in workers:
        worker.survey(["app/main.py", "bad.py"])
        controller.absorb(json.loads(json.dumps(worker.to_wire())))

    assert ["harness_allow H301:old/*"] == texts(controller.unused(complete=True))
    assert 1 == len(controller.problems)


def test_the_sources_of_a_process_are_the_projects_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was imported from the project's directory; no library, nothing that is not Python."""
    for name, file in {"one": tmp_path / "app/one.py", "two": tmp_path / "two.so", "three": "/elsewhere/x.py"}.items():
        module = ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(__import__("sys").modules, f"of_this_test_{name}", module)

    assert ["app/one.py"] == loaded_sources(tmp_path)
