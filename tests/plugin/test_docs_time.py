"""`docs/time-and-identity.md`: its example is a project, and its tests pass."""

from __future__ import annotations

from tests.support.documents import Document
from tests.support.projects import Project

#: What pytest-asyncio wants said; a user would see its warning.
SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")


def write_example(project: Project) -> int:
    """Write the files of the page, and return how many tests they have."""
    page = Document("time-and-identity.md")
    page.write(project)
    (project.path / "shop/__init__.py").touch()
    return page.files["test_notes.py"].count("\ndef test_")


def test_the_example_runs_as_it_is_written(project: Project) -> None:
    """On SQLite, with nothing but the page."""
    tests = write_example(project)

    project.run(*SCOPE).assert_passed(tests)
