"""The columns and references of a mapped class: what has to be given, and what comes by itself."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, UniqueConstraint, inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm import Mapped, Mapper, RelationshipDirection

from harness.errors import HarnessError

if TYPE_CHECKING:
    from sqlalchemy.orm import RelationshipProperty


@dataclass(frozen=True, slots=True)
class Field:
    """A mapped column.

    Attributes:
        name: of the attribute.
        generated: whether the database, or a callable default, gives a value that nobody has to choose.
        reference: whether it is a foreign key.
        annotation: the type in `Mapped[…]`; None if there is none.
    """

    name: str
    column: Column[Any]
    generated: bool
    reference: bool
    annotation: Any

    @property
    def optional(self) -> bool:
        """Tell whether it may be NULL."""
        return bool(self.column.nullable)


@dataclass(frozen=True, slots=True)
class Reference:
    """A relationship to one other object.

    Attributes:
        names: the attributes of the foreign key's columns.
        required: whether one of them may not be NULL.
    """

    name: str
    target: type[Any]
    names: frozenset[str]
    required: bool


def mapper_of(model: type[Any]) -> Mapper[Any]:
    """Return the mapper of a class.

    Raises:
        HarnessError: it is not mapped.
    """
    try:
        mapper = inspect(model)
    except NoInspectionAvailable:
        mapper = None
    if not isinstance(mapper, Mapper):
        raise HarnessError(
            f"{getattr(model, '__name__', model)!r} is not a mapped class",
            why="without columns nobody knows what an instance of it needs",
            remedy="give a class with __tablename__ or __table__, derived from your DeclarativeBase,\n"
            "or from SQLModel with table=True",
        )
    return mapper


def fields_of(model: type[Any]) -> list[Field]:
    """Return the columns of a mapped class, in the order in which they are declared."""
    mapper = mapper_of(model)
    hints = _hints(model)
    found = []
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if isinstance(column, Column) and column.table is not None:
            found.append(
                Field(attribute.key, column, _is_generated(column), bool(column.foreign_keys), hints.get(attribute.key))
            )
    return [field for field in found if not _is_discriminator(mapper, field.column)]


def references_of(model: type[Any]) -> list[Reference]:
    """Return the relationships of a mapped class that lead to one other object by a foreign key of its own."""
    mapper = mapper_of(model)
    return [
        Reference(
            relation.key,
            relation.mapper.class_,
            frozenset(mapper.get_property_by_column(column).key for column in relation.local_columns),
            any(not column.nullable for column in relation.local_columns),
        )
        for relation in _relations(mapper)
        if relation.direction is RelationshipDirection.MANYTOONE and not relation.viewonly
    ]


def unique_together(model: type[Any]) -> Iterator[tuple[str, ...]]:
    """Return the attributes whose values may be there only once, as a tuple for each constraint."""
    mapper = mapper_of(model)
    names = {column: attribute.key for attribute in mapper.column_attrs for column in attribute.columns}
    tables: list[Any] = list(mapper.tables)  # as SQLAlchemy types them, they could be any selectable
    for table in tables:
        sets = [list(table.primary_key.columns)] if len(table.primary_key.columns) else []
        sets += [[column] for column in table.columns if column.unique]
        sets += [list(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
        sets += [list(index.columns) for index in getattr(table, "indexes", ()) if index.unique]
        yield from {tuple(names[column] for column in columns if column in names): None for columns in sets}


def _relations(mapper: Mapper[Any]) -> Iterator[RelationshipProperty[Any]]:
    yield from mapper.relationships


def _is_generated(column: Column[Any]) -> bool:
    own = getattr(column.table, "autoincrement_column", None)
    if column is own or column.server_default is not None or column.computed is not None:
        return True
    return column.default is not None and not column.default.is_scalar


def _is_discriminator(mapper: Mapper[Any], column: Column[Any]) -> bool:
    return mapper.polymorphic_on is not None and column is mapper.polymorphic_on


def _hints(model: type[Any]) -> dict[str, Any]:
    """Return the types in `Mapped[…]`, without None."""
    try:
        hints = typing.get_type_hints(model, include_extras=True)
    except (NameError, TypeError):  # an annotation that only a type checker can read; the column's type is enough
        return {}
    found = {}
    for name, hint in hints.items():
        if typing.get_origin(hint) is Mapped:
            (inner,) = typing.get_args(hint)
            kinds = [kind for kind in typing.get_args(inner) if kind is not type(None)]
            found[name] = kinds[0] if len(kinds) == 1 and type(None) in typing.get_args(inner) else inner
    return found
