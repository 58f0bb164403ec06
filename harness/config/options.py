"""The table of options: each is declared once, here, and becomes a flag, an ini key and an environment variable."""

from __future__ import annotations

from dataclasses import dataclass

ISOLATIONS = ("rollback", "database", "delete", "none")
#: The database that every run has: the one of `harness_database`.
DEFAULT = "default"
#: A database that nothing is in, for tests of migrations; the fixture `migrations` asks for it.
EMPTY = "empty"
#: Those in which tests have real connections.
REAL = frozenset({"database", "delete", EMPTY})
#: Tests of migrations that are there for the asking, in the order in which they are run.
MIGRATION_TESTS = ("single_head", "upgrade", "up_down_up", "models_match")
IDS = ("reset", "distinct", "continue")
NOWS = ("frozen", "advancing")
SERVERS = ("auto", "container", "local")
FAIL_ON = ("error", "warning", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option.

    Attributes:
        name: without prefix; `database` is `--harness-database`, `harness_database` and `HARNESS_DATABASE`.
        help: one line, shown by `pytest --help`.
        metavar: how its value is called in the help.
        default: what holds when nobody says anything; None means that it is found out when it is needed.
        many: whether several values may be given.
        lines: whether each value is a line, as it may contain spaces.
        choices: the only values allowed, if there is a closed list.
        since: the version that introduced it.
    """

    name: str
    help: str
    metavar: str
    default: str | None = None
    many: bool = False
    lines: bool = False
    choices: tuple[str, ...] = ()
    since: str = "0.1"

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return _flag(self.name)

    @property
    def dest(self) -> str:
        """The attribute of the parsed command line."""
        return self.ini

    @property
    def ini(self) -> str:
        """The key in pytest's configuration file."""
        return f"harness_{self.name}"

    @property
    def env(self) -> str:
        """The environment variable."""
        return f"HARNESS_{self.name.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What one run shall do besides its tests, or instead: a flag only, for a file that says it would say it always.

    Attributes:
        name: without prefix; `baseline_update` is `--harness-baseline-update`.
        help: one line, shown by `pytest --help`.
        metavar: how its values are called in the help; None for a flag without a value.
        since: the version that introduced it.
    """

    name: str
    help: str
    metavar: str | None = None
    since: str = "0.2"

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return _flag(self.name)

    @property
    def dest(self) -> str:
        """The attribute of the parsed command line."""
        return f"harness_{self.name}"


def _flag(name: str) -> str:
    return f"--harness-{name.replace('_', '-')}"


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
        help="the test database: 'sqlite', 'postgres', 'mariadb', 'mysql', or a SQLAlchemy URL of a test database; "
        "several: each test runs on each of them",
        metavar="DATABASE",
        default="sqlite",
        many=True,
    ),
    Option(
        name="databases",
        help="further databases, a line each: 'NAME: [DATABASE] url=PATTERN | engine=PKG.MODULE:NAME | url_env=NAME "
        "[metadata=PKG.MODULE:NAME] [schema=HOW] [image=IMAGE]', or 'NAME: replica_of=NAME url=PATTERN'",
        metavar="LINE",
        many=True,
        lines=True,
        since="0.3",
    ),
    Option(
        name="image",
        help="container image of the database server (default: postgres:17, mariadb:11.4 or mysql:8.4); "
        "'postgres=IMAGE, mariadb=IMAGE' for several servers",
        metavar="IMAGE",
    ),
    Option(
        name="server",
        help="where a server comes from: 'container', 'local' (this machine's PostgreSQL programs), or 'auto'",
        metavar="WHERE",
        default="auto",
        choices=SERVERS,
        since="0.3",
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
        help="'rollback': each test in a transaction that is undone; 'database': in a database of its own; "
        "'delete': commits are real, rows are deleted afterwards; 'none': commits are real",
        metavar="HOW",
        default="rollback",
        choices=ISOLATIONS,
    ),
    Option(
        name="keep_dir",
        help="directory for the SQLite files that --harness-keep-failed keeps",
        metavar="PATH",
        default="harness-kept",
        since="0.3",
    ),
    Option(
        name="ids",
        help="ids that tests see: 'reset': from one in each test; 'distinct': another range per table; 'continue'",
        metavar="HOW",
        default="reset",
        choices=IDS,
        since="0.3",
    ),
    Option(
        name="now",
        help="the database's now(): 'frozen' within a test, as its transaction is; 'advancing' between transactions",
        metavar="HOW",
        default="frozen",
        choices=NOWS,
        since="0.3",
    ),
    Option(
        name="allow_database",
        help="pattern of a URL (without password) that may be used although it does not look like a test database",
        metavar="PATTERN",
    ),
    Option(
        name="select",
        help="rules that judge the tests: codes ('H301'), prefixes ('H3'), 'stable'",
        metavar="CODE",
        default="stable",
        many=True,
        since="0.2",
    ),
    Option(
        name="ignore",
        help="rules that do not: codes or prefixes; 'H' switches all of them off",
        metavar="CODE",
        many=True,
        since="0.2",
    ),
    Option(
        name="fail_on",
        help="the least severe finding that fails the test in which it arises: 'error', 'warning' or 'never'",
        metavar="SEVERITY",
        default="error",
        choices=FAIL_ON,
        since="0.2",
    ),
    Option(
        name="allow",
        help="accepted findings, by rule and path: 'H301:app/legacy/*'",
        metavar="CODE:GLOB",
        many=True,
        since="0.2",
    ),
    Option(
        name="baseline",
        help="file of accepted findings, written by --harness-baseline-update",
        metavar="PATH",
        since="0.2",
    ),
    Option(
        name="migrations",
        help="tests of the Alembic migrations to run: 'all', or some of 'single_head', 'upgrade', 'up_down_up', "
        "'models_match'",
        metavar="TEST",
        many=True,
        choices=("all", *MIGRATION_TESTS),
        since="0.3",
    ),
    Option(
        name="irreversible",
        help="revisions that need not be downgraded",
        metavar="REVISION",
        many=True,
        since="0.3",
    ),
    Option(
        name="queries",
        help="file of how many statements each test sends, written by --harness-queries-record; more fail the test",
        metavar="PATH",
        since="0.3",
    ),
    Option(
        name="report",
        help="reports to write: 'json:PATH', 'sarif:PATH', 'html:PATH', 'github'",
        metavar="FORMAT:PATH",
        many=True,
        since="0.2",
    ),
)

COMMANDS = (
    Command(
        name="keep_failed",
        help="keep the database of each failed test, and print how to open it",
        since="0.3",
    ),
    Command(
        name="reuse",
        help="let the server, and its templates of the schema, stay for the next run with this flag",
        since="0.3",
    ),
    Command(
        name="fresh",
        help="forget the templates that runs with --harness-reuse have left",
        since="0.3",
    ),
    Command(
        name="baseline_update",
        help="accept all findings of this run: write them to the file of harness_baseline",
    ),
    Command(
        name="queries_record",
        help="write how many statements the tests of this run send to the file of harness_queries",
        since="0.3",
    ),
    Command(
        name="explain",
        help="print the manual of a rule ('H203'), or list a family ('H2') or all ('H'), and run no test",
        metavar="CODE",
    ),
)
