"""The file of counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigError
from harness.queries.counts import Count
from harness.queries.ledger import QueryLedger, open_ledger

NAME = "queries.json"


def opened(root: Path, recording: bool = False) -> QueryLedger:
    """The ledger of a project."""
    return open_ledger(NAME, root, recording=recording, source="pytest.ini")


def count(request: str = "GET /users", **shapes: int) -> Count:
    """A count; `a=2` is two statements of the shape `a`."""
    return Count(request=request, times=1, shapes=shapes)


def rows(root: Path) -> list[dict[str, Any]]:
    """What is in the file."""
    data: list[dict[str, Any]] = json.loads((root / NAME).read_text())["counts"]
    return data


def test_what_is_written_can_be_reviewed(tmp_path: Path) -> None:
    """One line a test and request, sorted whatever came first; and it is read as it was written."""
    counted = {"t.py::b": [count("GET /b", x=1), count("GET /a", z=1, a=2)], "t.py::a": [count(x=1)]}
    changed = opened(tmp_path, recording=True).record(counted, "sqlite", [], "0.3.0")

    assert (2, 0, 0) == changed
    assert [
        "{",
        '  "schema": "harness-queries/1",',
        '  "version": "0.3.0",',
        '  "databases": ["sqlite"],',
        '  "counts": [',
        '    {"test": "t.py::a", "request": "GET /users", "times": 1, "queries": 1, "shapes": {"x": 1}},',
        '    {"test": "t.py::b", "request": "GET /a", "times": 1, "queries": 3, "shapes": {"a": 2, "z": 1}},',
        '    {"test": "t.py::b", "request": "GET /b", "times": 1, "queries": 1, "shapes": {"x": 1}}',
        "  ]",
        "}",
    ] == (tmp_path / NAME).read_text().splitlines()
    known = opened(tmp_path)
    assert [count(x=1)] == known.of("t.py::a", "sqlite")
    assert known.of("t.py::a", "postgresql") is None
    assert known.of("t.py::c", "sqlite") is None


def test_a_part_of_the_suite_changes_its_part_only(tmp_path: Path) -> None:
    """Others stay; those that are gone go; a test that sends nothing any more has no line."""
    opened(tmp_path, recording=True).record({name: [count(x=1)] for name in "abcd"}, "sqlite", [], "0.3.0")
    changed = opened(tmp_path, recording=True).record({"a": [count(x=2)], "b": []}, "sqlite", ["d"], "0.3.0")

    assert (0, 2, 1) == changed
    assert [("a", 2), ("c", 1)] == [(row["test"], row["queries"]) for row in rows(tmp_path)]


def test_recording_the_same_changes_nothing(tmp_path: Path) -> None:
    """The file is the same byte for byte."""
    counted = {"a": [count("GET /b", x=1), count("GET /a", y=2)]}
    opened(tmp_path, recording=True).record(counted, "sqlite", [], "0.3.0")
    before = (tmp_path / NAME).read_bytes()
    changed = opened(tmp_path, recording=True).record({"a": counted["a"][::-1]}, "sqlite", [], "0.3.0")

    assert (0, 0, 0) == changed
    assert before == (tmp_path / NAME).read_bytes()


def test_databases_share_a_line_where_they_agree(tmp_path: Path) -> None:
    """One that sends other statements has a line of its own, and a part of the tests may run on one only."""
    opened(tmp_path, recording=True).record({"a": [count(x=1)], "b": [count(x=1)]}, "sqlite", [], "0.3.0")
    opened(tmp_path, recording=True).record({"a": [count(x=1)], "c": [count(x=1)]}, "postgresql", [], "0.3.0")
    assert [("a", None), ("b", "sqlite"), ("c", "postgresql")] == [
        (row["test"], row.get("database")) for row in rows(tmp_path)
    ]

    opened(tmp_path, recording=True).record({"a": [count(x=3)]}, "postgresql", ["c"], "0.3.0")
    known = opened(tmp_path)
    assert ([count(x=1)], [count(x=3)]) == (known.of("a", "sqlite"), known.of("a", "postgresql"))
    assert (["a", "b"], ["a"]) == (known.tests("sqlite"), known.tests("postgresql"))


_ROW = {"test": "a", "request": "GET /", "times": 1, "queries": 1, "shapes": {"x": 1}}


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        ("{", "column 2"),
        ("[]", 'it has no "schema": "harness-queries/…"'),
        ({"schema": "harness-baseline/1"}, 'it has no "schema": "harness-queries/…"'),
        ({"schema": "harness-queries/1", "databases": []}, '"counts" is not a list'),
        ({"schema": "harness-queries/1", "counts": []}, '"databases" is not a list of names'),
        ([1], "it is not an object"),
        ([{**_ROW, "test": ""}], 'it has no "test"'),
        ([{**_ROW, "request": 3}], 'it has no "request"'),
        ([{**_ROW, "shapes": {"x": "1"}}], '"shapes" does not give numbers of queries'),
        ([{**_ROW, "times": 0}], '"times" is not a number of requests'),
        ([{**_ROW, "queries": 2}], '"queries" is 2, and its shapes are 1'),
        ([{**_ROW, "database": "oracle"}], '"database" is \'oracle\', which "databases" does not name'),
        ([_ROW, _ROW], "a has 'GET /' already"),
    ],
)
def test_a_malformed_file_is_explained(tmp_path: Path, data: Any, fact: str) -> None:
    """With the entry, and what to do; also where it would be overwritten."""
    if isinstance(data, list):
        data = {"schema": "harness-queries/1", "databases": ["sqlite"], "counts": data}
    (tmp_path / NAME).write_text(data if isinstance(data, str) else json.dumps(data))

    for recording in (False, True):
        with pytest.raises(ConfigError) as caught:
            opened(tmp_path, recording)
        assert f"the query ledger cannot be understood: {fact}" in str(caught.value)
        assert NAME in str(caught.value)
        assert "take it back from version control" in str(caught.value)


def test_a_file_of_another_version_is_explained(tmp_path: Path) -> None:
    """It names both schemas and who wrote it."""
    (tmp_path / NAME).write_text('{"schema": "harness-queries/2", "version": "0.9"}')

    with pytest.raises(ConfigError) as caught:
        opened(tmp_path)
    for text in ("is of schema 'harness-queries/2'", "reads 'harness-queries/1'", "written by harness 0.9"):
        assert text in str(caught.value)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    """Unless it is about to be written."""
    with pytest.raises(ConfigError, match=r"the query ledger queries\.json does not exist") as caught:
        opened(tmp_path)
    assert "--harness-queries-record" in str(caught.value)
    assert [] == opened(tmp_path, recording=True).tests("sqlite")
