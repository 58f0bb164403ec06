"""What a mapped class must be given: its columns that nobody else fills, and the parents it cannot be without."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table
from sqlalchemy.orm import MANYTOONE, Mapper

from harness.models.reading import unique_together

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.orm import ColumnProperty


@dataclass(frozen=True, slots=True)
class Parent:
    """A row that must be there first.

    Args:
        attribute: the relationship, or a name for the row if there is none.
        related: whether there is a relationship.
        keys: attributes of the columns that this parent is the first to fill.
        columns: all attributes that must agree with the parent, and the parent's attributes.
        mapper: the parent's; None if the table it is in is not mapped.
        table: the name of the parent's table.
    """

    attribute: str
    related: bool
    keys: tuple[str, ...]
    columns: dict[str, str]
    mapper: Mapper[Any] | None
    table: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What an instance needs.

    Args:
        columns: by attribute.
        parents: rows that must be there first.
        unique: attributes that are part of a key.
    """

    columns: dict[str, Column[Any]]
    parents: tuple[Parent, ...]
    unique: frozenset[str]


def needs_of(mapper: Mapper[Any]) -> Needs:
    """Return what an instance of a mapped class needs."""
    needed = {}
    for attribute in mapper.column_attrs:
        column = _own_column(attribute)
        if column is not None and not _filled(mapper, attribute.key, column):
            needed[attribute.key] = column
    parents = tuple(_parents(mapper, {key: column for key, column in needed.items() if column.foreign_keys}))
    keys = {key for parent in parents for key in parent.keys}
    unique = frozenset(name for names in unique_together(mapper.class_) for name in names)
    return Needs({key: column for key, column in needed.items() if key not in keys}, parents, unique)


def _own_column(attribute: ColumnProperty[Any]) -> Column[Any] | None:
    """Return the column in which an attribute's value originates; None if it is an expression."""
    columns: list[Any] = [column for column in attribute.columns if isinstance(column.table, Table)]
    # A joined subclass has a column for its key, which points at its base's: the mapper copies the value.
    for column in columns:
        if not any(key.column in columns for key in getattr(column, "foreign_keys", ())):
            return column if hasattr(column, "foreign_keys") and hasattr(column, "nullable") else None
    return None


def _filled(mapper: Mapper[Any], key: str, column: Column[Any]) -> bool:
    """Tell whether a column may be left alone: by the mapper, a default, the database, or because it may be NULL."""
    if column.nullable and not column.primary_key:
        return True
    if column.default is not None or column.server_default is not None or column.computed is not None:
        return True
    table = column.table
    if isinstance(table, Table) and column is table.autoincrement_column:
        return True
    if column is mapper.version_id_col or (column is mapper.polymorphic_on and mapper.polymorphic_identity is not None):
        return True
    return _has_default(mapper.class_, key)


def _has_default(model: type, key: str) -> bool:
    """Tell whether a dataclass or a model of SQLModel has a default for an attribute."""
    if dataclasses.is_dataclass(model):
        for field in dataclasses.fields(model):
            if field.name == key and field.init:
                nothing = (dataclasses.MISSING, None)
                return field.default not in nothing or field.default_factory is not dataclasses.MISSING
    known = getattr(model, "model_fields", {}).get(key)
    return known is not None and not known.is_required() and known.get_default(call_default_factory=True) is not None


def _parents(mapper: Mapper[Any], pointing: dict[str, Column[Any]]) -> Iterator[Parent]:
    """Return the parents that the columns point at; each column is a key of one, and may have to agree with others."""
    left = dict(pointing)
    for name, pairs, target in _references(mapper):
        keys = tuple(key for key, column in left.items() if any(column is local for local, _ in pairs))
        if not keys or any(local.nullable for local, _ in pairs):  # without one of its columns a reference is NULL
            continue
        left = {key: column for key, column in left.items() if key not in keys}
        columns = {}
        if target is not None:
            columns = {_attribute(mapper, local): _attribute(target, remote) for local, remote in pairs}
        yield Parent(name or f"{keys[0]}_row", name is not None, keys, columns, target, str(pairs[0][1].table))


def _references(mapper: Mapper[Any]) -> Iterator[tuple[str | None, list[tuple[Any, Any]], Mapper[Any] | None]]:
    """Return relationships to one row, then foreign keys: name, pairs of columns, and the parent's mapper."""
    for relationship in mapper.relationships:
        if relationship.direction is MANYTOONE and not relationship.viewonly:
            yield relationship.key, list(relationship.local_remote_pairs or ()), relationship.mapper
    for table in (one for one in mapper.tables if isinstance(one, Table)):
        # Sorted, as constraints are a set; the one with most columns says most about each.
        constraints = sorted(table.foreign_key_constraints, key=lambda one: (-len(one.columns), str(one.column_keys)))
        for constraint in constraints:
            pairs = [(element.parent, element.column) for element in constraint.elements]
            yield None, pairs, _mapper_of(mapper, pairs[0][1])


def _attribute(mapper: Mapper[Any], column: Any) -> str:
    return mapper.get_property_by_column(column).key


def _mapper_of(mapper: Mapper[Any], column: Column[Any]) -> Mapper[Any] | None:
    """Return the mapper of a table, the most general one if there are several."""
    found = [other for other in mapper.registry.mappers if any(column is known for known in other.columns)]
    return min(found, key=lambda other: len(list(other.iterate_to_root())), default=None)
