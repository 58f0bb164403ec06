"""pytest-xdist: what many processes meet is told by one, as if it had met everything itself."""

from __future__ import annotations

import json

import pytest

from tests.support.guilty import ERROR, INFO, NOTHING, WARNING, each_test, guilty
from tests.support.projects import Project, Result

_TWO = ("-p", "xdist", "-n2")
_REPORTS = "harness_report = json:found.json sarif:found.sarif html:found.html github:found.txt"


def both(project: Project, *arguments: str) -> tuple[list[Result], list[dict[str, str]]]:
    """Run without and with two workers; return how the runs ended, and what their reports hold."""
    results, reports = [], []
    for more in ((), _TWO):
        results.append(project.run_apart(*arguments, *more))
        reports.append({path.name: path.read_text() for path in sorted(project.path.glob("found.*"))})
    return results, reports


def section(result: Result) -> str:
    """The summary of a run."""
    return result.text.partition("= harness findings =")[2].partition("\n===")[0]


def test_all_that_is_told_is_the_same(project: Project) -> None:
    """Exit code, summary, JSON, SARIF and annotations; what each process reads in the source is told once."""
    guilty(project, graph=True).ini("harness_app = shop.main:app", _REPORTS)
    each_test(project, a=ERROR, b=WARNING, c=ERROR, d=f"{NOTHING}; assert 0", e=NOTHING, f=f"{ERROR}; {WARNING}")
    (alone, shared), (before, after) = both(project)

    assert (1, 2, 4) == (alone.code, alone.passed, alone.failed) == (shared.code, shared.passed, shared.failed), (
        alone.text
    )
    assert section(alone) == section(shared)
    assert "H201 write never committed (1 error in 3 tests)" in section(shared)
    assert 1 == section(shared).count("H109 session not made per request (1 error)")
    assert json.loads(before["found.json"]) == json.loads(after["found.json"])
    assert before["found.sarif"] == after["found.sarif"]
    assert before["found.txt"] == after["found.txt"]
    assert before["found.html"].count('<article class="') == after["found.html"].count('<article class="')


def test_the_accounts_of_what_was_needed_are_merged(project: Project) -> None:
    """A comment, a pattern, an entry and a class's marker that one worker needed are not unused for the other."""
    guilty(
        project, "harness_baseline = accepted.json", "harness_allow = H202:shop/* H301:old/*", "harness_ignore = H408"
    )
    each_test(project, a=WARNING, b=INFO, c=NOTHING, d=ERROR)
    project.run("--harness-baseline-update").assert_passed(4)
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("def half(", "# harness: allow[H207] by hand\ndef half("))
    marked = f"""
        @pytest.mark.harness(allow=["H201"])
        class TestShop:
            def test_one(self, client): {ERROR}
            def test_other(self, client): {NOTHING}
    """
    project.write(test_more=f"import pytest\n{marked.replace(chr(10) + ' ' * 8, chr(10))}")
    (alone, shared), (before, after) = both(project)

    alone.assert_passed(6)
    shared.assert_passed(6)
    assert json.loads(before["found.json"]) == json.loads(after["found.json"])
    told = [one for one in json.loads(after["found.json"])["findings"] if one["suppressed"] is None]
    assert [("H901", "H301:old/*")] == [(one["code"], one["message"].split(" ")[0]) for one in told]


def test_an_update_of_the_baseline_is_the_controllers(project: Project) -> None:
    """One file, with what all workers found."""
    guilty(project, "harness_baseline = accepted.json")
    each_test(project, a=ERROR, b=WARNING, c=NOTHING)
    project.run_apart("--harness-baseline-update", *_TWO).assert_passed(3)

    data = json.loads((project.path / "accepted.json").read_text())
    assert ["H201", "H202"] == sorted(entry["code"] for entry in data["findings"])
    project.run_apart(*_TWO).assert_passed(3)


def test_annotations_come_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from each worker as well."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = each_test(guilty(project), a=ERROR, b=ERROR).run_apart(*_TWO)

    assert 1 == sum(line.startswith("::error ") for line in result.text.partition("running:")[0].splitlines()), (
        result.text
    )


def test_a_wrong_option_is_refused_once(project: Project) -> None:
    """By the controller, before any worker starts."""
    project.app().write(test_it="def test_it(): raise AssertionError")
    result = project.run_apart("--harness-select=H210", *_TWO)

    assert 4 == result.code, result.text
    result.assert_says("harness_select does not know the rule 'H210'")
    assert "workers" not in result.text


def test_a_worker_that_dies_takes_only_its_own_findings_along(project: Project) -> None:
    """What others met is told."""
    guilty(project, "harness_allow = H301:old/*").write(
        test_it=f"""
            import os

            def test_bad(client):
                {ERROR}

            def test_dies(client):
                os._exit(3)

            def test_good(client):
                {NOTHING}
        """
    )
    result = project.run_apart(*_TWO)

    assert 1 == result.code, result.text
    result.assert_says("H201 write never committed (1 error in 1 test)", "crashed")
    assert "H901" not in result.text
