"""The revisions of a project as Alembic knows them: their order, their names, and which one a file is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import MigrationError
from harness.schema.environment import path_kept

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A migration.

    Attributes:
        id: as in its file.
        message: the first line of its docstring.
        before: the revisions that it follows and depends on; none for a first one.
        follows: those that it follows.
        path: its file.
    """

    id: str
    message: str
    before: tuple[str, ...]
    follows: tuple[str, ...]
    path: Path

    @property
    def label(self) -> str:
        """Its id and message as part of a test's id."""
        words = re.sub(r"[^a-z0-9]+", "_", self.message.lower()).strip("_")
        if len(words) > 40:
            words = words[:41].rpartition("_")[0] or words[:40]
        told = not words or words == "empty_message" or words.startswith(self.id)  # an id may be made of words
        return self.id if told else f"{self.id}_{words}"

    def __str__(self) -> str:
        return f"{self.id} ({self.message})" if self.message else self.id


class History:
    """The revisions of one script directory.

    Args:
        config: names it.

    Raises:
        MigrationError: the files contradict each other, or one cannot be imported.
    """

    def __init__(self, config: Config) -> None:
        from alembic.script import ScriptDirectory

        with path_kept():
            self.script = ScriptDirectory.from_config(config)
            try:
                found = list(self.script.walk_revisions())
                self.heads: tuple[str, ...] = tuple(sorted(self.script.get_heads()))
            except Exception as problem:
                raise _unreadable(problem, Path(self.script.dir)) from problem
            #: Oldest first.
            self.revisions: tuple[Revision, ...] = tuple(self._revision(one) for one in reversed(found))
        self._by_id = {revision.id: revision for revision in self.revisions}
        self._by_path = {revision.path.resolve(): revision for revision in self.revisions}

    def _revision(self, script: Any) -> Revision:
        follows, needs = _ids(script.down_revision), _ids(script.dependencies)
        before = [one.revision for name in (*follows, *needs) for one in self.script.get_revisions(name)]
        return Revision(
            id=script.revision,
            message=str(script.doc or "").strip().rstrip("."),
            before=tuple(dict.fromkeys(before)),
            follows=follows,
            path=Path(script.path),
        )

    def __getitem__(self, revision: str) -> Revision:
        """Return the revision of an id, or of the beginning of one.

        Raises:
            MigrationError: there is none.
        """
        if revision in self._by_id:
            return self._by_id[revision]
        fits = [one for one in self.revisions if one.id.startswith(revision)] if revision else []
        if len(fits) == 1:
            return fits[0]
        raise self.unknown(revision)

    def unknown(self, revision: str) -> MigrationError:
        """Return the error for a revision that there is not."""
        from difflib import get_close_matches

        near = get_close_matches(revision, self._by_id, 1)
        known = [str(one) for one in self.revisions]
        shown = known if len(known) <= 8 else [*known[:3], f"… {len(known) - 6} more …", *known[-3:]]
        return MigrationError(
            f"there is no revision {revision!r} among the migrations",
            where=str(self.script.dir),
            remedy=f"{f'did you mean {near[0]!r}? ' if near else ''}the revisions, oldest first:\n" + "\n".join(shown)
            if known
            else "the directory holds no revision yet: alembic revision --autogenerate",
        )

    def ancestors(self, revision: str) -> set[str]:
        """Return a revision and all that have to come before it."""
        found: set[str] = set()
        left = [revision]
        while left:
            if (one := left.pop()) not in found:
                found.add(one)
                left += self[one].before
        return found

    def of_file(self, path: str) -> Revision | None:
        """Return the revision that a file holds."""
        return self._by_path.get(Path(path).resolve())


def _ids(given: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _unreadable(problem: Exception, directory: Path) -> MigrationError:
    from harness.migrations.failures import line_below, words

    return MigrationError(
        f"the migrations cannot be read: {words(problem)}",
        where=line_below(problem, directory) or str(directory),
        remedy="run `alembic history` to see the same error",
    )
