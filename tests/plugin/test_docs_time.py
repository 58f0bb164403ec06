"""`docs/time-and-identity.md`: its example is a project, and its tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import harness
from tests.support.projects import Project

PAGE = Path(harness.__file__).parent.parent / "docs/time-and-identity.md"
#: What pytest-asyncio wants said; a user would see its warning.
SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")
_BLOCK = re.compile(r"^```(?:python|ini)\n# (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def write_example(project: Project) -> int:
    """Write the files of the page, and return how many tests they have."""
    (project.path / "pytest.ini").unlink()
    found = {block["name"]: block["text"] for block in _BLOCK.finditer(PAGE.read_text())}
    for name, text in found.items():
        path = project.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (project.path / "shop/__init__.py").touch()
    assert set(found) == {"shop/models.py", "shop/main.py", "pytest.ini", "test_notes.py"}
    return found["test_notes.py"].count("\ndef test_")


def test_the_example_runs_as_it_is_written(project: Project) -> None:
    """On SQLite, with nothing but the page."""
    tests = write_example(project)

    project.run(*SCOPE).assert_passed(tests)
