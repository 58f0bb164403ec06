"""The table of options: each is declared once, here, and becomes a flag, an ini key and an environment variable."""

from __future__ import annotations

from dataclasses import dataclass

ISOLATIONS = ("rollback", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        name: without prefix; `database` is `--harness-database`, `harness_database` and `HARNESS_DATABASE`.
        help: one line, shown by `pytest --help`.
        metavar: how its value is called in the help.
        default: what holds when nobody says anything; None means that it is found out when it is needed.
        many: whether several values may be given.
        choices: the only values allowed, if there is a closed list.
        since: the version that introduced it.
    """

    name: str
    help: str
    metavar: str
    default: str | None = None
    many: bool = False
    choices: tuple[str, ...] = ()
    since: str = "0.1"

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return f"--harness-{self.name.replace('_', '-')}"

    @property
    def ini(self) -> str:
        """The key in pytest's configuration file."""
        return f"harness_{self.name}"

    @property
    def env(self) -> str:
        """The environment variable."""
        return f"HARNESS_{self.name.upper()}"


OPTIONS = (
    Option(
        name="app",
        help="the application: 'pkg.module:app', or a factory 'pkg.module:create_app'",
        metavar="PKG.MODULE:NAME",
    ),
    Option(
        name="get_db",
        help="dependencies that yield sessions, if they cannot be found in the app's dependency tree",
        metavar="PKG.MODULE:NAME",
        many=True,
    ),
    Option(
        name="metadata",
        help="where the tables are declared: 'pkg.module:Base' or 'pkg.module:metadata'",
        metavar="PKG.MODULE:NAME",
        many=True,
    ),
    Option(
        name="database",
        help="the test database: 'sqlite', 'postgres', or a SQLAlchemy URL of a test database",
        metavar="DATABASE",
        default="sqlite",
    ),
    Option(
        name="image",
        help="container image of the database server (default: postgres:17)",
        metavar="IMAGE",
    ),
    Option(
        name="url_env",
        help="environment variables (NAME, NAME=sync, NAME=async) set to the database's URL before the app is imported",
        metavar="NAME",
        many=True,
    ),
    Option(
        name="schema",
        help="how tables are made: 'metadata', 'alembic', 'none', or a callable 'pkg.module:function'",
        metavar="HOW",
    ),
    Option(
        name="isolation",
        help="'rollback': each test in a transaction that is undone; 'none': commits are real",
        metavar="HOW",
        default="rollback",
        choices=ISOLATIONS,
    ),
    Option(
        name="allow_database",
        help="pattern of a URL (without password) that may be used although it does not look like a test database",
        metavar="PATTERN",
    ),
)
