"""The parts of one test, judged one by one: what was found in all of them, and how much there was."""

from __future__ import annotations

from collections.abc import Iterable

from harness.gate.record import Location, Record
from harness.observe.tape import Tape


class Fold:
    """What is left of tapes that were judged and thrown away.

    Attributes:
        requests, statements: how many there were.
        shown: the last tape with a request or a statement. Of a property that fails it is the minimal example's, which
            hypothesis runs last.
    """

    def __init__(self) -> None:
        self.requests = self.statements = 0
        self.shown: Tape | None = None
        self._records: dict[tuple[str, Location | None], Record] = {}

    def add(self, tape: Tape, found: Iterable[Record]) -> None:
        """Count a tape in, with what was found on it."""
        self.requests += len(tape.requests)
        self.statements += tape.statements
        if tape.requests or tape.statements:
            self.shown = tape
        for record in found:
            # By line as well: a comment may accept one line of a function and not another.
            key = (record.fingerprint, record.location)
            known = self._records.get(key)
            self._records[key] = record if known is None else known.merged(record)

    @property
    def records(self) -> list[Record]:
        """What was found, each finding once for each line, with how often it arose."""
        return list(self._records.values())
