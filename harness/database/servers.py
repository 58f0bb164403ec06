"""The database servers harness can start in a container: a row each, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database server in a container.

    Attributes:
        name: what the user writes.
        aliases: what the user may write as well.
        backend: SQLAlchemy's name of the database.
        image: the image, unless `harness_image` names another.
        port: where the server listens inside the container.
        environment: the image's settings; `{password}` is filled in. They also name the administrator below.
        command: how the server is started: a test's data need not survive a crash, so nothing waits for the disk.
        memory: a directory to keep in memory; `environment` points the server's data there. Fresh mount points
            rather than the image's own volume, which moves between versions of an image.
        user: the administrator that `environment` creates.
        maintenance: a database that always exists, to connect to before the run's own is created.
        shell: opens a database from inside the container, where no password is asked for; `{name}` is filled in.
        final: parts of a driver's message that waiting cannot cure.
    """

    name: str
    aliases: tuple[str, ...]
    backend: str
    image: str
    port: int
    environment: Mapping[str, str]
    command: tuple[str, ...]
    memory: str
    user: str
    maintenance: str
    shell: str
    final: tuple[str, ...]


_MYSQL_IN_MEMORY = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--skip-log-bin",
    "--max-connections=300",
)
#: Inside the container the administrator's password is in the environment that it was started with.
_MYSQL_SHELL = "sh -c '{client} -p\"${password}\" {{name}}'"
_MYSQL_FINAL = ("Access denied for user",)

SERVERS = (
    Server(
        name="postgres",
        aliases=("postgresql",),
        backend="postgresql",
        image="postgres:17",
        port=5432,
        environment={
            "POSTGRES_USER": "harness",
            "POSTGRES_PASSWORD": "{password}",
            "POSTGRES_DB": "postgres",
            "PGDATA": "/harness/data",
        },
        # 100 connections are soon used up by workers whose tests have pools of their own.
        command=(
            "postgres",
            "-cfsync=off",
            "-csynchronous_commit=off",
            "-cfull_page_writes=off",
            "-cmax_connections=300",
        ),
        memory="/harness",
        user="harness",
        maintenance="postgres",
        shell="psql -U harness -d {name}",
        final=("password authentication failed", "no pg_hba.conf entry"),
    ),
    Server(
        name="mariadb",
        aliases=(),
        backend="mysql",
        image="mariadb:11.4",
        port=3306,
        environment={"MARIADB_ROOT_PASSWORD": "{password}"},
        command=("mariadbd", *_MYSQL_IN_MEMORY),
        memory="/var/lib/mysql",
        user="root",
        maintenance="mysql",
        shell=_MYSQL_SHELL.format(client="mariadb", password="MARIADB_ROOT_PASSWORD"),
        final=_MYSQL_FINAL,
    ),
    Server(
        name="mysql",
        aliases=(),
        backend="mysql",
        image="mysql:8.4",
        port=3306,
        environment={"MYSQL_ROOT_PASSWORD": "{password}"},
        command=("mysqld", *_MYSQL_IN_MEMORY),
        memory="/var/lib/mysql",
        user="root",
        maintenance="mysql",
        shell=_MYSQL_SHELL.format(client="mysql", password="MYSQL_ROOT_PASSWORD"),
        final=_MYSQL_FINAL,
    ),
)


def server_named(word: str) -> Server | None:
    """Return the server that the user means, or None."""
    return next((server for server in SERVERS if word == server.name or word in server.aliases), None)


def words() -> tuple[str, ...]:
    """Return every word that names a server."""
    return tuple(word for server in SERVERS for word in (server.name, *server.aliases))
