"""The laws that hold for every option; a test file of an option inherits them and names two values."""

from __future__ import annotations

import shlex
from typing import ClassVar

import pytest

from harness.config.options import OPTIONS, Option
from tests.support.projects import Project, Result

_PROBE = """
    def test_probe(request):
        from harness.run.life import life_of

        value = life_of(request.config).run.settings.sources[{name!r}]
        print(f"\\nPROBE {{' '.join(value.values)}} <{{value.source}}>")
"""
_TOML = 'pythonpath = ["."]\nasyncio_default_fixture_loop_scope = "function"'
NATIVE_TOML = pytest.version_tuple >= (9, 0)


class OptionLaws:
    """What a user can rely on for the option `name`, whatever it means.

    Attributes:
        name: the option.
        first: a value that can be used.
        second: another one.
        default: what holds when nobody says anything, as text.
    """

    name: ClassVar[str]
    first: ClassVar[str]
    second: ClassVar[str]
    default: ClassVar[str] = ""

    @property
    def option(self) -> Option:
        """The declaration of the option."""
        return next(option for option in OPTIONS if option.name == self.name)

    def flag(self, value: str) -> str:
        """The option on the command line."""
        return f"--harness-{self.name.replace('_', '-')}={value}"

    def ini(self, value: str) -> str:
        """The option in pytest.ini."""
        return f"harness_{self.name} = {value}"

    @property
    def env(self) -> str:
        """The name of the environment variable."""
        return f"HARNESS_{self.name.upper()}"

    def settled(self, project: Project, *arguments: str) -> tuple[str, str]:
        """Run, and return the value that holds and where it came from."""
        project.write(test_probe=_PROBE.format(name=self.name))
        result = project.run("-s", *arguments)
        result.assert_passed(1)
        line = next(line for line in result.text.splitlines() if line.startswith("PROBE "))
        value, _, source = line.removeprefix("PROBE ").rpartition(" <")
        return value, source.removesuffix(">")

    def refused(self, project: Project, *arguments: str) -> Result:
        """Run a project whose only test must not be reached, and return how it was refused."""
        project.write(test_it="def test_it():\n    raise AssertionError('a test ran')\n")
        return project.run(*arguments)

    # -- the laws --------------------------------------------------------------------------------------------------

    def test_the_default_holds_when_nobody_says_anything(self, project: Project) -> None:
        """With `default` as its source."""
        assert (self.default, "default") == self.settled(project)

    def test_the_command_line_is_heard(self, project: Project) -> None:
        """As a flag with `=`, and in `addopts`."""
        project.app()

        assert (self.first, self.option.flag) == self.settled(project, self.flag(self.first))
        project.ini(f"addopts = {shlex.quote(self.flag(self.second))}")
        assert (self.second, self.option.flag) == self.settled(project)

    def test_the_environment_is_heard(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        """Under the option's upper-case name."""
        monkeypatch.setenv(self.env, self.first)

        assert (self.first, self.env) == self.settled(project.app())

    def test_pytest_ini_is_heard(self, project: Project) -> None:
        """With the file as the source."""
        assert (self.first, "pytest.ini") == self.settled(project.app().ini(self.ini(self.first)))

    def test_pyproject_is_heard(self, project: Project) -> None:
        """In the table `[tool.pytest.ini_options]`."""
        (project.path / "pytest.ini").unlink()
        text = f'[tool.pytest.ini_options]\n{_TOML}\nharness_{self.name} = "{self.first}"\n'
        (project.path / "pyproject.toml").write_text(text)

        assert (self.first, "pyproject.toml") == self.settled(project.app())

    @pytest.mark.skipif(not NATIVE_TOML, reason="pytest reads [tool.pytest] since version 9")
    def test_native_toml_is_heard(self, project: Project) -> None:
        """In the table `[tool.pytest]`, where lists are lists."""
        (project.path / "pytest.ini").unlink()
        value = f'["{self.first}"]' if self.option.many else f'"{self.first}"'
        text = f"[tool.pytest]\n{_TOML}\nharness_{self.name} = {value}\n"
        (project.path / "pyproject.toml").write_text(text)

        assert (self.first, "pyproject.toml") == self.settled(project.app())

    def test_the_command_line_outranks_the_environment_and_that_the_file(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Command line > environment > configuration file."""
        project.app().ini(self.ini(self.second))
        monkeypatch.setenv(self.env, self.first)
        assert (self.first, self.env) == self.settled(project)

        monkeypatch.setenv(self.env, self.second)
        assert (self.first, self.option.flag) == self.settled(project, self.flag(self.first))

    def test_an_override_of_the_file_is_named_as_the_source(self, project: Project) -> None:
        """`-o` outranks the file, as everywhere in pytest."""
        project.app().ini(self.ini(self.second))

        assert (self.first, "-o") == self.settled(project, "-o", f"harness_{self.name}={self.first}")

    def test_the_header_shows_value_and_source(self, project: Project) -> None:
        """A reader of the report sees what was chosen, and by whom."""
        project.app().ini(self.ini(self.first)).write(test_it="def test_it(): pass")
        result = project.run()

        assert self.shown in result.header, result.text
        assert "(pytest.ini)" in result.header, result.text

    @property
    def shown(self) -> str:
        """How the header shows the first value."""
        return self.first

    @pytest.mark.parametrize("source", ["flag", "environment", "file"])
    def test_an_empty_value_is_a_usage_error(
        self, project: Project, monkeypatch: pytest.MonkeyPatch, source: str
    ) -> None:
        """It is a value, and no option has an empty one; the message says what to write."""
        arguments = [self.flag("")] if source == "flag" else []
        if source == "environment":
            monkeypatch.setenv(self.env, "")
        if source == "file":
            project.ini(self.ini(""))
        result = self.refused(project, *arguments)

        where = {"flag": self.option.flag, "environment": self.env, "file": "pytest.ini"}[source]
        result.assert_usage_error(f"harness: harness_{self.name} is empty", where, "or leave it out")

    def test_a_repeated_value(self, project: Project) -> None:
        """Several values where several are allowed; else a usage error that shows them all."""
        if self.option.many:
            found = self.settled(project.app(), self.flag(self.first), self.flag(self.second))
            assert (f"{self.first} {self.second}", self.option.flag) == found
        else:
            result = self.refused(project, self.flag(self.first), self.flag(self.second))
            result.assert_usage_error(f"harness_{self.name} was given 2 times", "give it once")

    @pytest.mark.parametrize("flag", ["--help", "--version", "--markers"])
    def test_help_never_breaks(self, project: Project, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
        """Not even with values that cannot be used, wherever they come from."""
        project.ini(self.ini(""))
        monkeypatch.setenv(self.env, " ")
        result = project.run(flag, self.flag(""))

        assert 0 == result.code, result.text
        if flag == "--help":
            result.assert_says(self.option.flag, f"harness_{self.name}", self.env)
