"""Copies of a SQLite database: what is in them, and what happens to those of dead runs."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.database import identity
from harness.database.images import ImageClones, image_of


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of the test's own in place of the system's, as other runs have theirs there."""
    monkeypatch.setattr("harness.database.images._MEMORY", tmp_path)
    return tmp_path


@pytest.fixture
def source() -> Iterator[sqlite3.Connection]:
    """A database with another one attached, and a row that is not committed."""
    with closing(sqlite3.connect("file:/images?vfs=memdb", uri=True, isolation_level=None)) as connection:
        connection.execute("ATTACH DATABASE ':memory:' AS other")
        connection.execute("CREATE TABLE one (x)")
        connection.execute("CREATE TABLE other.two (x)")
        connection.execute("INSERT INTO one VALUES ('committed')")
        connection.execute("BEGIN")
        connection.execute("INSERT INTO one VALUES ('not yet')")
        connection.execute("INSERT INTO two VALUES (2)")
        yield connection


def clones(image: dict[str, bytes], needed: int = 0) -> ImageClones:
    return ImageClones(image, identity.current(), lambda: needed, print)


def rows(path: Path | str, table: str) -> list[object]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT x FROM {table}")]


def test_an_image_has_all_that_its_connection_sees(source: sqlite3.Connection) -> None:
    """Also what is not committed, and what is attached."""
    with closing(clones(image_of(source))) as made:
        clone = made.acquire()
        ((schema, path),) = clone.attached

        assert ["committed", "not yet"] == rows(clone.name, "one")
        assert ("other", [2]) == (schema, rows(path, "two"))


def test_copies_are_each_their_own_and_gone_afterwards(source: sqlite3.Connection, memory: Path) -> None:
    """Also one that was made ahead; closing twice is fine."""
    made = clones(image_of(source), needed=1)
    first, second = made.acquire(), made.acquire()
    with closing(sqlite3.connect(first.name)) as connection, connection:
        connection.execute("DELETE FROM one")
    made.release(first)

    assert ["committed", "not yet"] == rows(second.name, "one")
    made.close()
    made.close()
    assert [] == list(memory.iterdir())


def test_a_kept_copy_has_what_is_still_in_its_journals(source: sqlite3.Connection, tmp_path: Path) -> None:
    """Files that stay, beside those that are attached."""
    keep = tmp_path / "keep"
    keep.mkdir()
    with closing(clones(image_of(source))) as made:
        clone = made.acquire()
        with closing(sqlite3.connect(clone.name, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("INSERT INTO one VALUES ('in the journal')")
            kept = made.keep(clone, keep, "it")

    assert ["committed", "not yet", "in the journal"] == rows(kept.name, "one")
    assert ["it.db", "it.other.db"] == sorted(path.name for path in keep.glob("*.db"))


def test_what_a_killed_run_left_is_removed_and_nothing_else(source: sqlite3.Connection, memory: Path) -> None:
    """Neither a live run's, nor a directory that somebody else has called so."""
    said: list[str] = []
    dead = dataclasses.replace(identity.current(), pid=2**22 + 7)
    for name, labels in (("dead", dead.labels()), ("alive", identity.current().labels()), ("strange", None)):
        directory = memory / f"harness-clones-{name}"
        directory.mkdir()
        if labels is not None:
            (directory / "owner.json").write_text(json.dumps(labels))
    ImageClones(image_of(source), identity.current(), lambda: 0, said.append).close()

    assert ["harness-clones-alive", "harness-clones-strange"] == sorted(path.name for path in memory.iterdir())
    assert ["removed" in line and "harness-clones-dead" in line for line in said] == [True]
