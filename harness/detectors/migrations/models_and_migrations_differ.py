"""H601: the migrations lead to another schema than the models describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.detectors.finding import Finding
from harness.detectors.rule import Rule, Severity

RULE = Rule(
    code="H601",
    name="models and migrations differ",
    severity=Severity.WARNING,
    what="The database that the migrations make is not the one that the models describe.",
    why="tests that make their tables from the models pass, and production, which migrates, fails at the first query",
    fix="write the migration that is missing: alembic revision --autogenerate, and read what it made",
    wrong="""
        class Book(Base):
            __tablename__ = "books"
            id: Mapped[int] = mapped_column(primary_key=True)
            barcode: Mapped[str | None]       # no migration adds it
    """,
    right="""
        def upgrade() -> None:
            op.add_column("books", sa.Column("barcode", sa.String(), nullable=True))
    """,
    quiet=(
        "tables that belong to no model, if the project's own env.py leaves them out",
        "projects whose schema is not made by migrations",
    ),
    runtime=False,
    opt_in=True,
)


def compare(differences: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each difference.

    Args:
        differences: what the models have and the migrated database has not, or the other way round; such as `column
            books.barcode is in the models only`.
    """
    for difference in dict.fromkeys(differences):
        yield Finding(
            rule=RULE,
            message=f"the models and the migrated database differ: {difference}",
            site=None,
            subject=difference,
            graph=True,
        )
