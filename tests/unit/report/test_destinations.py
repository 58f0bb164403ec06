"""Where reports go."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.report.destinations import FORMATS, check, destinations, write_all
from tests.unit.report.made import record, results

SOURCE = "pytest.ini"


def refusal(*values: str, base: Path) -> str:
    """The whole message."""
    with pytest.raises(ConfigError) as caught:
        check(destinations(values, SOURCE, base), SOURCE)
    return str(caught.value)


def test_each_format_is_written_to_its_path(tmp_path: Path) -> None:
    """Directories are made, and it is told where the reports are."""
    wanted = destinations(["json:out/a.json", "sarif:out/b/c.sarif", "html:d.html", "github"], SOURCE, tmp_path)
    check(wanted, SOURCE)
    assert [] == list(tmp_path.iterdir())

    written = write_all(results(record()), wanted)

    assert "harness-findings/1" == json.loads((tmp_path / "out/a.json").read_text())["schema"]
    assert "2.1.0" == json.loads((tmp_path / "out/b/c.sarif").read_text())["version"]
    assert (tmp_path / "d.html").read_text().startswith("<!doctype html>")
    assert ["JSON report: ", "SARIF report:", "HTML report: ", "::error file="] == [line[:13] for line in written.lines]
    assert [] == written.failures
    assert [False, False, True, False] == [report.wants_timelines for report in wanted]


def test_a_path_may_be_absolute_and_hold_colons(tmp_path: Path) -> None:
    """Only the first colon separates."""
    (report,) = destinations([f"json:{tmp_path}/a:b.json"], SOURCE, Path("/elsewhere"))

    assert tmp_path / "a:b.json" == report.path


def test_a_report_replaces_the_old_one_in_one_step(tmp_path: Path) -> None:
    """And leaves nothing beside it, with the permissions that any new file has."""
    (tmp_path / "a.json").write_text("old")
    write_all(results(), destinations(["json:a.json"], SOURCE, tmp_path))
    (tmp_path / "plain").touch()

    assert ["a.json", "plain"] == sorted(path.name for path in tmp_path.iterdir())
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "a.json").stat().st_mode


def test_an_unknown_format_is_told_with_those_that_exist(tmp_path: Path) -> None:
    """And with the nearest."""
    text = refusal("sarf:x.sarif", base=tmp_path)

    assert "harness_report does not know 'sarf'" in text
    assert "did you mean 'sarif'?" in text
    assert SOURCE in text
    assert ", ".join(FORMATS) in text


@pytest.mark.parametrize("value", ["json", "html:", "sarif: "])
def test_a_missing_path_is_told(tmp_path: Path, value: str) -> None:
    """With an example."""
    text = refusal(value, base=tmp_path)

    assert f"harness_report {value!r} has no path" in text
    assert "html:harness.html" in text


@pytest.mark.parametrize("pair", [("json:a", "sarif:x/../a"), ("github", "github")])
def test_two_reports_for_one_place_are_told(tmp_path: Path, pair: tuple[str, str]) -> None:
    """However their paths are written."""
    assert f"two reports for one place: {pair[0]} and {pair[1]}" in refusal(*pair, base=tmp_path)


def test_a_path_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    """What it is, and where it was asked for."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    text = refusal("json:folder", base=tmp_path)
    assert "the JSON report cannot be written to" in text
    assert "folder: it is a directory" in text
    assert f"where {SOURCE}" in text
    assert "file is not a directory" in refusal("html:file/a.html", base=tmp_path)
    assert "it is not an ordinary file" in refusal(f"html:{os.devnull}", base=tmp_path)


def test_a_directory_without_permission_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By trying: permissions alone do not tell, on a full or read-only file system."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)

    assert "permission denied" in refusal("json:new/a.json", base=tmp_path)


def test_what_fails_at_the_end_does_not_stop_the_others(tmp_path: Path) -> None:
    """And is told."""
    wanted = destinations(["json:a/b.json", "sarif:c.sarif"], SOURCE, tmp_path)
    check(wanted, SOURCE)
    (tmp_path / "a").touch()
    written = write_all(results(), wanted)

    assert (tmp_path / "c.sarif").exists()
    assert ["SARIF report:"] == [line[:13] for line in written.lines]
    (failure,) = written.failures
    assert "the JSON report cannot be written" in str(failure)


def test_a_name_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    """A test's file may be called anything."""
    odd = record(tests=("tests/test_\udcff.py::test",))
    wanted = destinations(["json:a.json", "html:a.html", "sarif:a.sarif"], SOURCE, tmp_path)
    written = write_all(results(odd), wanted)

    assert [] == written.failures
    assert odd.test == json.loads((tmp_path / "a.json").read_text())["findings"][0]["test"]
