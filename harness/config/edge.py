"""Where pytest's configuration meets harness's: declares the options, reads them, and tells usage errors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import pytest

from harness.config import markers
from harness.config.options import COMMANDS, OPTIONS, Command, Option
from harness.config.resolve import resolve
from harness.config.settings import Settings, settings_from
from harness.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def declare(parser: pytest.Parser) -> None:
    """Declare every option of the table as a flag and as an ini key, and every command as a flag."""
    group = parser.getgroup("harness", "harness: FastAPI + SQLAlchemy tests on a real database")
    for option in OPTIONS:
        group.addoption(
            option.flag,
            action="append",
            default=None,
            dest=option.dest,
            metavar=option.metavar,
            help=f"{option.help}{f' (default: {option.default})' if option.default else ''} [{option.env}]",
        )
        kind: Literal["args", "linelist", "string"] = "string"
        if option.many:
            kind = "linelist" if option.lines else "args"
        parser.addini(option.ini, option.help, type=kind, default=None)
    for command in COMMANDS:
        if command.metavar is None:
            group.addoption(command.flag, action="store_true", default=False, dest=command.dest, help=command.help)
        else:
            group.addoption(
                command.flag,
                action="append",
                default=None,
                dest=command.dest,
                metavar=command.metavar,
                help=command.help,
            )


def declare_marker(config: pytest.Config) -> None:
    """Declare the marker, so that `--strict-markers` knows it."""
    config.addinivalue_line("markers", markers.HELP)


def read(config: pytest.Config) -> Settings:
    """Return the settings.

    Raises:
        pytest.UsageError: a value cannot be used. Never while help or the version is asked for.
    """
    try:
        found = resolve(_command_line(config), os.environ, _ini(config), _ini_source(config))
        return settings_from(found)
    except (ConfigError, pytest.UsageError) as error:
        if only_tells(config):
            return settings_from(resolve(lambda option: None, {}, lambda option: None, lambda option: ""))
        raise pytest.UsageError(f"harness: {error}") from None


def asked_for(config: pytest.Config) -> bool:
    """Tell whether the plugin was named with `-p harness`."""
    return "harness" in (_arguments(config).plugins or ())


def only_tells(config: pytest.Config) -> bool:
    """Tell whether pytest will only print something, such as its help, and run no test."""
    arguments = _arguments(config)
    return any(getattr(arguments, name, False) for name in ("help", "version", "markers")) or bool(to_explain(config))


def to_explain(config: pytest.Config) -> tuple[str, ...]:
    """Return the rules whose manual was asked for instead of a run of tests."""
    return tuple(getattr(_arguments(config), "harness_explain", None) or ())


def _arguments(config: pytest.Config) -> argparse.Namespace:
    """Return the parsed command line. `config.option` is not filled before the first conftest.py is loaded."""
    return config.known_args_namespace


def _command_line(config: pytest.Config) -> Callable[[Option | Command], list[str] | None]:
    arguments = _arguments(config)

    def said(option: Option | Command) -> list[str] | None:
        values: list[str] | bool | None = getattr(arguments, option.dest, None)
        if isinstance(values, bool):  # a flag without a value
            return ["on"] if values else None
        return values

    return said


def _ini(config: pytest.Config) -> Callable[[Option], list[str] | None]:
    def said(option: Option) -> list[str] | None:
        try:
            value = config.getini(option.ini)
        except (TypeError, pytest.UsageError) as error:  # a value of another type in native TOML
            if option.many and (one := _one_string(config, option)) is not None:
                return [one]
            raise ConfigError(str(error), where=_ini_source(config)(option)) from None
        if value is None:  # the declared default; a key that is there and empty gives "" or []
            return None
        return [str(part) for part in value] or [""] if isinstance(value, list) else [str(value)]

    return said


def _one_string(config: pytest.Config, option: Option) -> str | None:
    """Return the one value of an option of several, where native TOML has it without a list around it."""
    import tomllib

    if config.inipath is None:
        return None
    tables = tomllib.loads(config.inipath.read_text(encoding="utf-8"))
    tables = tables.get("tool", {}) if config.inipath.name == "pyproject.toml" else tables
    value = tables.get("pytest", {}).get(option.ini)
    return value if isinstance(value, str) else None


def _ini_source(config: pytest.Config) -> Callable[[Option], str]:
    overridden = [text.partition("=")[0] for text in _arguments(config).override_ini or ()]
    file = config.inipath.name if config.inipath is not None else "configuration file"
    return lambda option: "-o" if option.ini in overridden else file
