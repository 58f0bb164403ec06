"""The query ledger: a file of how many statements each request of each test sends, for a merge gate.

One line a test and request, sorted. Nothing in it depends on the order in which tests ran or on times. Counts may
differ from one server to another: a line without `database` holds on all that the file knows, one with it on that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.gate.kept_file import KeptFile, Kind
from harness.queries.counts import Count

KIND = Kind(
    name="query ledger",
    option="harness_queries",
    example="harness-queries.json",
    flag="--harness-queries-record",
    schema="harness-queries/1",
    entries="counts",
)
#: By test, then by database.
_Known = dict[str, dict[str, list[Count]]]


class QueryLedger:
    """What is recorded.

    Args:
        file: where it is kept.
        databases: the servers on which it was recorded.
        known: the counts.
        recording: whether this run shall write what it counts.
    """

    def __init__(self, file: KeptFile, databases: Sequence[str], known: _Known, *, recording: bool = False) -> None:
        self.file = file
        self.databases = tuple(databases)
        self.recording = recording
        self._known = known

    def tests(self, database: str) -> list[str]:
        """Return the node ids of the tests that are recorded on a server."""
        return [test for test, by_database in self._known.items() if database in by_database]

    def of(self, test: str, database: str) -> list[Count] | None:
        """Return what is recorded for a test on a server; None if nothing is."""
        return self._known.get(test, {}).get(database)

    def record(
        self, counted: Mapping[str, list[Count]], database: str, gone: Iterable[str], version: str
    ) -> tuple[int, int, int]:
        """Write the file anew; return how many tests were added, changed and removed.

        Args:
            counted: the tests that ran and passed. Others keep what is recorded for them.
            database: the server on which they ran.
            gone: tests recorded on it that do not exist any more.
            version: harness's version.

        Raises:
            ConfigError: the file cannot be written.
        """
        known = {test: dict(by_database) for test, by_database in self._known.items()}
        removed = [test for test in gone if known.get(test, {}).pop(database, None) is not None]
        added = changed = 0
        for test, counts in counted.items():
            before = known.get(test, {}).get(database)
            if counts:
                known.setdefault(test, {})[database] = counts
            elif before is not None:
                del known[test][database]
            added += bool(counts) and before is None
            changed += before is not None and _wire(before) != _wire(counts)
        databases = sorted({*self.databases, database})
        self.file.write({"version": version, "databases": databases}, _rows(known, databases))
        self.databases, self._known = tuple(databases), known
        return added, changed, len(removed)


def _wire(counts: Iterable[Count]) -> list[dict[str, Any]]:
    return sorted((count.to_wire() for count in counts), key=lambda wire: str(wire["request"]))


def _rows(known: _Known, databases: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for test in sorted(known):
        by_request: dict[str, dict[str, dict[str, Any]]] = {}
        for database, counts in sorted(known[test].items()):
            for wire in _wire(counts):
                by_request.setdefault(wire["request"], {})[database] = wire
        for _, wires in sorted(by_request.items()):
            first, *others = wires.values()
            if len(wires) == len(databases) and all(other == first for other in others):
                rows.append({"test": test, **first})
            else:
                rows += [{"test": test, "database": database, **wire} for database, wire in wires.items()]
    return rows


def open_ledger(name: str, root: Path, *, recording: bool, source: str) -> QueryLedger:
    """Return the ledger that `harness_queries` names.

    Args:
        name: the option's value, relative to the project's directory.
        root: that directory.
        recording: whether it is written at the end of the run; then it need not exist.
        source: where the option's value comes from.

    Raises:
        ConfigError: it does not exist, cannot be read, or is no query ledger of this schema; or could not be written.
    """
    file = KeptFile(KIND, root / name, name)
    if recording:
        file.check_writable()
        if not file.path.exists():
            return QueryLedger(file, (), {}, recording=True)
    data = file.read(source)
    databases = data.get("databases")
    if not isinstance(databases, list) or not all(isinstance(one, str) and one for one in databases):
        raise file.malformed(name, '"databases" is not a list of names')
    known: _Known = {}
    for number, row in enumerate(data[KIND.entries], 1):
        _take(row, databases, known, file, f"{name}, entry {number} of {len(data[KIND.entries])}")
    return QueryLedger(file, databases, known, recording=recording)


def _take(row: Any, databases: Sequence[str], known: _Known, file: KeptFile, where: str) -> None:
    if not isinstance(row, dict):
        raise file.malformed(where, "it is not an object")
    for field in ("test", "request"):
        if not isinstance(row.get(field), str) or not row[field]:
            raise file.malformed(where, f'it has no "{field}"')
    shapes = row.get("shapes")
    if not isinstance(shapes, dict) or not all(type(number) is int and number > 0 for number in shapes.values()):
        raise file.malformed(where, '"shapes" does not give numbers of queries')
    if type(row.get("times")) is not int or row["times"] < 1:
        raise file.malformed(where, '"times" is not a number of requests')
    if row.get("queries") != sum(shapes.values()):
        raise file.malformed(where, f'"queries" is {row.get("queries")!r}, and its shapes are {sum(shapes.values())}')
    database = row.get("database")
    if database is not None and database not in databases:
        raise file.malformed(where, f'"database" is {database!r}, which "databases" does not name')
    for one in (database,) if database is not None else databases:
        counts = known.setdefault(row["test"], {}).setdefault(one, [])
        if any(count.request == row["request"] for count in counts):
            raise file.malformed(where, f"{row['test']} has {row['request']!r} already")
        counts.append(Count.from_wire(row))
