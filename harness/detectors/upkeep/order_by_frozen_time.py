"""H904: rows are ordered by a time that is the same for all of them, because the test is one real transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from harness.detectors import signs
from harness.detectors.finding import Evidence, Finding
from harness.detectors.questions import where
from harness.detectors.rule import Rule, Severity
from harness.detectors.versions import Versions
from harness.detectors.wording import endpoint
from harness.observe.facts import Outcome, Statement, Transaction, site
from harness.observe.tape import Tape

RULE = Rule(
    code="H904",
    name="order by a frozen time",
    severity=Severity.INFO,
    what="A test on PostgreSQL read rows in the order of a column whose default is now(), and several transactions had "
    "written them.",
    why="within a test now() stands still, so their times are equal and their order is arbitrary; in production they "
    "differ",
    fix="let time advance: harness_now = advancing, or @pytest.mark.harness(now='advancing'); or order by the key too, "
    "which also decides between rows of one moment in production",
    wrong="""
        select(Item).order_by(Item.created_at.desc())
    """,
    right="""
        select(Item).order_by(Item.created_at.desc(), Item.id.desc())
    """,
    quiet=(
        "a further column to order by, such as the key",
        "times that the application gives: no default is asked for",
        "rows of one transaction, which have one time in production too",
        "a test in which time advances, one that commits for real, and SQLite, where the time does not stand still",
    ),
    since="0.3",
)
SIGNS = signs.RARE

_ORDER = re.compile(
    r"\bORDER BY (?P<terms>.+?)(?: LIMIT | OFFSET | FETCH | FOR (?:UPDATE|SHARE|NO|KEY)|$)", re.IGNORECASE
)
_TERM = re.compile(
    r'^(?:(?P<table>[\w."]+)\.)?(?P<column>\w+|"[^"]+")(?: (?:ASC|DESC))?(?: NULLS (?:FIRST|LAST))?$', re.IGNORECASE
)
_COLUMNS = re.compile(r"\bINSERT INTO [^\s(]+ ?\((?P<columns>[^)]*)\)", re.IGNORECASE)


def detect(tape: Tape, versions: Versions) -> Iterator[Finding]:
    """Yield a finding for each statement that orders rows of several transactions by a time that stood still."""
    if not tape.frozen:
        return
    sent = [statement for checkout in tape.checkouts for statement in checkout.statements]
    for read in sent:
        column = _ordered_by(read, tape.frozen)
        if column is None:
            continue
        written = [found for one in tape.transactions if (found := _wrote(one, read, column)) is not None]
        if len(written) > 1:
            yield _finding(read, column, written)


def _ordered_by(read: Statement, frozen: Mapping[str, frozenset[str]]) -> tuple[str, str] | None:
    """Return the table and column that decide the order of what is read, if that is a time that stands still."""
    table = read.shape.table.rpartition(".")[2]
    if read.shape.verb != "SELECT" or table not in frozen:
        return None
    orders = _ORDER.findall(read.shape.text)
    terms = [_TERM.match(term.strip()) for term in orders[-1].split(",")] if orders else []
    columns = [
        term["column"].strip('"') if term is not None and term["table"] in (None, table, read.shape.table) else ""
        for term in terms
    ]
    return (table, columns[0]) if columns and frozen[table].issuperset(columns) else None


def _wrote(transaction: Transaction, read: Statement, column: tuple[str, str]) -> Statement | None:
    """Return the statement with which a transaction, whose work was there to be read, made rows with that time."""
    gone = transaction.ended is not None and transaction.ended < read.at
    if gone and transaction.outcome is not Outcome.COMMITTED:
        return None
    for write in transaction.writes:
        if write.at < read.at and write.shape.verb == "INSERT" and write.shape.table.rpartition(".")[2] == column[0]:
            columns = _COLUMNS.search(write.shape.text)
            given = columns["columns"].replace('"', "").replace(" ", "").split(",") if columns else []
            if column[1] not in given:
                return write
    return None


def _finding(read: Statement, column: tuple[str, str], written: list[Statement]) -> Finding:
    name = ".".join(column)
    return Finding(
        rule=RULE,
        message=f"rows were read in the order of {name}, which is the same for those of {len(written)} transactions",
        site=where(read.place, read.request),
        endpoint=endpoint(read.request) if read.request is not None else None,
        evidence=tuple(
            Evidence(f"{write.shape.brief} got its {column[1]} from now()", site(write.place)) for write in written[:4]
        ),
        subject=name,
    )
