"""Alembic's environment: its configuration found, and env.py run in a thread of its own, leaving nothing behind."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import MissingExtra, SchemaError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import URL

T = TypeVar("T")

#: Drivers that no synchronous engine can use.
_ASYNCHRONOUS = frozenset({"aiosqlite", "asyncpg", "aiomysql", "asyncmy"})

#: Where Alembic's own command line looks, too.
_VARIABLE, _TOML = "ALEMBIC_CONFIG", "pyproject.toml"


def find_config(root: Path, purpose: str = "harness_schema is 'alembic'") -> Path:
    """Return the project's alembic.ini: that of the variable ALEMBIC_CONFIG, beside `root`, or one level below.

    A pyproject.toml that configures Alembic stands in for one beside `root`.

    Raises:
        SchemaError: there is none, or several.
    """
    if named := os.environ.get(_VARIABLE):
        if (path := Path(root, named)).is_file():
            return path
        raise SchemaError(
            f"{purpose}, and the file that {_VARIABLE} names does not exist",
            where=str(path),
            remedy=f"correct {_VARIABLE}, or unset it: alembic.ini is looked for beside the pytest configuration",
        )
    direct = root / "alembic.ini"
    if direct.is_file():
        return direct
    toml = root / _TOML
    if toml.is_file() and "[tool.alembic]" in toml.read_text(encoding="utf-8"):
        return toml
    found = sorted(path for path in root.glob("*/alembic.ini") if not path.parent.name.startswith("."))
    if len(found) == 1:
        return found[0]
    where = "\n".join(str(path.relative_to(root)) for path in found) or f"{root} and the directories in it"
    raise SchemaError(
        "several alembic.ini files were found" if found else f"{purpose}, and there is no alembic.ini",
        where=where,
        remedy=f"put alembic.ini beside the pytest configuration, or name it: {_VARIABLE}=path/to/alembic.ini\n"
        "or make the tables with a callable of yours: harness_schema = tests.db:upgrade",
    )


def named_config(root: Path, wanted: str) -> Path:
    """Return the file that `alembic:PATH` names.

    Raises:
        SchemaError: it is not there.
    """
    config = root / wanted.partition(":")[2]
    if config.is_file():
        return config
    raise SchemaError(
        f"the schema is {wanted!r}, and there is no such file", where=str(config), remedy="name its alembic.ini"
    )


def load_config(file: Path, url: URL | None, purpose: str = "harness_schema = alembic") -> Config:
    """Return Alembic's configuration.

    Args:
        file: an alembic.ini, or a pyproject.toml instead of one.
        url: the database, for an env.py that insists on a URL; engines are redirected, whatever it reads.
        purpose: what needs Alembic.

    Raises:
        MissingExtra: Alembic is not installed.
        SchemaError: the file names no script_location, or one that does not exist.
    """
    try:
        from alembic.config import Config
    except ImportError:
        raise MissingExtra("alembic", "alembic", purpose) from None
    more: dict[str, Any] = {}
    if hasattr(Config, "get_alembic_option"):  # since 1.16, part of it may be in pyproject.toml
        more["toml_file"] = str(file.with_name(_TOML))
    config = Config(str(file) if file.name != _TOML else None, stdout=io.StringIO(), **more)
    _locate_scripts(config, file)
    if url is not None:
        text = _driven(url, config.get_main_option("sqlalchemy.url")).render_as_string(hide_password=False)
        config.set_main_option("sqlalchemy.url", text.replace("%", "%%"))
    return config


def _driven(url: URL, given: str | None) -> URL:
    """Return a URL with the driver of the one that alembic.ini gives; else with one of its kind, async or not."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from harness.database.drivers.choice import family, native_driver

    backend = family(url.get_backend_name())
    try:
        own = make_url(given or "")
    except ArgumentError:
        return _with_driver(url, native_driver(backend, asynchronous=False))
    if family(own.get_backend_name()) == backend and "+" in own.drivername:
        return url.set(drivername=own.drivername)
    asynchronous = own.drivername.partition("+")[2] in _ASYNCHRONOUS
    return _with_driver(url, native_driver(backend, asynchronous=asynchronous))


def _with_driver(url: URL, driver: str | None) -> URL:
    return url.set(drivername=f"{url.get_backend_name()}+{driver}") if driver else url


def _locate_scripts(config: Config, file: Path) -> None:
    """Find the scripts beside alembic.ini too: a plain path in it counts from where Alembic is called."""
    read = getattr(config, "get_alembic_option", config.get_main_option)
    location = read("script_location")
    if location is None:
        raise SchemaError(
            f"{file.name} does not say where the migrations are",
            where=str(file),
            remedy="give it the key script_location, as in: script_location = %(here)s/migrations",
        )
    if ":" in location and not Path(location).is_absolute():
        return  # pkg:directory, which Alembic resolves by itself
    tried = [Path.cwd() / location, file.parent / location]
    for place in tried:
        if place.is_dir():
            config.set_main_option("script_location", str(place).replace("%", "%%"))
            break
    else:
        raise SchemaError(
            "the directory of the migrations does not exist",
            where="\n".join(dict.fromkeys(str(place) for place in tried)),
            why=f"script_location in {file} is {location}",
            remedy="correct script_location; %(here)s stands for the directory of alembic.ini",
        )


def run_apart(function: Callable[[], T]) -> T:
    """Call a function that runs env.py, in a thread of its own so that env.py may use asyncio.run.

    What env.py does to logging and to `sys.path` is undone.

    Raises:
        BaseException: what the function raises.
    """
    results: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            failure.append(error)

    with _logging_kept(), path_kept():
        thread = threading.Thread(target=run, name="harness-alembic")
        thread.start()
        thread.join()
    if failure:
        raise failure[0]
    return results[0]


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Undo what `fileConfig` in env.py does: it disables all loggers there are, and so breaks caplog."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    before = [(one, one.__dict__.copy(), list(one.handlers)) for one in loggers if isinstance(one, logging.Logger)]
    known = {id(one) for one, _, _ in before}
    try:
        yield
    finally:
        for logger, state, handlers in before:
            added = [handler for handler in logger.handlers if handler not in handlers]
            logger.handlers[:] = handlers
            logger.setLevel(state["level"])
            logger.disabled, logger.propagate = state["disabled"], state["propagate"]
            for handler in added:
                handler.close()
        for new in logging.root.manager.loggerDict.values():
            if isinstance(new, logging.Logger) and id(new) not in known:
                new.setLevel(logging.NOTSET)
                new.handlers.clear()


@contextmanager
def path_kept() -> Iterator[None]:
    """Undo what `prepend_sys_path` of alembic.ini does."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before
