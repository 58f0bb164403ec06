"""What a schema is made from, as a short text that changes whenever that does.

Too many things count rather than too few: a fingerprint that changes without need costs one building of the schema, one
that does not change in spite of need gives tests a schema that is not theirs.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_mock_engine
from sqlalchemy.exc import SQLAlchemyError

from harness.errors import SchemaError

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Dialect

_PACKAGES = ("pytest-fastapi-harness", "sqlalchemy", "alembic")
_EVENTS = ("before_create", "after_create")
_LENGTH = 16
#: Environment variables that change without meaning anything, and whose names are everyday words.
_OF_TERMINALS = frozenset({"_", "COLUMNS", "LINES", "OLDPWD", "PWD", "SHLVL", "TERM"})


def fingerprint(parts: Iterable[str]) -> str:
    """Return the fingerprint of some texts, and of the versions of the packages that make a schema of them."""
    digest = hashlib.sha256()
    for part in (*map(_version, _PACKAGES), *parts):
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:_LENGTH]


def of_metadata(found: Iterable[MetaData], dialect: Dialect) -> list[str]:
    """Return the DDL that makes the tables on a database.

    Raises:
        SchemaError: something else than DDL takes part, of which nothing can be told.
    """
    parts: list[str] = []

    def hear(statement: Any, *arguments: Any, **_: Any) -> None:
        parts.append(f"{statement.compile(dialect=dialect)} {arguments}")

    # Only to have the statements told; nothing is connected to.
    mock: Any = create_mock_engine(f"{dialect.name}+{dialect.driver}://", hear)
    for metadata in found:
        _check_listeners(metadata)
        try:
            metadata.create_all(mock, checkfirst=False)
        except SQLAlchemyError as error:
            raise _unknown(f"the tables cannot be told as DDL: {error}") from error
        # Schemas and extensions are made beside.
        parts += [
            f"{table.key} {[type(column.type).__name__ for column in table.columns]}" for table in _sorted(metadata)
        ]
    return parts


def _sorted(metadata: MetaData) -> list[Any]:
    return [metadata.tables[key] for key in sorted(metadata.tables)]


def _check_listeners(metadata: MetaData) -> None:
    """Refuse functions that take part in the making of tables: they may do anything."""
    for target in (metadata, *metadata.tables.values()):
        for event in _EVENTS:
            for listener in getattr(target.dispatch, event):
                function = getattr(listener, "func", listener)
                module = getattr(function, "__module__", None) or type(function).__module__
                if not module.startswith("sqlalchemy"):
                    name = getattr(function, "__qualname__", type(function).__name__)
                    raise _unknown(f"{module}.{name} is called at {event} of a table or MetaData, and may do anything")


def of_migrations(config: Path, root: Path, environment: Mapping[str, str]) -> list[str]:
    """Return what migrations are made from.

    That is: Alembic's configuration file, all files of its directories, the modules of the project that those import,
    and each environment variable whose name is written in one of them, in whatever case.

    Args:
        config: alembic.ini.
        root: the project's directory.
        environment: the environment variables that belong to the user.

    Raises:
        SchemaError: the directories cannot be told.
    """
    directories = _directories(config)
    files = {config, *(file for directory in directories for file in _files(directory))}
    files |= _imported({file for file in files if file.suffix == ".py"}, root)
    parts = []
    names: set[str] = set()
    for file in sorted(files):
        content = file.read_bytes()
        parts.append(
            f"{file.relative_to(root) if file.is_relative_to(root) else file} {hashlib.sha256(content).hexdigest()}"
        )
        words = {word.upper() for word in re.findall(r"\w+", content.decode(errors="replace"))}
        names |= {name for name in environment if name.upper() in words}
    told = sorted(name for name in names if name not in _OF_TERMINALS and not name.startswith("PYTEST_"))
    return [*parts, *(f"{name}={environment[name]}" for name in told)]


def _directories(config: Path) -> list[Path]:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(config, encoding="utf-8")
        section = dict(parser["alembic"])
    except (Error, KeyError, OSError) as error:
        raise _unknown(f"{config} cannot be read: {error}") from error
    texts = [section.get("script_location", ""), *section.get("version_locations", "").replace(",", " ").split()]
    found = [Path(text.replace("%(here)s", str(config.parent)).replace("%%", "%")) for text in texts if text.strip()]
    found = [path if path.is_absolute() else config.parent / path for path in found]
    missing = [str(path) for path in found if not path.is_dir()]
    if missing or not found:
        raise _unknown(
            f"the migrations' directory is not known from {config.name}: {', '.join(missing) or 'none is named'}"
        )
    return found


def _files(directory: Path) -> Iterator[Path]:
    for file in directory.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
            yield file


def _imported(files: set[Path], root: Path) -> set[Path]:
    """Return the project's own files that files import, and those import in turn, without importing any."""
    places = [Path(place or ".").resolve() for place in sys.path]
    places = [place for place in places if place.is_relative_to(root.resolve()) and "site-packages" not in place.parts]
    known: set[Path] = set()
    todo = list(files)
    while todo:
        for name in _names_in(todo.pop()):
            for place in places:
                for file in _of_module(place, name) - known:
                    known.add(file)
                    todo.append(file)
    return known


def _names_in(file: Path) -> set[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError) as error:
        raise _unknown(f"{file} cannot be read: {error}") from error
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            package = file.parents[node.level - 1]
            names |= {f"{package}/{(node.module or '').replace('.', '/')}"}
    return names


def _of_module(place: Path, name: str) -> set[Path]:
    """Return the files of a module; of a package all, as what is imported from it may be re-exported."""
    path = Path(name) if "/" in name else place / name.replace(".", "/")
    single = path.with_suffix(".py") if path.name else path
    found = {single} if single.is_file() else set()
    if (path / "__init__.py").is_file() or ("/" in name and path.is_dir()):
        found |= set(path.glob("*.py"))
    parents = () if "/" in name else (place / part for part in Path(name.replace(".", "/")).parents if part.name)
    return found | {parent / "__init__.py" for parent in parents if (parent / "__init__.py").is_file()}


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return package


def _unknown(why: str) -> SchemaError:
    return SchemaError("no fingerprint of the schema can be computed", why=why)
