"""Tell the application the test database's URL through the environment variables that it reads when it is imported."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from harness.database.drivers.choice import application_drivers, family, native_driver
from harness.errors import ConfigError


@contextmanager
def announced(variables: Sequence[str], url: URL, environment: MutableMapping[str, str]) -> Iterator[None]:
    """Set the variables, and give back what was there before when the context ends.

    Each is `NAME`, `NAME=sync` or `NAME=async`. A plain NAME that holds a URL already keeps its driver, or gets the
    counterpart of its driver on the test database.

    Raises:
        ConfigError: something else follows the name.
    """
    texts = {name: _for(name, kind, url, environment.get(name)) for name, kind in map(_split, variables)}
    before = {name: environment.get(name) for name in texts}
    environment.update(texts)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value


def _split(variable: str) -> tuple[str, str]:
    name, _, kind = variable.partition("=")
    if kind not in ("", "sync", "async"):
        raise ConfigError(
            f"harness_url_env does not know {variable!r}",
            remedy="write the variable's name, or NAME=sync or NAME=async to say which kind of driver the app wants",
        )
    return name, kind


def _for(name: str, kind: str, url: URL, present: str | None) -> str:
    known = _parsed(present)
    if known is not None and not kind and family(known.get_backend_name()) == url.get_backend_name():
        return url.set(drivername=known.drivername).render_as_string(hide_password=False)
    asynchronous = kind == "async" or (
        not kind and (_is_async(known) if known is not None else "async" in name.lower())
    )
    backend = url.get_backend_name()
    driver = native_driver(backend, asynchronous=asynchronous) or application_drivers(backend, asynchronous)[0][1]
    return url.set(drivername=f"{backend}+{driver}").render_as_string(hide_password=False)


def _parsed(text: str | None) -> URL | None:
    if not text:
        return None
    try:
        return make_url(text)
    except ArgumentError:
        return None


def _is_async(url: URL) -> bool:
    return url.drivername.rpartition("+")[2] in ("asyncpg", "aiosqlite", "aiomysql", "asyncmy", "psycopg_async")
