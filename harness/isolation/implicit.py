"""MySQL and MariaDB end the transaction by themselves around many statements: which ones, and what to say of it.

The list is that of the manuals ("Statements That Cause an Implicit Commit", MySQL 8.4 §15.3.3; "SQL statements That
Cause an Implicit Commit", MariaDB).
"""

from __future__ import annotations

import re

from harness.callsite import nearest_user_frame
from harness.errors import IsolationError

_COMMITS = re.compile(
    r"\s*(?:ALTER|CREATE|DROP|RENAME|TRUNCATE|GRANT|REVOKE|LOCK|UNLOCK|FLUSH|RESET|CACHE|INSTALL|UNINSTALL"
    r"|SET\s+PASSWORD|LOAD\s+INDEX|(?:ANALYZE|CHECK|OPTIMIZE|REPAIR)(?:\s+(?:LOCAL|NO_WRITE_TO_BINLOG))?\s+TABLES?)\b(?!\s+(?:OR\s+REPLACE\s+)?TEMPORARY\b)",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(
    r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?TEMPORARY\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?((?:`[^`]+`|[\w$]+)(?:\.(?:`[^`]+`|[\w$]+))?)",
    re.IGNORECASE,
)


def commits_implicitly(sql: str) -> bool:
    """Tell whether the server commits the open transaction around a statement."""
    return _COMMITS.match(sql) is not None


def temporary_table(sql: str) -> str | None:
    """Return the name of the temporary table that a statement creates, None if it creates none."""
    found = _TEMPORARY.match(sql)
    return found.group(1) if found is not None else None


def implicit_commit(sql: str) -> IsolationError:
    """Return the error for a statement that would commit the test's transaction."""
    words = " ".join(sql.split())
    site = nearest_user_frame()
    truncate = words[:8].upper() == "TRUNCATE"
    return IsolationError(
        f"{words[:80]} was refused: it would commit the test's transaction",
        where=str(site) if site else None,
        why="MySQL and MariaDB commit implicitly around such statements, and nothing could undo the test's work then",
        remedy=(
            ("empty the table with DELETE FROM, which can be undone,\nor " if truncate else "")
            + 'give the test a database of its own: @pytest.mark.harness(isolation="database")\n'
            "or let it commit for real, and clean up after itself: "
            '@pytest.mark.harness(isolation="none")'
        ),
    )
