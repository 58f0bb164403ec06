"""The questions that every history of migrations has to answer, each a function that raises if the answer is no."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from harness.errors import MigrationError
from harness.migrations.failures import shown
from harness.migrations.snapshot import leftovers, snapshot

if TYPE_CHECKING:
    from harness.migrations.history import Revision
    from harness.migrations.runner import Migrations


def check_single_head(migrations: Migrations) -> None:
    """Check that there are not two newest revisions.

    Raises:
        MigrationError: there are; it names them.
    """
    heads = migrations.heads
    if len(heads) < 2:
        return
    named = [migrations.history[head] for head in heads]
    raise MigrationError(
        f"the migrations have {len(heads)} heads",
        where="\n".join(f"{head} in {shown(head.path)}" for head in named),
        why="each follows the same revision, as after a merge of two branches; `alembic upgrade head` refuses that",
        remedy=f'merge them: alembic merge -m "merge heads" {" ".join(heads)}\n'
        "or let one follow the other: change its down_revision",
    )


def check_models_match(migrations: Migrations) -> None:
    """Check that autogenerate would find nothing to do after all migrations.

    Raises:
        MigrationError: it would; each difference is told.
    """
    migrations.upgrade("heads")
    if found := migrations.differences():
        raise MigrationError(
            f"models and migrations differ in {len(found)} {'place' if len(found) == 1 else 'places'}",
            where="\n".join(found),
            why="the tables that production gets are made by the migrations, and are not those that the models expect",
            remedy="what is in the models only, or differs, needs a migration: alembic revision --autogenerate\n"
            "what is in the database only needs its model back (does env.py import it?), or a migration that drops it\n"
            "what is meant to differ is left out by include_object or include_name in env.py",
        )


def check_up_down_up(migrations: Migrations, revision: Revision) -> None:
    """Check that a revision's downgrade undoes its upgrade, and that it can be upgraded again.

    Raises:
        MigrationError: one of the steps fails, or leaves something.
    """
    migrations.before(revision.id)
    empty = snapshot(migrations.engine)
    migrations.upgrade(revision.id)
    full = snapshot(migrations.engine)
    _downgrade(migrations, revision)
    if found := leftovers(empty, snapshot(migrations.engine)):
        body = downgrade_of(revision)
        raise MigrationError(
            f"the downgrade of revision {revision} does not undo its upgrade",
            where=shown(revision.path),
            why="\n".join((*(["downgrade() is empty"] if body == "pass" else []), *found)),
            remedy=f"undo in downgrade() what upgrade() does\n{_allow(revision)}",
        )
    migrations.upgrade(revision.id)
    if found := leftovers(full, snapshot(migrations.engine)):
        raise MigrationError(
            f"the second upgrade of revision {revision} does not make what the first one made",
            where=shown(revision.path),
            why="\n".join(found),
            remedy="let upgrade() make the same, whatever was there before",
        )


def _downgrade(migrations: Migrations, revision: Revision) -> None:
    if downgrade_of(revision) == "missing":
        raise MigrationError(
            f"revision {revision} cannot be downgraded: it has no downgrade()",
            where=shown(revision.path),
            remedy=f"write it\n{_allow(revision)}",
        )
    try:
        migrations.downgrade(revision.follows[0] if revision.follows else "base")
    except MigrationError as problem:
        if isinstance(problem.__cause__, NotImplementedError):
            raise MigrationError(
                f"revision {revision} cannot be downgraded: downgrade() raises NotImplementedError",
                where=problem.where,
                remedy=f"write it\n{_allow(revision)}",
            ) from problem
        raise


def _allow(revision: Revision) -> str:
    return (
        f"or, if there shall be no way back, say so in the pytest configuration: harness_irreversible = {revision.id}"
    )


def downgrade_of(revision: Revision) -> str:
    """Return `missing` or `pass` for a downgrade that does nothing, else nothing."""
    tree = ast.parse(revision.path.read_text(encoding="utf-8"))
    found = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "downgrade"), None)
    if found is None:
        return "missing"
    idle = all(
        isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in found.body
    )
    return "pass" if idle else ""
