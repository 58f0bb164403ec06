"""Tests that commit on the shared database: what they wrote is deleted afterwards, and what was there before stays.

Deleting beats truncating by far for the few rows that a test writes. Tables that were empty are emptied; of the others
the rows that they had are put back, if they have changed. Sequences are set back, so that ids repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import IsolationError
from harness.isolation.rows import Layout, filled, fingerprints, read, replace, sequences

if TYPE_CHECKING:
    from harness.database.drivers import Physical


class Deletes:
    """The rows of a PostgreSQL database at one moment, and the way back to them.

    Args:
        physical: a connection that is in no transaction.
    """

    def __init__(self, physical: Physical) -> None:
        self._layout = Layout.read(physical)
        self._before = fingerprints(physical, self._layout)
        self._rows = {name: read(physical, name) for name in self._before}
        self._sequences = sequences(physical, self._layout)

    def undo(self, physical: Physical) -> list[IsolationError]:
        """Bring the rows back; return what went wrong."""
        try:
            self._undo(physical)
        except Exception as error:  # noqa: BLE001 - each driver has exceptions of its own
            return [
                IsolationError(
                    "what the test committed could not be deleted",
                    why=f"{type(error).__name__}: {' '.join(str(error).split())}",
                    remedy=(
                        "end the threads and tasks that still have a transaction open, and undo DDL in the test,\n"
                        'or give it a database of its own: @pytest.mark.harness(isolation="database")'
                    ),
                )
            ]
        return []

    def _undo(self, physical: Physical) -> None:
        dirty = set(filled(physical, [table.name for table in self._layout.tables if table.name not in self._rows]))
        if self._before:
            now = fingerprints(physical, self._layout_of_kept())
            dirty |= {name for name, before in self._before.items() if now.get(name) != before}
        affected = self._layout.with_dependents(dirty) if dirty else set()
        rows = {name: self._rows.get(name, []) for name in affected}
        now_at = sequences(physical, self._layout)
        counters = [call for name, call in self._sequences.items() if now_at.get(name) != call]
        replace(physical, self._layout, rows, counters)
        if rows and filled(physical, [name for name in rows if name not in self._rows]):
            replace(physical, self._layout, rows, counters)  # a trigger has written while rows were deleted

    def _layout_of_kept(self) -> Layout:
        kept = tuple(table for table in self._layout.tables if table.name in self._rows)
        return Layout(kept, self._layout.references, ())
