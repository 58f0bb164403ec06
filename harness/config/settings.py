"""What the user asked for, checked and frozen. Every usage error about an option is raised here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.config.options import OPTIONS, Option
from harness.config.resolve import Value
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.config.databases import Declared

_SERVERS = ("postgres", "postgresql", "mariadb", "mysql")
_SCHEMAS = ("metadata", "alembic", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The resolved options; `sources` says where each came from."""

    app: str | None
    get_db: tuple[str, ...]
    metadata: tuple[str, ...]
    databases: tuple[str, ...]
    further: tuple[Declared, ...]
    image: str | None
    server: str
    reuse: bool
    fresh: bool
    url_env: tuple[str, ...]
    schema: str | None
    isolation: str
    keep_failed: bool
    keep_dir: str
    ids: str
    now: str
    allow_database: str | None
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str
    allow: tuple[str, ...]
    migrations: tuple[str, ...]
    irreversible: tuple[str, ...]
    baseline: str | None
    baseline_update: bool
    queries: str | None
    queries_record: bool
    report: tuple[str, ...]
    explain: tuple[str, ...]
    sources: Mapping[str, Value]

    @property
    def database(self) -> str:
        """The database of a run that is on one, and the first one of a run that is on several."""
        return self.databases[0]

    @property
    def configured(self) -> bool:
        """Tell whether the user said anything at all."""
        return any(value.given for value in self.sources.values())

    def source(self, name: str) -> str:
        """Return where the value of an option comes from."""
        return self.sources[name].source


def without_password(database: str) -> str:
    """Return `harness_database` as it may be shown. SQLAlchemy, which knows URLs, may not be imported just for this."""
    hidden = re.sub(r"(://[^/?#:@]*):[^/?#]*@", r"\1:***@", database)
    return re.sub(r"([?&][^=&]*(?:pass|secret|token)[^=&]*=)[^&]*", r"\1***", hidden, flags=re.IGNORECASE)


def settings_from(found: Mapping[str, Value]) -> Settings:
    """Check the resolved values.

    Raises:
        ConfigError: a value is not one of those allowed, or two options contradict each other.
    """
    for option in OPTIONS:
        _check(option, found[option.name])
    settings = Settings(
        app=found["app"].first,
        get_db=found["get_db"].values,
        metadata=found["metadata"].values,
        databases=_databases(found["database"].values),
        further=_declared(found["databases"]),
        image=found["image"].first,
        server=found["server"].first or "",
        reuse=found["reuse"].given,
        fresh=found["fresh"].given,
        url_env=found["url_env"].values,
        schema=found["schema"].first,
        isolation=found["isolation"].first or "",
        keep_failed=found["keep_failed"].given,
        keep_dir=found["keep_dir"].first or "",
        ids=found["ids"].first or "",
        now=found["now"].first or "",
        allow_database=found["allow_database"].first,
        select=found["select"].values,
        ignore=found["ignore"].values,
        fail_on=found["fail_on"].first or "",
        allow=found["allow"].values,
        migrations=found["migrations"].values,
        irreversible=found["irreversible"].values,
        baseline=found["baseline"].first,
        baseline_update=found["baseline_update"].given,
        queries=found["queries"].first,
        queries_record=found["queries_record"].given,
        report=found["report"].values,
        explain=found["explain"].values,
        sources=found,
    )
    _check_schema(settings)
    _check_together(settings)
    return settings


def _declared(value: Value) -> tuple[Declared, ...]:
    if not value.given:
        return ()
    from harness.config.databases import declared  # most projects have one database

    return declared(value.values, value.source)


def _databases(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return the databases in some values; a comma separates words, and is a part of a URL."""
    return tuple(name for value in values for name in ([value] if "://" in value else value.replace(",", " ").split()))


def _check(option: Option, value: Value) -> None:
    if not option.many and len(value.values) > 1:
        raise ConfigError(
            f"{option.ini} was given {len(value.values)} times: {', '.join(map(without_password, value.values))}",
            where=value.source,
            remedy="give it once",
        )
    for text in value.values:
        if not text.strip():
            raise ConfigError(f"{option.ini} is empty", where=value.source, remedy=f"{option.help}\nor leave it out")
        if option.choices and text not in option.choices:
            raise unknown_value(option.ini, text, option.choices, value.source)


def unknown_value(name: str, text: str, valid: tuple[str, ...], source: str) -> ConfigError:
    """Return the error for a value that is not one of `valid`."""
    import difflib  # not before somebody needs it: this module is imported with the plugin

    near = difflib.get_close_matches(text, valid, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ConfigError(
        f"{name} does not know {text!r}",
        where=source,
        remedy=f"{hint}valid: {', '.join(valid)}",
    )


def _check_schema(settings: Settings) -> None:
    schema = settings.schema
    if schema is not None and schema not in _SCHEMAS and ":" not in schema:
        raise unknown_value("harness_schema", schema, (*_SCHEMAS, "pkg.module:function"), settings.source("schema"))


def _check_together(settings: Settings) -> None:
    databases = settings.databases
    if settings.image is not None:
        from harness.config.images import check_images  # not before somebody needs it, as above

        together = _both_flags(settings, "image", "database")
        check_images(settings.image, databases, settings.source("image"), together=together)
    if (
        settings.allow_database
        and not any("://" in database for database in databases)
        and _both_flags(settings, "allow_database", "database")
    ):
        raise ConfigError(
            f"--harness-allow-database has no use with --harness-database={', '.join(databases)}",
            why="harness creates that database itself, so nothing has to be allowed",
            remedy="leave it out, or give a URL",
        )
    _check_server(settings, any(database in _SERVERS for database in databases))
    if settings.schema == "none" and settings.metadata:
        raise ConfigError(
            "harness_metadata has no use with harness_schema 'none'",
            where=f"{settings.source('metadata')} and {settings.source('schema')}",
            remedy="leave out one of the two",
        )
    if settings.baseline_update and settings.baseline is None:
        raise ConfigError(
            "--harness-baseline-update has no file to write to",
            why="no harness_baseline is given",
            remedy="name it in the pytest configuration: harness_baseline = harness-baseline.json",
        )
    if settings.queries_record and settings.queries is None:
        raise ConfigError(
            "--harness-queries-record has no file to write to",
            why="no harness_queries is given",
            remedy="name it in the pytest configuration: harness_queries = harness-queries.json",
        )


def _check_server(settings: Settings, server: bool) -> None:
    if settings.server != "auto" and not server and _both_flags(settings, "server", "database"):
        from harness.config.images import kind  # as above

        shown = ", ".join(map(kind, settings.databases))
        raise ConfigError(
            f"--harness-server={settings.server} has no use with --harness-database={shown}",
            why="it says where a server comes from that harness starts",
            remedy="leave out one of the two, or use --harness-database=postgres, mariadb or mysql",
        )
    if settings.server == "local" and settings.image is not None and _both_flags(settings, "server", "image"):
        raise ConfigError(
            f"--harness-image={settings.image} has no use with --harness-server=local",
            why="an image is for a container",
            remedy="leave out one of the two",
        )
    if settings.fresh and not settings.reuse:
        raise ConfigError(
            "--harness-fresh has nothing to forget",
            why="only runs with --harness-reuse leave anything",
            remedy="give both: --harness-reuse --harness-fresh",
        )


def _both_flags(settings: Settings, *names: str) -> bool:
    """Tell whether the options were given together on one command line; a project's file may well prepare for both."""
    return all(settings.source(name).startswith("--") for name in names)
