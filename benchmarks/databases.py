"""Where the measured databases come from: harness's own providers, so that all contestants use the same kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy.engine import URL

from harness.database import identity, provider


@dataclass(frozen=True, slots=True)
class Databases:
    """Two databases of one backend.

    Attributes:
        main: what all contestants share, so that none has fewer dead rows than another.
        scratch: for creating and dropping tables, which would make every connection to `main` plan anew.
    """

    backend: str
    main: URL
    scratch: URL


@contextmanager
def provided(backend: str, image: str | None) -> Iterator[Databases]:
    """Provide the databases of a backend, and give them back."""
    with ExitStack() as stack:
        if backend == "sqlite":
            made = [provider.choose("sqlite", None, None, identity.current(), print).start() for _ in range(2)]
            for database in made:
                stack.callback(database.close)
            yield Databases(backend, made[0].url, made[1].url)
        else:
            server = provider.choose("postgres", image, None, identity.current(), print).start()
            stack.callback(server.close)
            yield Databases(backend, server.url, _second(server.url))


def _second(url: URL) -> URL:
    import psycopg

    name = f"{url.database}_scratch"
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
    return url.set(database=name)
