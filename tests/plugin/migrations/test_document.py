"""`docs/migrations.md`: its file gives the tests, and its message is what is said."""

from __future__ import annotations

from tests.support.documents import Document
from tests.support.migrations import revision, shop
from tests.support.projects import Project

PAGE = Document("migrations.md")


def test_the_file_of_the_page_gives_the_tests(project: Project) -> None:
    """In a directory of tests, as the page has it."""
    shop(project)
    (project.path / "test_migrations.py").unlink()

    PAGE.write(project).run_apart().assert_passed(5)


def test_the_message_of_the_page_is_said(project: Project) -> None:
    """Of a history with two heads."""
    shop(project)
    revision(project, "c3", "b2", message="Mine")
    revision(project, "d4", "b2", message="Yours")
    (message,) = PAGE.all("message")

    project.run_apart("-k", "single_head").assert_says(message.rstrip())
