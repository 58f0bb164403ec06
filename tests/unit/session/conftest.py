"""A project on disk that a test can import and that is forgotten afterwards."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest


class Project:
    """Files below a folder that is the working directory and on ``sys.path``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, **sources: str) -> Path:
        """Write modules; ``shop__main`` is ``shop/main.py``."""
        for name, source in sources.items():
            path = self.root.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return self.root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An importable project of the test's own."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Project(tmp_path)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or tmp_path).startswith(str(tmp_path)):
            del sys.modules[name]
