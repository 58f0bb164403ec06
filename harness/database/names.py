"""How the databases of a run are called on a server that others use as well, and whose a name is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.database.identity import RunIdentity

_OF_A_RUN = re.compile(r".*_harness_([0-9a-f]{8})_(\w+)")


def base_of(database: str | None, run: RunIdentity) -> str:
    """Return what names made beside a database begin with: its own name, without what harness has added to it."""
    return (database or "test").partition(f"_harness_{run.run_id}_")[0]


def name_for(base: str, run: RunIdentity, suffix: str, longest: int) -> str:
    """Return the name of a database of a run, `<base>_harness_<run id>_[<worker>_]<suffix>`.

    Servers cut longer names off, so that two of them would be one; the base is shortened instead.
    """
    tail = f"_harness_{run.run_id}_{_worker(run)}{suffix}"
    return base.encode()[: longest - len(tail)].decode(errors="ignore") + tail


def run_of(name: str) -> str | None:
    """Return the id of the run that a database's name tells, or None."""
    match = _OF_A_RUN.fullmatch(name)
    return match.group(1) if match else None


def belongs(name: str, run: RunIdentity) -> bool:
    """Tell whether a database is a run's; for a worker, whether it is that worker's."""
    match = _OF_A_RUN.fullmatch(name)
    return match is not None and match.group(1) == run.run_id and match.group(2).startswith(_worker(run))


def _worker(run: RunIdentity) -> str:
    return f"{run.worker}_" if run.worker else ""
