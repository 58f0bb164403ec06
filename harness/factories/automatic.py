"""Factories made from mapped classes: `harness.factory(User)`."""

from __future__ import annotations

import inspect as python
from functools import cache, partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness.errors import FactoryError, MissingExtra

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.orm import Mapper

    from harness.factories.columns import Needs


def factory(model: type[Any]) -> Any:
    """Return a factory for a mapped class: an `SQLAlchemyModelFactory` of factory-boy, the same one each time.

    It fills what an instance cannot be without: columns that may not be NULL and that nobody else fills, and, with
    factories like itself, the parents it needs. Whatever it shall not choose is given by keyword, as always.

        harness.factory(Order)(user__name="ann", status="shipped")

    Args:
        model: a class that SQLAlchemy or SQLModel has mapped.

    Raises:
        MissingExtra: factory-boy is not installed.
        HarnessError: the class is not mapped. What cannot be filled is told when the factory is called without it.
    """
    if find_spec("factory") is None:
        raise MissingExtra("factory-boy", "factories", "harness.factory")
    from harness.models.reading import mapper_of

    return _made(mapper_of(model))


@cache
def _made(mapper: Mapper[Any]) -> Any:
    from factory.alchemy import SQLAlchemyModelFactory

    from harness.factories.columns import needs_of

    model = mapper.class_

    class Automatic(SQLAlchemyModelFactory):  # type: ignore[misc]  # factory-boy has no types
        class Meta:
            abstract = True

        @classmethod
        def _build(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
            return _construct(model_class, *args, **kwargs)

        @classmethod
        def _save(cls, model_class: Any, session: Any, args: Any, kwargs: Any) -> Any:
            return super()._save(partial(_construct, model_class), session, args, kwargs)

    needs = needs_of(mapper)
    declared, renamed = _clear_of(_declarations(mapper, needs), SQLAlchemyModelFactory)
    rows = tuple(parent.attribute for parent in needs.parents if not parent.related)
    meta = type("Meta", (), {"model": model, "rename": renamed, "exclude": rows})
    body = {**declared, "Meta": meta, "__module__": model.__module__, "__doc__": f"Makes rows of {mapper.local_table}."}
    metaclass: Any = type(Automatic)
    return metaclass(f"{model.__name__}Factory", (Automatic,), body)


def _declarations(mapper: Mapper[Any], needs: Needs) -> dict[str, Any]:
    from factory import Sequence

    from harness.factories.parents import Key, Refusal, Required, refusal

    declared: dict[str, Any] = {}
    for name, column in needs.columns.items():
        declared[name] = Sequence(partial(_value, mapper, name, column, name in needs.unique))
    for number, parent in enumerate(needs.parents):
        for key in parent.keys:
            declared[key] = Key(key, parent)
        error = refusal(mapper, parent)
        if error is not None:
            declared[parent.attribute] = Refusal(error, parent)
        else:
            before, after = needs.parents[:number], needs.parents[number + 1 :]
            declared[parent.attribute] = Required(_made(parent.mapper), parent, before, after)
    return declared


def _value(mapper: Mapper[Any], name: str, column: Column[Any], unique: bool, number: int) -> Any:
    import harness.factories.postgresql
    import harness.factories.texts  # noqa: F401 - both register the types they know
    from harness.factories.checks import bounds, choices
    from harness.factories.values import Impossible, Wanted, value

    if allowed := choices(column):
        return allowed[number % len(allowed)]
    try:
        return value(column.type, Wanted(name, number, unique, bounds(column)))
    except Impossible as error:
        model = mapper.class_.__name__
        raise FactoryError(
            f"{model}.{name} cannot be filled: no value is known for {error}",
            where=f"column {column} of type {column.type!r}",
            why="an automatic factory knows SQLAlchemy's generic types and PostgreSQL's",
            remedy=(
                f"supply it: harness.factory({model})({name}=…),\n"
                f"or once for all: class {model}Factory(harness.factory({model})): {name} = …"
            ),
        ) from error


def _clear_of(declared: dict[str, Any], base: type) -> tuple[dict[str, Any], dict[str, str]]:
    """Return declarations none of which hides a method of the factory, and how they are renamed for the model."""
    taken = {name for name in declared if hasattr(base, name)}
    kept = {f"{name}_" if name in taken else name: declaration for name, declaration in declared.items()}
    return kept, {f"{name}_": name for name in taken}


def _construct(model: Any, *args: Any, **kwargs: Any) -> Any:
    """Return an instance; what its constructor does not take is set afterwards, and what it insists on is None."""
    parameters = python.signature(model.__init__).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return model(*args, **kwargs)
    names = [parameter.name for parameter in parameters][1:]
    insisted = {p.name: None for p in list(parameters)[1:] if p.default is p.empty and p.kind is not p.VAR_POSITIONAL}
    made = model(*args, **insisted | {name: given for name, given in kwargs.items() if name in names})
    for name, given in kwargs.items():
        if name not in names:
            setattr(made, name, given)
    return made
