"""Pages whose examples are run: a comment before a block of code says what it is, `<!-- file: shop.py -->`."""

from __future__ import annotations

import re
from pathlib import Path

import harness
from tests.support.projects import Project

_ROOT = Path(harness.__file__).parent.parent
_BLOCK = re.compile(r"<!-- (?P<kind>\w+)(?:: (?P<name>\S+))? -->\n```\w*\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


class Document:
    """A page of `docs/`."""

    def __init__(self, name: str) -> None:
        self._blocks = list(_BLOCK.finditer((_ROOT / "docs" / name).read_text()))

    @property
    def files(self) -> dict[str, str]:
        """The files of the page's project."""
        return {block["name"]: block["text"] for block in self._blocks if block["kind"] == "file"}

    def all(self, kind: str) -> list[str]:
        """The blocks of another kind, in the order of the page."""
        return [block["text"] for block in self._blocks if block["kind"] == kind]

    def write(self, project: Project) -> Project:
        """Write the page's files."""
        for name, text in self.files.items():
            path = project.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return project
