"""The words by which SQL asks for the time of the transaction, and functions of harness's own in their place.

PostgreSQL freezes `now()` and `CURRENT_TIMESTAMP` when the real transaction begins, which here is the whole test. The
keywords are part of the grammar, so no function can shadow them; the text of a statement is what can be changed.
"""

from __future__ import annotations

import re

#: Where the functions live; also the prefix of the setting that they read.
SCHEMA = "harness_clock"
#: The setting that holds the running transaction's time: microseconds since 1970, empty for the server's own.
SETTING = f"{SCHEMA}.moment"

_KEYWORDS = ("current_timestamp", "current_date", "current_time", "localtimestamp", "localtime")
_CALLS = ("now", "transaction_timestamp")
_TEXT = r"""[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/"""
_WORDS = re.compile(
    rf"(?P<body>\$(?P<tag>\w*)\$(?P<code>.*?)\$(?P=tag)\$)|(?P<text>{_TEXT})"
    rf"|(?<![\w.$])(?:pg_catalog\s*\.\s*)?(?P<call>{'|'.join(_CALLS)})\s*\(\s*\)"
    rf"|(?<![\w.$])(?P<keyword>{'|'.join(_KEYWORDS)})\b(?P<precision>\s*\()?",
    re.IGNORECASE | re.DOTALL,
)
#: A name and not a call: a column's title, a function that is being made.
_NAMED = re.compile(r"\b(?:as|function)\s*$", re.IGNORECASE)
_HAS_CODE = re.compile(r"\s*(?:create\s+(?:or\s+replace\s+)?(?:function|procedure)|do)\b", re.IGNORECASE)


def retimed(sql: str) -> str:
    """Return `sql` with every question for the transaction's time put to harness's functions instead.

    Text, comments and quoted names stay; the body of a function that is being made does not. A column that such a
    question names keeps its name.
    """
    has_code = _HAS_CODE.match(sql) is not None

    def replace(found: re.Match[str]) -> str:
        if found["body"]:
            quote = f"${found['tag']}$"
            return f"{quote}{retimed(found['code'])}{quote}" if has_code else found[0]
        if found["text"] or _NAMED.search(sql, max(0, found.start() - 40), found.start()):
            return found[0]
        if found["call"]:
            return f"{SCHEMA}.{found['call'].lower()}()"
        return f"{SCHEMA}.{found['keyword'].lower()}{'(' if found['precision'] else '()'}"

    return _WORDS.sub(replace, sql)


def functions() -> tuple[str, ...]:
    """Return the statements that make the schema and its functions; safe to repeat.

    Without a moment set, each gives what the word it stands for gives. A precision rounds, as it does there.
    """
    moment = (
        f"coalesce(pg_catalog.to_timestamp(nullif(pg_catalog.current_setting('{SETTING}', true), '')"
        "::pg_catalog.int8 / 1000000.0::pg_catalog.float8), pg_catalog.now())"
    )
    types = {
        "now": "timestamptz",
        "transaction_timestamp": "timestamptz",
        "current_timestamp": "timestamptz",
        "localtimestamp": "timestamp",
        "current_date": "date",
        "current_time": "timetz",
        "localtime": "time",
    }
    made = [f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}", f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC"]
    for name, kind in types.items():
        value = f"({moment})::pg_catalog.{kind}"
        made.append(_function(name, "", kind, value))
        if name in _KEYWORDS and name != "current_date":
            made.append(_function(name, "digits pg_catalog.int4", kind, f'pg_catalog."{kind}"({value}, digits)'))
    return tuple(made)


def _function(name: str, arguments: str, kind: str, value: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {SCHEMA}.{name}({arguments}) RETURNS pg_catalog.{kind} "
        f"LANGUAGE sql STABLE PARALLEL SAFE AS $harness$ SELECT {value} $harness$"
    )
