"""SARIF, checked against the schema of its standard (see `sarif-2.1.0.md`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from harness.detectors.transactions.write_never_committed import RULE
from harness.gate.record import Suppression
from harness.report.sarif import BASE, document, render
from tests.unit.report.made import record, results
from tests.unit.report.realistic import realistic

_SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text(encoding="utf-8"))


def found_in(log: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of the only run, after the schema has agreed."""
    jsonschema.Draft4Validator(_SCHEMA, format_checker=jsonschema.FormatChecker()).validate(log)
    (run,) = log["runs"]
    return list(run["results"])


def test_a_realistic_run_is_valid(tmp_path: Path) -> None:
    """With every kind of finding; and so is an empty one."""
    log = json.loads(render(realistic(tmp_path), [RULE]))

    assert 15 == len(found_in(log))
    assert [] == found_in(document(results()))
    assert str(tmp_path) not in json.dumps(log)


def test_a_result_names_file_line_function_and_fingerprint() -> None:
    """What a code host needs to show it, and to know it again."""
    found = record(evidence=(("INSERT INTO items", "app/items.py:17 create_item"), ("201 was sent", None)), count=4)
    (result,) = found_in(document(results(found)))

    assert ("H201", 0, "error", 4) == tuple(result[key] for key in ("ruleId", "ruleIndex", "level", "occurrenceCount"))
    assert {"uri": "app/items.py", "uriBaseId": BASE} == result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert {"startLine": 18} == result["locations"][0]["physicalLocation"]["region"]
    assert "create_item" == result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    assert {"harnessFinding/v1": found.fingerprint} == result["partialFingerprints"]
    assert "suppressions" not in result
    (related,) = result["relatedLocations"]
    assert ("INSERT INTO items", 17) == (
        related["message"]["text"],
        related["physicalLocation"]["region"]["startLine"],
    )
    assert result["message"]["text"].startswith(found.message)
    assert "201 was sent" in result["message"]["text"]


def test_levels_and_suppressions_have_their_words() -> None:
    """Marker and comment stand in the source, ini and baseline outside of it."""
    ways: tuple[Suppression, ...] = ("marker", "comment", "ini", "baseline")
    records = [record(at=f"a.py:{line} f", suppressed=how) for line, how in enumerate(ways, 1)]
    found = found_in(document(results(*records, record("H502"), record("H305"))))

    assert ["inSource", "inSource", "external", "external"] == [
        suppression["kind"] for result in found for suppression in result.get("suppressions", [])
    ]
    assert ["error"] * 4 + ["warning", "note"] == [result["level"] for result in found]


def test_a_rule_is_described_by_its_manual_or_by_its_findings() -> None:
    """The reader of an alert gets the same text as of `--harness-explain`."""
    log = document(results(record(), record("H502")), [RULE])
    found_in(log)
    known, unknown = log["runs"][0]["tool"]["driver"]["rules"]

    assert ("H201", "WriteNeverCommitted", RULE.what) == (known["id"], known["name"], known["fullDescription"]["text"])
    assert "**Wrong**\n\n```python\n@app.post(" in known["help"]["markdown"]
    assert {"level": "error"} == known["defaultConfiguration"]
    assert ("H502", {"level": "warning"}) == (unknown["id"], unknown["defaultConfiguration"])


def test_paths_are_the_repository_s_and_valid_uris(tmp_path: Path) -> None:
    """A project may be a folder of its repository, and a file may be called anything."""
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    root = tmp_path / "services"
    root.mkdir()
    records = [record(at="my app/ä#1.py:3 f"), record(at="/opt lib/x.py:9 f", message="elsewhere")]
    inside, outside = found_in(document(results(*records, root=str(root))))[::-1]

    assert {"uri": "services/my%20app/%C3%A4%231.py", "uriBaseId": BASE} == inside["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]
    assert {"uri": "file:///opt%20lib/x.py"} == outside["locations"][0]["physicalLocation"]["artifactLocation"]


def test_a_result_without_a_line_points_at_its_test() -> None:
    """Code hosts refuse results without a location."""
    (result,) = found_in(document(results(record(at=None))))

    assert "tests/test_items.py" == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
