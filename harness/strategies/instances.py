"""Instances of mapped classes that the database would accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import HarnessError, MissingExtra

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.models.reading import Field

Model = TypeVar("Model")


def from_model(model: type[Model], /, **given: SearchStrategy[Any]) -> SearchStrategy[Model]:
    """Return a strategy for instances of a mapped class, not stored anywhere.

    Columns get values of their type, length, precision and enumeration, and sometimes NULL where they may; what the
    database or a callable default generates is left to it. What must be unique is, within an example. A reference that
    must not be NULL gets a new instance; all other relationships are left empty.

        @given(item=from_model(Item, stock=st.integers(0, 100)))

    Args:
        model: the class.
        **given: strategies for attributes: for what only a CHECK constraint or the application says, for a column of a
            type that is not known, and for references. `user=st.shared(from_model(User))` gives all the same user.

    Raises:
        HarnessError: `model` is not mapped, an attribute does not exist, a column's type is not known, or references
            that must not be NULL lead back to the class.
        MissingExtra: hypothesis is not installed.
    """
    try:
        from hypothesis import strategies as st
    except ImportError as error:
        raise MissingExtra("hypothesis", "hypothesis", "harness.strategies") from error
    found: SearchStrategy[Model] = _instances(st, model, given, ())
    return found


def _instances(st: Any, model: type[Any], given: dict[str, Any], above: tuple[type[Any], ...]) -> Any:
    from harness.models.reading import fields_of, references_of, unique_together
    from harness.strategies.values import values_of

    if model in above:
        raise _circle((*above, model))
    fields, references = fields_of(model), references_of(model)
    _check(model, given)
    chosen: dict[str, Any] = dict(given)
    for reference in references:
        if reference.required and reference.name not in given and not reference.names & given.keys():
            chosen[reference.name] = _instances(st, reference.target, {}, (*above, model))
    referring = {name for reference in references for name in reference.names}
    for field in fields:
        if field.name in chosen or field.generated or field.name in referring:
            continue
        if field.reference:
            if not field.optional:
                raise _unknown_row(model, field)
            continue
        values = values_of(model, field)
        chosen[field.name] = st.none() | values if field.optional else values
    return _distinct(st, model, st.builds(model, **chosen), [*dict.fromkeys(unique_together(model))])


def _distinct(st: Any, model: type[Any], instances: Any, constraints: list[tuple[str, ...]]) -> Any:
    """Draw again until an instance has no unique values that an earlier one of the same example has."""

    @st.composite  # type: ignore[untyped-decorator]  # as the module is handed in
    def distinct(draw: Any) -> Any:
        # One set for each example: what `shared` gives is the same everywhere in it.
        seen = draw(st.shared(st.builds(set), key=f"harness: unique values of {model.__module__}.{model.__qualname__}"))

        def is_new(instance: Any) -> bool:
            return bool(seen.isdisjoint(_unique_values(instance, constraints)))

        instance = draw(instances.filter(is_new))
        seen.update(_unique_values(instance, constraints))
        return instance

    return distinct()


def _unique_values(instance: Any, constraints: list[tuple[str, ...]]) -> list[Any]:
    found = []
    for names in constraints:
        values = tuple(vars(instance).get(name) for name in names)
        if None not in values:  # NULL is never the same as NULL; and what is generated is not there yet
            found.append((names, repr(values)))
    return found


def _check(model: type[Any], given: dict[str, Any]) -> None:
    from harness.models.reading import mapper_of

    known = mapper_of(model).attrs.keys()
    for name in given:
        if name not in known:
            raise HarnessError(
                f"{model.__name__} has no attribute {name!r}", remedy=f"give one of: {', '.join(sorted(known))}"
            )


def _circle(path: tuple[type[Any], ...]) -> HarnessError:
    shown = " → ".join(one.__name__ for one in path)
    return HarnessError(
        f"{path[-1].__name__} needs another {path[-1].__name__} first: {shown}",
        why="each of these references must not be NULL, so none of them can be made before the others",
        remedy="give one of them: from_model(…, parent=…), or let its foreign key be NULL",
    )


def _unknown_row(model: type[Any], field: Field) -> HarnessError:
    (key, *_) = field.column.foreign_keys
    return HarnessError(
        f"{model.__name__}.{field.name} must refer to a row of {key.target_fullname.rpartition('.')[0]}, and which one "
        "is not known",
        why="it is a foreign key that no relationship of the class belongs to",
        remedy=f"give it: from_model({model.__name__}, {field.name}=…), or map a relationship",
    )
