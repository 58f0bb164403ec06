"""Which value holds, and who said so: command line > environment > configuration file > default."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.config.options import COMMANDS, OPTIONS, Command, Option
from harness.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Value:
    """The values of one option and where they come from; `given` is false for a default."""

    values: tuple[str, ...]
    source: str
    given: bool

    @property
    def first(self) -> str | None:
        """The value of an option that takes one."""
        return self.values[0] if self.values else None


def resolve(
    command_line: Callable[[Option | Command], list[str] | None],
    environment: Mapping[str, str],
    ini: Callable[[Option], list[str] | None],
    ini_source: Callable[[Option], str],
) -> dict[str, Value]:
    """Resolve every option and command. A source says None if it says nothing; an empty value is a value.

    Args:
        command_line: the values given with the flag of an option or command.
        environment: the process's environment.
        ini: the values under an option's key.
        ini_source: how messages call the place of an option's key.

    Raises:
        ConfigError: an environment variable with several values has a quote that is not closed.
    """
    found = {}
    for option in OPTIONS:
        said = [
            (command_line(option), option.flag),
            (_split(option, environment[option.env]) if option.env in environment else None, option.env),
            (ini(option), ini_source(option)),
        ]
        given = [(values, source) for values, source in said if values is not None]
        if given:
            values, source = given[0]
            found[option.name] = Value(tuple(values), source, given=True)
        else:
            default = () if option.default is None else (option.default,)
            found[option.name] = Value(default, "default", given=False)
    for command in COMMANDS:
        values_or_none = command_line(command)
        found[command.name] = Value(tuple(values_or_none or ()), command.flag, given=values_or_none is not None)
    return found


def _split(option: Option, text: str) -> list[str]:
    if not option.many:
        return [text]
    if option.lines:
        return [line.strip() for line in text.splitlines() if line.strip()] or [""]
    try:
        return shlex.split(text) or [""]
    except ValueError as error:
        raise ConfigError(
            f"{option.env} cannot be split into values: {error}",
            where=option.env,
            remedy="separate the values by spaces, and close every quote",
        ) from None
