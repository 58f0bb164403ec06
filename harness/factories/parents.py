"""Declarations for factory-boy: a parent that is made when it is needed, and a refusal when it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import factory
from factory.declarations import SKIP, BaseDeclaration
from sqlalchemy.orm import Mapper, object_session

from harness.errors import FactoryError
from harness.factories.columns import Parent, needs_of


class Required(factory.SubFactory):  # type: ignore[misc]  # untyped
    """A parent, made unless the columns that point at it are given.

    Composite foreign keys may have columns in common, such as that of a tenant. A parent is made for what is given, so
    that all of them agree; otherwise each agrees with the parents before it.
    """

    def __init__(self, made_by: type, parent: Parent, before: tuple[Parent, ...], after: tuple[Parent, ...]) -> None:
        super().__init__(made_by)
        self._parent, self._before, self._after = parent, before, after

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return the parent."""
        if not extra and _all_given(step, self._parent):
            return SKIP
        for name, theirs in self._parent.columns.items():
            value = self._agreed(instance, step, name)
            if value is not SKIP:
                extra = {theirs: value, **extra}
        return super().evaluate(instance, step, extra)

    def _agreed(self, instance: Any, step: Any, name: str) -> Any:
        """Return what a column must be; SKIP if nothing has been said about it."""
        if _given(step, name):
            return getattr(instance, name)
        given = [other for other in (*self._before, *self._after) if _given(step, other.attribute)]
        for other in (*given, *self._before):
            if name in other.columns:
                value = _column_of(getattr(instance, other.attribute), other.columns[name])
                if value is not SKIP:
                    return value
        return SKIP


class Key(BaseDeclaration):  # type: ignore[misc]  # as above
    """A column that points at a parent; left to the relationship if there is one."""

    def __init__(self, name: str, parent: Parent) -> None:
        super().__init__()
        self._name, self._parent = name, parent

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return the value that the column holds."""
        if self._parent.related:
            return SKIP
        return _column_of(getattr(instance, self._parent.attribute), self._parent.columns[self._name])


class Refusal(BaseDeclaration):  # type: ignore[misc]  # as above
    """Something that cannot be made, told only to those who do not supply it."""

    def __init__(self, error: FactoryError, parent: Parent) -> None:
        super().__init__()
        self._error, self._parent = error, parent

    def evaluate(self, instance: Any, step: Any, extra: dict[str, Any]) -> Any:
        """Return nothing if the columns are given.

        Raises:
            FactoryError: they are not.
        """
        if _all_given(step, self._parent):
            return SKIP
        raise self._error


def _given(step: Any, name: str) -> bool:
    """Tell whether a value is the caller's, or a subclass's, and not an automatic factory's."""
    if name in step.builder.extras:
        return step.builder.extras[name] is not SKIP
    declared = step.builder.factory_meta.base_declarations
    return name in declared and not isinstance(declared[name], (Required, Key, Refusal))


def _all_given(step: Any, parent: Parent) -> bool:
    return all(_given(step, key) for key in parent.keys)


def _column_of(row: Any, attribute: str) -> Any:
    """Return the value of a row's column; SKIP if there is no row."""
    if row is SKIP or row is None:
        return SKIP
    session = object_session(row)
    if session is not None:
        session.flush()  # the database may give it, and without a relationship nobody knows that this row comes first
    return getattr(row, attribute)


def refusal(mapper: Mapper[Any], parent: Parent) -> FactoryError | None:
    """Return why a parent cannot be made: its table is not mapped, or it needs the child itself."""
    model = mapper.class_.__name__
    keys = ", ".join(f"{key}=…" for key in parent.keys)
    if parent.mapper is None:
        return FactoryError(
            f"{model}.{parent.keys[0]} points at {parent.table}, of which no class is mapped",
            why="an automatic factory makes the rows that a row cannot be without, and knows only mapped classes",
            remedy=f"make the row yourself and name it: harness.factory({model})({keys})",
        )
    cycle = _way(parent.mapper, mapper)
    if cycle is None:
        return None
    names = " → ".join(one.class_.__name__ for one in (mapper, *cycle))
    return FactoryError(
        f"{model} cannot be made automatically: its required parents need it themselves",
        where=names,
        why="every row of the cycle must be there before the other, so none can be the first",
        remedy=(
            f"supply one: harness.factory({model})({f'{parent.attribute}=…' if parent.related else keys}),\n"
            "or let one of the foreign keys be NULL, as the application must have a way out too"
        ),
    )


def _way(start: Mapper[Any], goal: Mapper[Any]) -> tuple[Mapper[Any], ...] | None:
    """Return how required parents lead from one mapper to another; None if they do not."""
    ways: list[tuple[Mapper[Any], ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop(0)
        if way[-1] is goal:
            return way
        for following in _next(way[-1]):
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return None


def _next(mapper: Mapper[Any]) -> Iterator[Mapper[Any]]:
    return (parent.mapper for parent in needs_of(mapper).parents if parent.mapper is not None)
