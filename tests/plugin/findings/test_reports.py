"""The files that a run writes, read as their readers read them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

import tests.unit.report as reports
from tests.support.guilty import ERROR, INFO, NOTHING, WARNING, document, each_test, guilty
from tests.support.projects import Project, Result

_SCHEMA = Path(reports.__path__[0]) / "sarif-2.1.0.json"


def run(project: Project, report: str) -> Result:
    """Run a suite that meets one of each severity."""
    guilty(project, graph=True).ini("harness_app = shop.main:app", f"harness_report = {report}")
    return each_test(project, error=ERROR, warning=WARNING, info=INFO, good=NOTHING).run()


def commands(result: Result) -> list[str]:
    """The workflow commands in a run's output: GitHub reads them only at the beginning of a line."""
    return [line for line in result.text.splitlines() if line.startswith("::")]


def test_json(project: Project) -> None:
    """The documented keys, the counts, and each finding with its place."""
    result = run(project, "json:out/found.json")
    data = json.loads((project.path / "out/found.json").read_text())

    assert ["schema", "version", "databases", "counts", "findings"] == list(data)
    assert "harness-findings/1" == data["schema"]
    assert ["sqlite (in memory)"] == data["databases"]
    assert {"tests": 4, "requests": 5} == {key: data["counts"][key] for key in ("tests", "requests")}
    assert 0 < data["counts"]["statements"]
    by_code = {one["code"]: one for one in data["findings"]}
    assert {"H109", "H201", "H202", "H207", "H408"} == set(by_code)
    assert {"path": "shop/main.py", "line": 29, "function": "lose"} == by_code["H201"]["location"]
    assert {"method": "POST", "route": "/lose/{name}", "status": 200} == by_code["H201"]["request"]
    assert ["test_it.py::test_error", None] == [by_code[code]["test"] for code in ("H201", "H109")]
    result.assert_says("JSON report: out/found.json")


def test_requests_after_a_test_are_counted_too(project: Project) -> None:
    """Those of finalizers, whether anything was found or not."""
    guilty(project).write(
        test_it=f"""
            import pytest

            @pytest.fixture
            def stock(client):
                client.get("/users")
                yield
                client.get("/users")

            def test_it(client, stock): {NOTHING}
        """
    )
    project.run().assert_passed(1)

    assert {"tests": 1, "requests": 3, "statements": 3} == document(project)["counts"]


def test_sarif(project: Project) -> None:
    """Valid against the published schema, with file, line and level of each finding."""
    run(project, "sarif:found.sarif")
    data = json.loads((project.path / "found.sarif").read_text())
    jsonschema.validate(data, json.loads(_SCHEMA.read_text()))

    (told,) = data["runs"]
    places = {
        (one["ruleId"], one["level"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for one in told["results"]
        for place in [one["locations"][0]["physicalLocation"]]
    }
    assert {("H201", "error", "shop/main.py", 29), ("H202", "warning", "shop/main.py", 31)} <= places
    assert ("H109", "error", "shop/main.py", 46) in places


def test_html(project: Project) -> None:
    """One file, which asks nobody for anything; the requests of all tests are drawn."""
    run(project, "html:found.html")
    page = (project.path / "found.html").read_text()

    assert 5 == page.count('<article class="request"')
    assert ["H109", "H201", "H202"] == [code for code in ("H109", "H201", "H202") if code in page]
    assert [] == re.findall(r'(?:src|href)="(?:https?:)?//', page)


def test_annotations_into_a_file(project: Project) -> None:
    """Where a step of its own prints them."""
    result = run(project, "github:found.txt")

    assert (project.path / "found.txt").read_text().count("::error file=shop/main.py,line=") == 2
    assert [] == commands(result)


@pytest.mark.parametrize("report", ["json:found.json", "github"])
def test_github_actions_is_annotated_by_itself(project: Project, monkeypatch: pytest.MonkeyPatch, report: str) -> None:
    """Once, also where it was asked for."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    told = commands(run(project, report))

    assert 1 == sum(line.startswith("::error file=shop/main.py,line=29,title=H201 ") for line in set(told)), told
    assert {"error": 2, "warning": 1} == {
        kind: len({line for line in told if line.startswith(f"::{kind} ")}) for kind in ("error", "warning")
    }


def test_elsewhere_nothing_is_annotated(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on another service either."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("CI", "true")

    assert [] == commands(run(project, "json:found.json"))


def test_junit_has_properties(project: Project) -> None:
    """On the test in which each finding arose; one that fails it is a failure as any other."""
    each_test(guilty(project), error=ERROR, warning=WARNING, good=NOTHING).run("--junitxml=junit.xml")
    cases = {case.get("name"): case for case in ElementTree.parse(project.path / "junit.xml").iter("testcase")}
    told = {
        name: [(one.get("name"), str(one.get("value")).split(": ")[0][:22]) for one in case.iter("property")]
        for name, case in cases.items()
    }

    assert {
        "test_error": [("harness.finding", "H201 shop/main.py:29 1")],
        "test_warning": [("harness.finding", "H202 shop/main.py:31 1")],
        "test_good": [],
    } == told
    assert {"test_error": 1, "test_warning": 0, "test_good": 0} == {
        name: len(case.findall("failure")) for name, case in cases.items()
    }


def test_a_path_that_cannot_be_written_is_refused_before_the_first_test(project: Project) -> None:
    """With the reason; a directory in the way, or a file where a directory would have to be."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run("--harness-report=json:shop").assert_usage_error(
        "the JSON report cannot be written to shop: it is a directory", "--harness-report"
    )
    project.run("--harness-report=html:pytest.ini/found.html").assert_usage_error(
        "the HTML report cannot be written to pytest.ini/found.html: pytest.ini is not a directory"
    )


def test_a_path_that_became_unwritable_fails_the_run(project: Project) -> None:
    """The other reports are written."""
    guilty(project).ini("harness_app = shop.main:app", "harness_report = json:out sarif:found.sarif")
    result = each_test(project, it="import os; os.makedirs('out')").run()

    assert (1, 1) == (result.code, result.passed), result.text
    result.assert_says("the JSON report cannot be written to out", "SARIF report: found.sarif")
    assert (project.path / "found.sarif").is_file()


@pytest.mark.parametrize(
    ("value", "fragments"),
    [
        ("xml:found.xml", ("harness_report does not know 'xml'", "valid: json, sarif, github, html")),
        ("json", ("harness_report 'json' has no path", "html:harness.html")),
    ],
)
def test_a_report_that_does_not_exist_is_refused(project: Project, value: str, fragments: tuple[str, ...]) -> None:
    """Before the first test."""
    project.app().write(test_it="def test_it(): raise AssertionError")

    project.run(f"--harness-report={value}").assert_usage_error(*fragments)
