"""The laws of every option that names a file under version control, and of the flag that writes it."""

from __future__ import annotations

from typing import ClassVar

import pytest

from harness.config.options import OPTIONS
from tests.support.options import OptionLaws
from tests.support.projects import Project


class KeptFileLaws(OptionLaws):
    """What a user can rely on, whatever the file holds.

    Attributes:
        kind: how messages call it.
        empty: what a file contains that accepts nothing.
        command: the flag that writes it, without its prefix.
    """

    kind: ClassVar[str]
    empty: ClassVar[str]
    command: ClassVar[str]

    @pytest.fixture
    def project(self, project: Project) -> Project:
        """A project with two such files, in which nothing is accepted."""
        for name in (self.first, self.second):
            (project.path / name).write_text(self.empty)
        return project

    @property
    def writing(self) -> str:
        """The flag that writes the file."""
        return f"--harness-{self.command}"

    def given(self, project: Project) -> Project:
        """A project that names the first file, and whose only test must not be reached."""
        return project.app().ini(self.ini(self.first)).write(test_it="def test_it(): raise AssertionError")

    def test_a_missing_file_is_refused_with_the_way_to_create_it(self, project: Project) -> None:
        """Before any test runs."""
        (project.path / self.first).unlink()

        self.given(project).run().assert_usage_error(
            f"the {self.kind} {self.first} does not exist", "pytest.ini", self.writing
        )

    @pytest.mark.parametrize(
        ("text", "fact"), [("{{", "cannot be understood"), ('{{"schema": "{0}/2"}}', "is of schema '{0}/2'")]
    )
    def test_a_file_that_cannot_be_used_is_refused(self, project: Project, text: str, fact: str) -> None:
        """Also where it would be overwritten."""
        schema = f"harness-{self.name}"
        (self.given(project).path / self.first).write_text(text.format(schema))

        project.run().assert_usage_error(self.kind, fact.format(schema), self.first)
        project.run(self.writing).assert_usage_error(self.kind, fact.format(schema), self.first)

    def test_writing_without_a_file_is_refused(self, project: Project) -> None:
        """The message has the line to write."""
        project.app().write(test_it="def test_it(): raise AssertionError")

        project.run(self.writing).assert_usage_error(
            f"{self.writing} has no file to write to", f"harness_{self.name} = harness-{self.name}.json"
        )

    def test_a_file_that_cannot_be_written_is_refused_at_the_start(self, project: Project) -> None:
        """Not after a long run."""
        project.app().write(test_it="def test_it(): raise AssertionError")

        project.run(self.flag("no/such.json"), self.writing).assert_usage_error(
            f"the {self.kind} no/such.json cannot be written", "there is no directory no"
        )

    def test_writing_is_a_flag_only(self) -> None:
        """A file or a variable that says it would accept everything for ever."""
        assert self.command.replace("-", "_") not in {option.name for option in OPTIONS}
