"""The files of the user's code, each read once, for the comments in them; and what is wrong with those comments."""

from __future__ import annotations

import os
import sys
import tokenize
from dataclasses import replace
from functools import cache
from pathlib import Path

from harness.callsite import is_users
from harness.config.codes import Known, covered, unknown_rule
from harness.errors import ConfigError
from harness.gate import comments
from harness.gate.comments import Comment, Source

_FORM = "# harness: allow[H301] reason"


class Sources:
    """Reads comments. Paths are as in `Location.path`.

    Args:
        root: the project's directory.
        known: the rules there are.
    """

    def __init__(self, root: Path, known: Known) -> None:
        self.problems: dict[str, None] = {}
        self._root = root
        self._known = known
        self._source = cache(self._read)
        self.holding = cache(self._holding)

    def of(self, path: str) -> tuple[Comment, ...]:
        """Return the comments of a file, with the codes that exist."""
        return self._source(path).comments

    def function_at(self, path: str, line: int) -> str:
        """Return the function to which a line belongs."""
        return self._source(path).function_at(line)

    def _holding(self, path: str, line: int) -> tuple[Comment, ...]:
        """Return the comments that hold for a line."""
        return tuple(self._source(path).holding(line))

    def _read(self, path: str) -> Source:
        try:
            with tokenize.open(self._root / path) as file:
                source = comments.read(file.read())
        except (OSError, SyntaxError, ValueError):
            return Source()  # not a file, or not one of Python: no comment of Python's can be in it
        return replace(source, comments=tuple(self._checked(comment, path) for comment in source.comments))

    def _checked(self, comment: Comment, path: str) -> Comment:
        """Return a comment without codes that do not exist, and take note of what is wrong with it."""
        where, what = f"{path}:{comment.line}", "the comment '# harness: allow[…]'"
        if comment.wrong:
            error = ConfigError(f"a comment to harness {comment.wrong}", where=where, remedy=f"write it as {_FORM}")
            self.problems[str(error)] = None
        unknown = [code for code in comment.codes if not covered(code, self._known)]
        for code in unknown:
            self.problems[str(unknown_rule(what, code, self._known, where))] = None
        return replace(comment, codes=tuple(code for code in comment.codes if code not in unknown))


def loaded_sources(root: Path) -> list[str]:
    """Return the files of all modules of the user's that this process has imported from the project's directory."""
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(file, str) and file.endswith(".py") and is_users(file):
            path = os.path.relpath(file, root)
            if not path.startswith(".."):
                found.add(path.replace(os.sep, "/"))
    return sorted(found)
