"""A copy of a MySQL or MariaDB database, which its server has no command for: its objects are made anew, then filled.

What is copied: character set, sequences, functions and procedures, tables with their keys, counters and rows, views,
triggers. What is not: events, which would act by themselves; privileges; packages; the past of system-versioned tables.
Whoever copies becomes the definer of views, triggers and routines, as another one takes a privilege to name.

Every name in what the server shows is relative to the current database as long as it is in that one, so the objects are
read while the source is current, and made while the copy is.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.database.drivers import Physical

#: As the makers' own dump programs set them: in any order, with ids that are 0, with dates that are no dates.
_SETTINGS = "SET SESSION foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
_DEFAULTS = "SET SESSION foreign_key_checks = DEFAULT, unique_checks = DEFAULT, sql_mode = DEFAULT"
#: "SQL SECURITY DEFINER" is not meant; only what stands before a name.
_DEFINER = re.compile(r"\sDEFINER\s*=\s*`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?")
#: What a view is told if another one, or a function, that it uses is not there yet: no such table, no such function.
_NOT_YET = frozenset({1146, 1305, 1356})


class Program(NamedTuple):
    """A trigger or a routine, and the settings of the session that it was written in."""

    name: str
    mode: str
    characters: str
    collation: str
    statement: str


def copy_database(physical: Physical, source: str, target: str) -> None:
    """Create a database with the content of another one.

    Args:
        physical: a connection to the server, in no transaction; afterwards, no database of a run is its current one.
        source: the database to copy, which nobody changes meanwhile.
        target: the new one's name; it is there, unfinished, if this fails.
    """
    with as_dumps_do(physical):
        physical.script(f"USE {quoted(source)}")
        characters, collation = rows(
            physical,
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
            " WHERE SCHEMA_NAME = database()",
        )[0]
        sequences, tables, views = (_named(physical, kind) for kind in ("SEQUENCE", "TABLE", "VIEW"))
        made = [*_shown(physical, "TABLE", sequences), *_shown(physical, "TABLE", tables)]
        # A default that is taken from a sequence names the sequence's database also if it is the current one.
        own, new = f"nextval({quoted(source)}.", f"nextval({quoted(target)}."
        standing = {name: rows(physical, f"SELECT next_not_cached_value FROM {quoted(name)}") for name in sequences}
        columns = written_columns(physical)
        seen = [_DEFINER.sub("", text, count=1) for text in _shown(physical, "VIEW", views)]
        routines, triggers = _routines(physical), triggers_of(physical)
        physical.script(
            f"CREATE DATABASE {quoted(target)} CHARACTER SET {characters} COLLATE {collation}",
            f"USE {quoted(target)}",
            *(text.replace(own, new) for text in made),
            *(f"DO SETVAL({quoted(name)}, {value[0][0]}, 0)" for name, value in standing.items()),
            "BEGIN",
            *(_filling(source, name, columns[name]) for name in tables if columns.get(name)),
            "COMMIT",
        )
        write(physical, routines)
        _make_views(physical, seen)
        write(physical, triggers)


@contextmanager
def as_dumps_do(physical: Physical) -> Iterator[None]:
    """While active, a connection takes what was in another database as it is; then it has no current one of a run."""
    physical.script(_SETTINGS)
    try:
        yield
    finally:
        if not physical.closed():
            physical.script("ROLLBACK", _DEFAULTS, "USE information_schema")


# -- reading -----------------------------------------------------------------------------------------------------------


def rows(physical: Physical, sql: str) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    with physical.dbapi.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def written_columns(physical: Physical) -> dict[str, list[tuple[str, str]]]:
    """Return by table of the current database the columns that the server does not compute: name and type."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows(
        physical,
        "SELECT c.TABLE_NAME, c.COLUMN_NAME, lower(c.DATA_TYPE) FROM information_schema.COLUMNS c"
        " JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)"
        " WHERE c.TABLE_SCHEMA = database() AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"
        " AND coalesce(c.GENERATION_EXPRESSION, '') = '' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION",
    ):
        found.setdefault(str(table), []).append((str(column), str(kind)))
    return found


def triggers_of(physical: Physical) -> list[Program]:
    """Return the triggers of the current database, in the order in which they act."""
    names = physical.scalars(
        "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = database()"
        " ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER"
    )
    return [_program(physical, "TRIGGER", str(name)) for name in names]


def _routines(physical: Physical) -> list[Program]:
    found = rows(
        physical,
        "SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES"
        " WHERE ROUTINE_SCHEMA = database() AND ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') ORDER BY 1, 2",
    )
    return [_program(physical, str(kind), str(name)) for kind, name in found]


def _program(physical: Physical, kind: str, name: str) -> Program:
    _, mode, text, characters, collation, *_ = rows(physical, f"SHOW CREATE {kind} {quoted(name)}")[0]
    if text is None:
        raise PermissionError(f"the user may not read the {kind.lower()} {name}, so it cannot be copied")
    return Program(name, str(mode), str(characters), str(collation), _DEFINER.sub("", str(text), count=1))


def _named(physical: Physical, kind: str) -> list[str]:
    types = {"TABLE": "'BASE TABLE', 'SYSTEM VERSIONED'", "VIEW": "'VIEW'", "SEQUENCE": "'SEQUENCE'"}[kind]
    found = physical.scalars(
        "SELECT TABLE_NAME FROM information_schema.TABLES"
        f" WHERE TABLE_SCHEMA = database() AND TABLE_TYPE IN ({types}) ORDER BY 1"
    )
    return [str(name) for name in found]


def _shown(physical: Physical, kind: str, names: Iterable[str]) -> list[str]:
    return [str(rows(physical, f"SHOW CREATE {kind} {quoted(name)}")[0][1]) for name in names]


# -- making ------------------------------------------------------------------------------------------------------------


def _filling(source: str, name: str, columns: Iterable[tuple[str, str]]) -> str:
    listed = ", ".join(quoted(column) for column, _ in columns)
    return f"INSERT INTO {quoted(name)} ({listed}) SELECT {listed} FROM {quoted(source)}.{quoted(name)}"


def write(physical: Physical, programs: Iterable[Program]) -> None:
    """Create triggers or routines in the current database, each as if in its own session."""
    for program in programs:
        physical.script(
            f"SET SESSION sql_mode = '{program.mode}', character_set_client = {program.characters},"
            f" collation_connection = {program.collation}",
            program.statement,
        )
    physical.script(_SETTINGS, "SET NAMES utf8mb4")


def _make_views(physical: Physical, statements: list[str]) -> None:
    """Create views, each after those that it uses, which nothing but trying tells."""
    left = statements
    while left:
        waiting, problem = [], None
        for statement in left:
            try:
                physical.script(statement)
            except Exception as error:
                if error.args[:1] == () or error.args[0] not in _NOT_YET:
                    raise
                waiting.append(statement)
                problem = error
        if problem is not None and len(waiting) == len(left):
            raise problem
        left = waiting


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return "`" + name.replace("`", "``") + "`"
