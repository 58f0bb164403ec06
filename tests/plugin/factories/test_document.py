"""`docs/factories.md` is a project that runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import harness
from tests.support.projects import Project

PAGE = Path(harness.__file__).parent.parent / "docs/factories.md"


def test_the_examples_run(project: Project) -> None:
    """All files of the page, in one directory."""
    found = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, text in found:
        (project.path / name).write_text(text, encoding="utf-8")

    assert len(found) == 8
    project.run_apart("-p", "pytest_factoryboy.plugin").assert_passed(8)
