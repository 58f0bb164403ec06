"""What goes wrong when a factory stores an object, told so that one sees why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError, NoInspectionAvailable, SQLAlchemyError
from sqlalchemy.orm.exc import UnmappedError

from harness.errors import FactoryError
from harness.factories.desk import without_greenlet

if TYPE_CHECKING:
    from harness.factories.desk import Desk


@contextmanager
def explained(factory: type, desk: Desk) -> Iterator[None]:
    """Explain a model that is not mapped, or whose table the test database has not.

    Raises:
        FactoryError: instead of SQLAlchemy's error, which is its cause.
    """
    try:
        yield
    except UnmappedError as error:
        raise FactoryError(
            f"{factory.__name__} makes something that SQLAlchemy cannot store",
            why=str(error),
            remedy="name a mapped class as its model, or derive it from factory.Factory if nothing is to be stored",
        ) from error
    except DBAPIError as error:
        if missing := _missing_tables(factory, desk):
            raise _foreign(factory, missing) from error
        raise


def _missing_tables(factory: Any, desk: Desk) -> list[str]:
    """Return the tables of a factory's model that the test database has not; it is asked on a connection of its own."""
    meta = getattr(factory, "_meta", None)
    model = meta.get_model_class() if meta is not None else factory.__model__
    mapper = inspect(model, raiseerr=False)
    if mapper is None:
        return []
    try:
        with without_greenlet():
            found = inspect(desk.session().get_bind())
            return [table.fullname for table in mapper.tables if not found.has_table(table.name, schema=table.schema)]
    except (SQLAlchemyError, NoInspectionAvailable, FactoryError):
        return []  # the database cannot be asked: its own error says more


def _foreign(factory: type, missing: list[str]) -> FactoryError:
    tables = ", ".join(missing)
    return FactoryError(
        f"{factory.__name__} makes rows of {tables}, and the test database has no such table",
        why="the model belongs to another database, or its metadata is not among those whose tables are created",
        remedy=(
            "name its metadata too: harness_metadata = myapp.models:Base other.models:Base\n"
            "or let the migrations make the table, if harness_schema = alembic"
        ),
    )
