"""What `harness_databases` says: the further databases of an application, and which engines belong to which."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from harness.config.options import DEFAULT
from harness.errors import ConfigError

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_PAIR = re.compile(r"([A-Za-z_]+)=(.*)", re.DOTALL)
#: Key → whether it may be given several times.
_KEYS = {
    **dict.fromkeys(("url", "engine", "url_env", "metadata"), True),
    **dict.fromkeys(("schema", "image", "replica_of"), False),
}
_FORM = (
    "NAME: [DATABASE] url=PATTERN | engine=PKG.MODULE:NAME | url_env=NAME "
    "[metadata=PKG.MODULE:NAME] [schema=HOW] [image=IMAGE]"
)
EXAMPLE = "analytics: postgres url=*analytics* metadata=myapp.analytics:Base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A database of the application.

    Attributes:
        name: how messages and tests call it.
        database: which it shall be, as in `harness_database`; None for the same kind as that.
        urls: patterns of the URLs of its engines.
        engines: references to its engines.
        url_env: environment variables that its URL is put into.
        metadata: references to its tables.
        schema: how its tables are made; None for "from metadata".
        image: the container image of its server; None for the server's own.
        replica_of: the database that it is a copy of, for reading; it is served by that one.
    """

    name: str
    database: str | None = None
    urls: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    url_env: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    schema: str | None = None
    image: str | None = None
    replica_of: str | None = None

    @property
    def claims(self) -> bool:
        """Tell whether anything says which engines are its."""
        return bool(self.urls or self.engines or self.url_env)


def declared(lines: Iterable[str], source: str) -> tuple[Declared, ...]:
    """Return the databases that the lines of the option declare.

    Raises:
        ConfigError: a line cannot be understood, or contradicts another.
    """
    found: dict[str, Declared] = {}
    for line in lines:
        one = _read(line, source)
        if one.name in found:
            raise ConfigError(
                f"harness_databases declares {one.name!r} twice",
                where=source,
                remedy="write all that is to be said about a database in one line; url= may be given several times",
            )
        found[one.name] = one
    for one in found.values():
        _check(one, found, source)
    return tuple(found.values())


def _read(line: str, source: str) -> Declared:
    name, colon, rest = line.partition(":")
    name = name.strip()
    if not colon or not _NAME.fullmatch(name):
        raise ConfigError(
            f"harness_databases does not understand {hidden(line)!r}",
            where=source,
            why="a line begins with the database's name and a colon",
            remedy=f"write {_FORM}\nfor instance {EXAMPLE}",
        )
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise ConfigError(
            f"harness_databases cannot read what follows {name!r}: {error}", where=source, remedy="close every quote"
        ) from None
    given: dict[str, list[str]] = {}
    databases = []
    for word in words:
        pair = _PAIR.fullmatch(word)
        if pair is None:
            databases.append(word)
            continue
        _check_pair(name, pair[1], pair[2], given, source)
        given.setdefault(pair[1], []).append(pair[2])
    if len(databases) > 1:
        raise ConfigError(
            f"harness_databases gives {name!r} {len(databases)} databases: {', '.join(map(hidden, databases))}",
            where=source,
            remedy=f"write {_FORM}",
        )
    return Declared(
        name=name,
        database=databases[0] if databases else None,
        urls=tuple(given.get("url", ())),
        engines=tuple(given.get("engine", ())),
        url_env=tuple(given.get("url_env", ())),
        metadata=tuple(given.get("metadata", ())),
        schema=next(iter(given.get("schema", ())), None),
        image=next(iter(given.get("image", ())), None),
        replica_of=next(iter(given.get("replica_of", ())), None),
    )


def _check_pair(name: str, key: str, value: str, given: Mapping[str, object], source: str) -> None:
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, 1)
        raise ConfigError(
            f"harness_databases does not know {key!r}, which {name!r} has",
            where=source,
            remedy=f"{f'did you mean {near[0]}? ' if near else ''}valid: {', '.join(_KEYS)}",
        )
    if not value.strip():
        raise ConfigError(
            f"harness_databases gives {name!r} an empty {key}", where=source, remedy=f"write {_FORM}\nor leave it out"
        )
    if key in given and not _KEYS[key]:
        raise ConfigError(f"harness_databases gives {name!r} {key} twice", where=source, remedy="give it once")


def _check(one: Declared, known: Mapping[str, Declared], source: str) -> None:
    if one.name == DEFAULT:
        _check_default(one, source)
    elif not one.claims:
        raise ConfigError(
            f"nothing says which engines of the application are of database {one.name!r}",
            where=f"harness_databases ({source})",
            remedy=f"add a pattern of their URL: url=*/{one.name}*\n"
            "or where the engine is: engine=myapp.db:engine\n"
            f"or the environment variable that the application reads the URL from: url_env={one.name.upper()}_URL",
        )
    if one.replica_of is not None:
        _check_replica(one, known, source)
    if one.schema is not None and one.schema not in ("metadata", "none") and ":" not in one.schema:
        raise ConfigError(
            f"harness_databases does not know the schema {one.schema!r}, which {one.name!r} has",
            where=source,
            remedy="valid: schema=metadata, schema=none, schema=alembic:PATH/alembic.ini, schema=pkg.module:function",
        )


def _check_default(one: Declared, source: str) -> None:
    options = {
        "a database": ("harness_database", one.database),
        "metadata": ("harness_metadata", one.metadata),
        "schema": ("harness_schema", one.schema),
        "url_env": ("harness_url_env", one.url_env),
        "image": ("harness_image", one.image),
        "replica_of": (None, one.replica_of),
    }
    for what, (option, value) in options.items():
        if value:
            raise ConfigError(
                f"harness_databases gives {DEFAULT!r} {what}",
                where=source,
                why="it is the database of harness_database; a line of its own only says which engines are its",
                remedy=f"use {option} for it" if option else "let the other one be the replica",
            )
    if not (one.urls or one.engines):
        raise ConfigError(
            f"the line of {DEFAULT!r} says nothing",
            where=f"harness_databases ({source})",
            remedy=f"add a pattern of the URL of its engines: {DEFAULT}: url=*/shop*\nor leave the line out",
        )


def _check_replica(one: Declared, known: Mapping[str, Declared], source: str) -> None:
    primaries = [DEFAULT, *(name for name, other in known.items() if other.replica_of is None and name != DEFAULT)]
    if one.replica_of not in primaries:
        of_replica = one.replica_of in known
        raise ConfigError(
            f"{one.name!r} is a replica of {one.replica_of!r}, which is "
            + ("a replica itself" if of_replica else "no database"),
            where=f"harness_databases ({source})",
            why="a replica shows what is in its primary, so that has to be one of the databases",
            remedy=f"name the primary: replica_of={' or replica_of='.join(primaries)}",
        )
    own = {"a database": one.database, "metadata": one.metadata, "schema": one.schema, "image": one.image}
    for what, value in own.items():
        if value:
            raise ConfigError(
                f"the replica {one.name!r} has {what} of its own",
                where=f"harness_databases ({source})",
                why=f"it is served by the database of its primary, {one.replica_of!r}",
                remedy="leave it out",
            )


def hidden(text: str) -> str:
    """Return a text as it may be shown: without the password of a URL in it."""
    from harness.config.settings import without_password

    return " ".join(without_password(word) for word in text.split())
