"""What kind of statement is this? Decides whether a transaction has to take its turn before the statement runs.

A statement is a *read* only if it provably changes nothing: taking a read for a write merely costs a turn,
taking a write for a read would let it slip out of the application's rollback.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """The part a statement plays in a transaction."""

    READ = "read"
    SETTING = "setting"
    WRITE = "write"
    DDL = "ddl"
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    SAVEPOINT = "savepoint"
    RELEASE = "release"
    ROLLBACK_TO = "rollback to"
    OUTSIDE = "outside"
    IMPLICIT_COMMIT = "implicit commit"


@dataclass(frozen=True, slots=True)
class Statement:
    """One classified statement; `name` is the savepoint's, `verb` its first keyword in upper case.

    `simple` tells whether it reads or writes rows and nothing else, as nearly all do.
    """

    kind: Kind
    verb: str
    name: str | None = None
    parts: tuple[str, ...] = ()
    inserts: tuple[str, ...] = ()
    simple: bool = field(init=False)

    def __post_init__(self) -> None:
        simple = self.kind in (Kind.READ, Kind.WRITE) and not self.parts
        object.__setattr__(self, "simple", simple)


_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)", re.DOTALL)
_WORD = re.compile(r"[\s(]*([A-Za-z_]+)")
_CALL = re.compile(r"([a-z_][a-z0-9_$]*)\s*\(")
_CHANGES = re.compile(r"\b(insert|update|delete|merge|into|share)\b")
_NAME = r'\s+("(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[\w$]+)'
_SAVEPOINT = re.compile(r"\s*SAVEPOINT" + _NAME, re.IGNORECASE)
_RELEASE = re.compile(r"\s*RELEASE(?:\s+SAVEPOINT)?" + _NAME, re.IGNORECASE)
_ROLLBACK_TO = re.compile(r"\s*ROLLBACK(?:\s+(?:WORK|TRANSACTION))?\s+TO(?:\s+SAVEPOINT)?" + _NAME, re.IGNORECASE)
_HAS_BODY = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?(?:constraint\s+)?(?:trigger|function|procedure)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"""\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)

_IDENTIFIER = r'(?:"[^"]+"|`[^`]+`|[\w$]+)'
_PART = re.compile(_IDENTIFIER)
_INSERT = re.compile(
    r"\b(?:(?:INSERT|REPLACE)(?:\s+IGNORE)?\s+INTO|MERGE\s+INTO|COPY)\s+"
    rf"({_IDENTIFIER}(?:\.{_IDENTIFIER})?)",
    re.IGNORECASE,
)

_READS = frozenset({"SELECT", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "WITH", "FETCH", "MOVE"})
_DDL = frozenset({"CREATE", "ALTER", "DROP", "TRUNCATE", "COMMENT", "GRANT", "REVOKE", "REINDEX", "RENAME", "SECURITY"})

#: Functions of PostgreSQL, MySQL and SQLite that change something although they are called in a SELECT
#: (PostgreSQL documentation, "System Administration Functions", "Sequence Manipulation Functions").
_WRITING_FUNCTIONS = frozenset(
    {
        "nextval", "setval", "set_config", "pg_notify", "txid_current", "pg_current_xact_id", "get_lock",
        "release_lock",
        "lo_create", "lo_unlink", "lo_put", "lo_from_bytea", "lo_import", "dblink_exec", "pg_logical_emit_message",
        "pg_advisory_lock", "pg_advisory_xact_lock", "pg_try_advisory_lock", "pg_try_advisory_xact_lock",
        "pg_advisory_lock_shared", "pg_advisory_xact_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_all",
    }
)  # fmt: skip

# Statements the server refuses inside any transaction, so they can never run under rollback isolation.
_OUTSIDE = re.compile(
    r"\s*(?:VACUUM|(?:CREATE|DROP)\s+DATABASE|(?:CREATE|DROP)\s+TABLESPACE|ALTER\s+SYSTEM|ATTACH|DETACH"
    r"|(?:CREATE(?:\s+UNIQUE)?|DROP)\s+INDEX\s+CONCURRENTLY|REINDEX\s+(?:\w+\s+)?CONCURRENTLY)\b",
    re.IGNORECASE,
)


class Classifier:
    """Classifies statements and remembers the answers; one per pinned connection.

    Args:
        writing_functions: lower-case names of further functions that change something, read from the
            database's own catalogue.
        commits_implicitly: tells of the statements around which the server commits by itself.
    """

    def __init__(
        self,
        writing_functions: frozenset[str] = frozenset(),
        commits_implicitly: Callable[[str], bool] = lambda sql: False,
    ) -> None:
        self._writing = _WRITING_FUNCTIONS | writing_functions
        self._commits_implicitly = commits_implicitly
        self._known: dict[str, Statement] = {}

    def __call__(self, sql: str) -> Statement:
        found = self._known.get(sql)
        if found is None:
            if len(self._known) > 5000:  # literal-heavy suites must not grow the process without bound
                self._known.clear()
            found = self._known[sql] = self._classify(sql)
        return found

    def _classify(self, sql: str) -> Statement:
        found = classify(sql, self._writing)
        if found.kind in (Kind.DDL, Kind.WRITE, Kind.SETTING) and self._commits_implicitly(_bare(sql)):
            return Statement(Kind.IMPLICIT_COMMIT, found.verb)
        return found


def classify(sql: str, writing_functions: frozenset[str] = _WRITING_FUNCTIONS) -> Statement:
    """Return the `Statement` that `sql` is."""
    text = _bare(sql)
    word = _WORD.match(text)
    verb = word.group(1).upper() if word else ""
    if ";" in text and len(pieces := _pieces(text)) > 1:
        return _several(verb, pieces, writing_functions)
    if found := _transaction_control(text, verb):
        return found
    if verb in _READS and not _writes(text, writing_functions):
        return Statement(Kind.READ, verb)
    if verb in ("PRAGMA", "SET"):  # settings of the connection, not rows
        return Statement(Kind.SETTING, verb)
    if _OUTSIDE.match(text):
        return Statement(Kind.OUTSIDE, verb)
    return Statement(Kind.DDL if verb in _DDL else Kind.WRITE, verb, inserts=_inserts(text))


def _bare(sql: str) -> str:
    """Return a statement without the comments before it."""
    while match := _COMMENT.match(sql):
        sql = sql[match.end() :]
    return sql


def _inserts(text: str) -> tuple[str, ...]:
    """Return the tables that rows are inserted into, as the database knows them."""
    return tuple(
        ".".join(part[1:-1] if part[0] in '"`' else part.lower() for part in _PART.findall(name))
        for name in _INSERT.findall(text)
    )


def _transaction_control(text: str, verb: str) -> Statement | None:
    if verb in ("BEGIN", "START"):
        return Statement(Kind.BEGIN, verb)
    if verb in ("COMMIT", "END"):
        return Statement(Kind.COMMIT, verb)
    if verb in ("ROLLBACK", "ABORT"):
        if match := _ROLLBACK_TO.match(text):
            return Statement(Kind.ROLLBACK_TO, verb, match.group(1))
        return Statement(Kind.ROLLBACK, verb)
    if verb == "SAVEPOINT" and (match := _SAVEPOINT.match(text)):
        return Statement(Kind.SAVEPOINT, verb, match.group(1))
    if verb == "RELEASE" and (match := _RELEASE.match(text)):
        return Statement(Kind.RELEASE, verb, match.group(1))
    return None


def _writes(text: str, writing_functions: frozenset[str]) -> bool:
    lowered = text.lower()
    if _CHANGES.search(lowered):  # data-modifying WITH, SELECT INTO, FOR UPDATE, FOR SHARE
        return True
    return any(name in writing_functions for name in _CALL.findall(lowered))


def _pieces(text: str) -> tuple[str, ...]:
    """Split several statements in one string; text and comments are not looked into."""
    bare = _QUOTED.sub(_masked, text)
    if _HAS_BODY.search(bare):
        return (text,)
    cuts = [index for index, char in enumerate(bare) if char == ";"]
    starts = [0, *(cut + 1 for cut in cuts)]
    ends = [*cuts, len(text)]
    found = [(text[start:end].strip(), bare[start:end].strip()) for start, end in zip(starts, ends, strict=True)]
    return tuple(piece for piece, content in found if content)


def _masked(match: re.Match[str]) -> str:
    comment = match.group().startswith(("--", "/*"))
    return (" " if comment else "x") * len(match.group())


def _several(verb: str, pieces: tuple[str, ...], writing_functions: frozenset[str]) -> Statement:
    """Classify several statements in one string; they are sent one by one only if one would end the transaction."""
    found = [classify(piece, writing_functions) for piece in pieces]
    kinds = {statement.kind for statement in found}
    if kinds & {Kind.BEGIN, Kind.COMMIT, Kind.ROLLBACK}:
        return Statement(Kind.WRITE, verb, parts=pieces)
    if kinds <= {Kind.READ, Kind.SETTING}:
        return Statement(Kind.SETTING if Kind.SETTING in kinds else Kind.READ, verb)
    return Statement(Kind.WRITE, verb, inserts=tuple(table for statement in found for table in statement.inserts))
