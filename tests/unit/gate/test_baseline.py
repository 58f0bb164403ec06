"""The file of accepted findings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.gate.baseline import Baseline, Entry, open_baseline
from tests.support.rules import record

NAME = "accepted.json"


def opened(root: Path, updating: bool = False) -> Baseline:
    """The baseline of a project."""
    return open_baseline(NAME, root, updating=updating, source="pytest.ini")


def always(entry: Entry) -> bool:
    """The whole suite has run, with all rules."""
    return True


def never(entry: Entry) -> bool:
    """Only a part of it has."""
    return False


def test_an_update_writes_what_a_review_can_read(tmp_path: Path) -> None:
    """One line a finding, sorted by place; no line numbers, counts or tests, which differ from run to run."""
    found = [
        record("H301", "b.py", message="a SELECT ran on the event loop"),
        record("H201", "a.py", 7, function="create", count=3, test="t.py::a"),
        record("H203", None, subject="get_db"),
    ]
    change = opened(tmp_path, updating=True).update(found, "0.2.0", always)
    text = (tmp_path / NAME).read_text()

    assert "baseline accepted.json: 3 added, 0 removed, 0 kept" == str(change)
    assert [
        "{",
        '  "schema": "harness-baseline/1",',
        '  "version": "0.2.0",',
        '  "findings": [',
        f'    {{"fingerprint": "{found[2].fingerprint}", "code": "H203", "path": "", "function": "",'
        ' "message": "H203 was found"},',
        f'    {{"fingerprint": "{found[1].fingerprint}", "code": "H201", "path": "a.py", "function": "create",'
        ' "message": "H201 was found"},',
        f'    {{"fingerprint": "{found[0].fingerprint}", "code": "H301", "path": "b.py", "function": "f",'
        ' "message": "a SELECT ran on the event loop"}',
        "  ]",
        "}",
    ] == text.splitlines()
    assert text.endswith("}\n")


def test_nothing_found_is_a_file_without_findings(tmp_path: Path) -> None:
    """Which can be read again."""
    opened(tmp_path, updating=True).update([], "0.2.0", always)

    assert {} == opened(tmp_path).entries
    assert [] == json.loads((tmp_path / NAME).read_text())["findings"]


def test_what_is_in_the_file_is_accepted_and_nothing_else(tmp_path: Path) -> None:
    """Also when its line has moved."""
    opened(tmp_path, updating=True).update([record("H301", line=3)], "0.2.0", always)
    baseline = opened(tmp_path)

    assert baseline.accepts(record("H301", line=99, message="with other numbers"))
    assert not baseline.accepts(record("H301", function="g"))
    assert not baseline.accepts(record("H201"))


def test_while_updating_everything_is_accepted(tmp_path: Path) -> None:
    """But not what tells about the accepting itself, or that harness could not look, or what fails nothing."""
    baseline = opened(tmp_path, updating=True)

    assert baseline.accepts(record("H201"))
    assert not baseline.accepts(record("H901"))
    assert not baseline.accepts(record("H902"))
    assert not baseline.accepts(record("H408", severity="info"))
    found = [record("H901"), record("H902"), record("H408", severity="info")]
    assert 0 == baseline.update(found, "0.2.0", always).added


def test_what_is_accepted_otherwise_needs_no_entry(tmp_path: Path) -> None:
    """A comment is closer to the code."""
    found = [record("H201", suppressed="comment"), record("H203", suppressed="baseline"), record("H301")]
    opened(tmp_path, updating=True).update(found, "0.2.0", always)

    assert ["H203", "H301"] == [entry.code for entry in opened(tmp_path).entries.values()]


def test_an_entry_that_holds_is_not_rewritten(tmp_path: Path) -> None:
    """Numbers in messages change from run to run; the file changes only where something was added or removed."""
    opened(tmp_path, updating=True).update([record("H301", message="21 statements")], "0.2.0", always)
    before = (tmp_path / NAME).read_text()
    change = opened(tmp_path, updating=True).update([record("H301", message="22 statements")], "0.2.0", always)

    assert (0, 0, 1) == (change.added, change.removed, change.kept)
    assert before == (tmp_path / NAME).read_text()


def test_an_update_removes_what_is_gone_only_if_it_was_looked_for(tmp_path: Path) -> None:
    """A part of the suite may add, but knows nothing about the rest."""
    opened(tmp_path, updating=True).update([record("H201"), record("H301")], "0.2.0", always)

    assert 0 == opened(tmp_path, updating=True).update([record("H203")], "0.2.0", never).removed
    assert 3 == len(opened(tmp_path).entries)
    assert 2 == opened(tmp_path, updating=True).update([record("H203")], "0.2.0", always).removed
    assert 1 == len(opened(tmp_path).entries)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Through a link, with its mode, leaving nothing else behind."""
    (tmp_path / "real.json").write_text('{"schema": "harness-baseline/1", "findings": []}')
    (tmp_path / "real.json").chmod(0o640)
    (tmp_path / NAME).symlink_to("real.json")
    opened(tmp_path, updating=True).update([record()], "0.2.0", always)

    assert (tmp_path / NAME).is_symlink()
    assert 0o640 == (tmp_path / "real.json").stat().st_mode & 0o777
    assert 1 == len(opened(tmp_path).entries)
    assert {NAME, "real.json"} == set(os.listdir(tmp_path))


def test_a_failure_to_write_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is told with its reason."""
    opened(tmp_path, updating=True).update([record()], "0.2.0", always)
    before = (tmp_path / NAME).read_text()

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
        opened(tmp_path, updating=True).update([], "0.2.0", always)

    assert before == (tmp_path / NAME).read_text()
    assert [NAME] == os.listdir(tmp_path)


def test_a_path_that_is_not_utf8_survives(tmp_path: Path) -> None:
    """As Python holds it."""
    found = record(path="app/\udce9.py", fingerprint="0123456789abcdef")
    opened(tmp_path, updating=True).update([found], "0.2.0", always)

    assert ["app/\udce9.py"] == [entry.path for entry in opened(tmp_path).entries.values()]


def test_a_missing_file_says_how_to_create_it(tmp_path: Path) -> None:
    """It is refused, unless it is going to be written."""
    with pytest.raises(ConfigError, match=r"the baseline file accepted\.json does not exist") as caught:
        opened(tmp_path)

    assert "pytest.ini" == caught.value.where
    assert "--harness-baseline-update" in (caught.value.remedy or "")
    assert {} == opened(tmp_path, updating=True).entries


ENTRY = '{"fingerprint": "0123456789abcdef", "code": "H201"}'
HEAD = '{"schema": "harness-baseline/1", "findings": '


@pytest.mark.parametrize("updating", [False, True])
@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("", "column 1: Expecting value", "accepted.json:1"),
        ('{\n  "schema": harness\n}', "column 13: Expecting value", "accepted.json:2"),
        ('{\n"schema": "harness-baseline/1",\n<<<<<<< main\n', "it has marks of a merge conflict", "accepted.json:3"),
        ("[]", 'it has no "schema"', "accepted.json"),
        ('{"findings": []}', 'it has no "schema"', "accepted.json"),
        ('{"schema": "harness-findings/1", "findings": []}', 'it has no "schema"', "accepted.json"),
        (HEAD + "{}}", '"findings" is not a list', "accepted.json"),
        (HEAD + f"[{ENTRY}, 5]}}", "it is not an object", "accepted.json, entry 2 of 2"),
        (HEAD + '[{"code": "H201"}]}', 'it has no "fingerprint"', "accepted.json, entry 1 of 1"),
        (HEAD + '[{"fingerprint": "0"}]}', 'it has no "code"', "accepted.json, entry 1 of 1"),
        (HEAD + ENTRY.join(("[", "]}")).replace('"H201"', '"H201", "path": 5'), 'its "path" is not a text', "entry 1"),
        ("[tool.pytest.ini_options]\n", "column 2: Expecting value", "accepted.json:1"),
    ],
)
def test_a_malformed_file_is_refused_with_the_place(
    tmp_path: Path, text: str, what: str, where: str, updating: bool
) -> None:
    """Also by an update, which would otherwise overwrite a file that may be something else altogether."""
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ConfigError, match="cannot be understood") as caught:
        opened(tmp_path, updating)

    assert what in caught.value.fact
    assert where in (caught.value.where or "")
    assert "--harness-baseline-update" in (caught.value.remedy or "")
    assert text == (tmp_path / NAME).read_text()


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """With the place."""
    (tmp_path / NAME).write_bytes(b'{"schema": "\xff"}')
    with pytest.raises(ConfigError, match="byte 12 is not UTF-8"):
        opened(tmp_path)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    """The message says which version wrote it."""
    (tmp_path / NAME).write_text('{"schema": "harness-baseline/2", "version": "9.1", "findings": []}')
    with pytest.raises(ConfigError, match=r"of schema 'harness-baseline/2', .* reads 'harness-baseline/1'") as caught:
        opened(tmp_path)

    assert "accepted.json, written by harness 9.1" == caught.value.where
    assert "delete the file" in (caught.value.remedy or "")


@pytest.mark.parametrize(("name", "what"), [("no/such.json", "there is no directory no"), ("", "it is a directory")])
def test_what_cannot_be_written_is_refused_at_the_start(tmp_path: Path, name: str, what: str) -> None:
    """Not after a long run."""
    with pytest.raises(ConfigError, match=f"cannot be written: {what}"):
        open_baseline(name, tmp_path, updating=True, source="pytest.ini")


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    """It is an error of the option, not of the program."""
    with pytest.raises(ConfigError, match="cannot be read"):
        open_baseline(".", tmp_path, updating=False, source="pytest.ini")


def test_a_byte_order_mark_and_duplicates_do_no_harm(tmp_path: Path) -> None:
    """Editors and merges leave them."""
    (tmp_path / NAME).write_text(f"\ufeff{HEAD}[{ENTRY}, {ENTRY}]}}", encoding="utf-8")

    assert ["0123456789abcdef"] == list(opened(tmp_path).entries)
