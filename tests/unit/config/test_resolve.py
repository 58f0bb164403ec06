"""Which value holds, and who said so."""

from __future__ import annotations

import pytest

from harness.config.options import OPTIONS, Option
from harness.config.resolve import Value, resolve
from harness.config.settings import Settings, settings_from, without_password
from harness.errors import ConfigError


def resolved(
    cli: dict[str, list[str]] | None = None, env: dict[str, str] | None = None, ini: dict[str, list[str]] | None = None
) -> dict[str, Value]:
    """Resolve all options from three sources."""
    return resolve(
        lambda option: (cli or {}).get(option.name),
        env or {},
        lambda option: (ini or {}).get(option.name),
        lambda _: "x.ini",
    )


def settled(**cli: str) -> Settings:
    """The settings of a command line."""
    return settings_from(resolved(cli={name: [value] for name, value in cli.items()}))


@pytest.mark.parametrize("option", OPTIONS, ids=[option.name for option in OPTIONS])
def test_precedence(option: Option) -> None:
    """Command line, then environment, then file, then default; each with its name."""
    cli, env, ini = {option.name: ["cli"]}, {option.env: "env"}, {option.name: ["ini"]}

    assert Value(("cli",), option.flag, given=True) == resolved(cli, env, ini)[option.name]
    assert Value(("env",), option.env, given=True) == resolved(None, env, ini)[option.name]
    assert Value(("ini",), "x.ini", given=True) == resolved(None, None, ini)[option.name]
    nothing = resolved()[option.name]
    assert ("default", False, option.default) == (nothing.source, nothing.given, nothing.first)


def test_falsy_is_a_value() -> None:
    """An empty value of a higher source is not passed over in favour of a lower one; it is an error."""
    found = resolved(env={"HARNESS_APP": ""}, ini={"app": ["shop:app"]})

    assert Value(("",), "HARNESS_APP", given=True) == found["app"]
    with pytest.raises(ConfigError, match="harness_app is empty"):
        settings_from(found)


def test_an_option_with_many_values_is_split_like_arguments() -> None:
    """In an environment variable, quotes keep spaces."""
    assert ("a:b", "c d:e") == resolved(env={"HARNESS_GET_DB": "a:b 'c d:e'"})["get_db"].values


def test_nothing_said_is_not_configured() -> None:
    """The plugin stays inert then."""
    assert not settings_from(resolved()).configured
    assert settled(isolation="rollback").configured


@pytest.mark.parametrize("schema", ["metadata", "alembic", "none", "pkg.module:function"])
def test_known_schemas(schema: str) -> None:
    """Words, and anything with a colon."""
    assert schema == settled(schema=schema).schema


@pytest.mark.parametrize(
    "values",
    [
        {"schema": "magic"},
        {"isolation": "magic"},
        {"app": " "},
        {"image": "postgres:17", "database": "sqlite"},
        {"allow_database": "*", "database": "sqlite"},
        {"schema": "none", "metadata": "a:b"},
    ],
)
def test_every_refusal_has_fact_and_remedy(values: dict[str, str]) -> None:
    """And says where, or which two contradict each other."""
    with pytest.raises(ConfigError) as caught:
        settled(**values)

    assert caught.value.remedy
    assert caught.value.where or "has no use with" in caught.value.fact
    assert not caught.value.fact.endswith(".")


@pytest.mark.parametrize(
    ("database", "shown"),
    [
        ("sqlite", "sqlite"),
        ("postgresql://ann:secret@h/t", "postgresql://ann:***@h/t"),
        ("postgresql://ann:se:cr@et@h/t", "postgresql://ann:***@h/t"),
        ("postgresql://h/t?user=ann&password=secret&x=1", "postgresql://h/t?user=ann&password=***&x=1"),
        ("postgresql://ann@h:5432/t", "postgresql://ann@h:5432/t"),
        ("sqlite:///C:/a@b.db", "sqlite:///C:/a@b.db"),
    ],
)
def test_a_password_is_not_shown(database: str, shown: str) -> None:
    """Wherever it stands in the URL."""
    assert shown == without_password(database)


def test_settings_are_frozen() -> None:
    """Nobody changes them after they were resolved."""
    settings = settled()
    with pytest.raises(AttributeError):
        settings.app = "other:app"  # type: ignore[misc]  # that it cannot be set is the law
