"""Statements that are the same but for their parameters; and what such a statement is called in a file.

Drivers write one statement in several ways: with their own placeholders and casts, with or without RETURNING, with as
many placeholders as a list has values; SQLAlchemy before 2.1 labels columns with their own names.
None of that makes it another statement.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from harness.callsite import CallSite
from harness.observe.queries import Query
from harness.observe.sql import shape

_PLACEHOLDER = re.compile(r"%\(\w+\)s|%s|\$(?:\d+|\?)|(?<![\w:]):\w+|\?")
_CAST = re.compile(r"\?::(?:DOUBLE PRECISION|[A-Za-z_][\w.]*)(?:\([?, ]*\))?(?: WITH(?:OUT)? TIME ZONE)?(?:\[\])*")
_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_ROWS = re.compile(r"(\(\?\))(?:\s*,\s*\(\?\))+")
_LABEL = re.compile(r"\b(\w+)\.(\w+) AS \1_\2\b")
_RETURNING = re.compile(r"\s+RETURNING\s.*$", re.DOTALL)


@lru_cache(maxsize=4096)
def key_of(sql: str) -> str:
    """Return `SELECT FROM users #1f3a9c2b`: readable, the same for every driver, and another one for another text."""
    seen = shape(sql)
    text = _RETURNING.sub("", _CAST.sub("?", _PLACEHOLDER.sub("?", seen.text)))
    text = _LABEL.sub(r"\1.\2", _ROWS.sub(r"\1", _LIST.sub("(?)", text)))
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{seen.brief} #{digest}"


@dataclass(frozen=True, slots=True)
class Group:
    """Statements of one shape, sent for one purpose.

    Attributes:
        key: the shape.
        load: `lazy load of User.orders`; empty for others.
        queries: the statements.
    """

    key: str
    load: str
    queries: tuple[Query, ...]

    @property
    def places(self) -> list[tuple[CallSite | None, int]]:
        """The lines that sent them, and how many each: the one that sent most first."""
        sites = Counter(query.site for query in self.queries)
        return sorted(sites.items(), key=lambda pair: (-pair[1], str(pair[0])))


def groups(queries: Iterable[Query]) -> list[Group]:
    """Return the statements by shape and purpose: the most frequent first, then as they came."""
    found: dict[tuple[str, str], list[Query]] = {}
    for query in queries:
        found.setdefault((key_of(query.sql), query.load), []).append(query)
    made = [Group(key, load, tuple(same)) for (key, load), same in found.items()]
    return sorted(made, key=lambda group: -len(group.queries))
