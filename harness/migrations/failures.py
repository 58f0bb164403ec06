"""What went wrong in a migration: which revision, which line, and in whose words."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from harness.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.migrations.history import History

#: What a driver says when a lock did not come in time, which it would have in production as well.
_LOCKED = ("lock timeout", "database is locked", "table is locked", "Lock wait timeout")


def failed(problem: BaseException, history: History, step: str, stranger: str | None = None) -> MigrationError:
    """Return the error for a command of Alembic's that failed.

    Args:
        problem: what it raised.
        history: knows which revision a file is.
        step: what was done, as in "the upgrade to head".
        stranger: says that the migrations are of another kind of database, if they are.
    """
    said = words(problem)
    for path, line in reversed(list(_frames(problem))):
        if (revision := history.of_file(path)) is not None:
            return MigrationError(
                f"{step} failed in revision {revision}",
                where=f"{shown(path)}:{line}",
                why=said,
                remedy=_remedy(said) or stranger or "mend that migration",
            )
    directory = Path(history.script.dir)
    return MigrationError(
        f"{step} failed",
        where=line_below(problem, Path.cwd()) or line_below(problem, directory) or str(directory),
        why=said,
        remedy=_remedy(said) or stranger or "run the same with Alembic's own command line to see the whole traceback",
    )


def words(problem: BaseException) -> str:
    """Return an error in one line, and the statement that a database refused; never its parameters."""
    original = getattr(problem, "orig", None) or problem
    text = f"{type(original).__name__}: {' '.join(str(original).split())}"[:400].rstrip(": ")
    statement = getattr(problem, "statement", None)
    return f"{text}\nin {' '.join(str(statement).split())[:300]}" if statement else text


def line_below(problem: BaseException, directory: Path) -> str | None:
    """Return the last line below a directory that an error went through."""
    inside = [f"{shown(path)}:{line}" for path, line in _frames(problem) if _is_below(path, directory)]
    return inside[-1] if inside else None


def _is_below(path: str, directory: Path) -> bool:
    below = Path(path).resolve()
    return not path.startswith("<") and below.is_relative_to(directory.resolve()) and "site-packages" not in below.parts


def _frames(problem: BaseException) -> Iterator[tuple[str, int]]:
    trace: TracebackType | None = problem.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    if isinstance(problem, SyntaxError) and problem.filename:
        yield problem.filename, problem.lineno or 1


def shown(path: str | Path) -> str:
    """Return a path as it is shown: short, if it is below the current directory."""
    below = Path(path)
    return str(below.relative_to(Path.cwd())) if below.is_relative_to(Path.cwd()) else str(path)


def _remedy(said: str) -> str | None:
    if any(sign in said for sign in _LOCKED):
        return "commit or close the sessions and connections of the test before the next step of the migrations"
    return None
