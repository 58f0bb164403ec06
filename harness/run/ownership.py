"""Whose file is it: the tests' or the application's?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

_FOLDERS = frozenset({"tests", "test", "testing"})


def test_files(root: Path, patterns: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a file belongs to the tests.

    It does if pytest collects files of its name, if it is a `conftest.py`, or if it lies in a folder for tests.

    Args:
        root: the project's directory; what is above it says nothing.
        patterns: pytest's `python_files`.
    """
    names = tuple(patterns)

    @lru_cache(maxsize=4096)
    def is_test(filename: str) -> bool:
        path = Path(filename)
        if path.name == "conftest.py" or any(fnmatch(path.name, name) for name in names):
            return True
        try:
            folders = path.relative_to(root).parts[:-1]
        except ValueError:
            return False
        return not _FOLDERS.isdisjoint(folders)

    return is_test
