"""Every error harness raises, with one shape: the fact, where, why, and the remedy.

HarnessError
├── ConfigError            an option or marker has a value that cannot be used
├── BudgetError            a query budget is written or used in a way that checks nothing
├── AppError               the application could not be imported, built or recognised
├── DependencyError        a named session dependency does not exist or cannot be used
├── MissingExtra           an optional package is needed and not installed
├── DatabaseUnavailable    the database could not be provided
│   └── EngineUnavailable  no container engine answers
├── UnsafeDatabase         a URL does not look like a test database
├── SchemaError            the schema could not be built
├── MigrationError         a migration, or the history of all, is not as it should be
├── FactoryError           a factory cannot make what it was asked for
├── IsolationError         something left, or would leave, the test's transaction
│   ├── OverlapError       two transactions of one test stand in each other's way
│   └── EscapeError        a connection that cannot be captured was refused
└── ClientError            the client cannot drive the application
"""

from __future__ import annotations


class HarnessError(Exception):
    """A problem told to its reader.

    Args:
        fact: what happened, one sentence, lower-case start, no full stop.
        where: the place it happened (file and line, option and its source, socket, image).
        why: why it is a problem, or why it could not be avoided.
        remedy: what to do; several lines are several remedies.
    """

    def __init__(
        self, fact: str, *, where: str | None = None, why: str | None = None, remedy: str | None = None
    ) -> None:
        self.fact = fact
        self.where = where
        self.why = why
        self.remedy = remedy
        super().__init__(fact)

    def __str__(self) -> str:
        rows = [("where", self.where), ("why", self.why), ("fix", self.remedy)]
        lines = [self.fact]
        for label, text in rows:
            if text:
                first, *rest = text.splitlines()
                lines.append(f"  {label:<6}{first}")
                lines.extend(f"        {line}" for line in rest)
        return "\n".join(lines)


class ConfigError(HarnessError):
    """An option, environment variable or marker argument has a value that cannot be used."""


class BudgetError(HarnessError):
    """A query budget is written, or used, in a way that checks nothing."""


class AppError(HarnessError):
    """The application could not be imported, built or recognised."""


class DependencyError(HarnessError):
    """A named session dependency does not exist or cannot be used."""


class MissingExtra(HarnessError):
    """An optional package is needed and not installed; the message names the extra."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(
            f"{package} is not installed, and {purpose} needs it",
            remedy=f'pip install "pytest-fastapi-harness[{extra}]"',
        )


class DatabaseUnavailable(HarnessError):
    """The database that was asked for could not be provided."""


class EngineUnavailable(DatabaseUnavailable):
    """No container engine answers."""


class UnsafeDatabase(HarnessError):
    """A URL does not look like a test database, and nobody said that it is one."""


class SchemaError(HarnessError):
    """The schema could not be built in the test database."""


class MigrationError(HarnessError):
    """A migration, or the history of all migrations, is not as it should be."""


class FactoryError(HarnessError):
    """A factory cannot make what it was asked for, or cannot store it."""


class IsolationError(HarnessError):
    """Something left, or would leave, the test's transaction."""


class OverlapError(IsolationError):
    """Two transactions of one test stand in each other's way on the pinned connection."""


class EscapeError(IsolationError):
    """A connection that cannot be captured was refused."""


class ClientError(HarnessError):
    """The client cannot drive the application."""
