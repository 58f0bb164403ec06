"""A value for a column, by its type: Faker's where it need not be unique, the n-th of a sequence where it must be.

Each SQLAlchemy type has one small function here, found by its class as `functools.singledispatch` finds it; those of
PostgreSQL are in `postgresql.py`, texts in `texts.py`. All randomness comes from factory-boy's Faker, so that what
seeds it (pytest-randomly, `factory.random.reseed_random`) seeds this too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

import factory
from sqlalchemy import types


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a value is for.

    Args:
        name: the attribute's, which a text may show.
        number: counts the objects of one factory, from 0.
        unique: whether no other object may have the same.
        bounds: least and greatest number that a CHECK constraint allows.
    """

    name: str
    number: int
    unique: bool = False
    bounds: tuple[int | None, int | None] = (None, None)


class Impossible(Exception):
    """No value can be made for a type."""


def fake(provider: str, **arguments: Any) -> Any:
    """Return what a provider of factory-boy's Faker gives."""
    return factory.Faker(provider).evaluate(None, None, {"locale": None, **arguments})


@singledispatch
def value(kind: Any, wanted: Wanted) -> Any:
    """Return a value for a column of this type.

    Raises:
        Impossible: the type is unknown.
    """
    raise Impossible(type(kind).__name__)


def some_number(wanted: Wanted, most: int = 9999) -> int:
    """Return a positive number, the next one if it must be unique."""
    least, greatest = wanted.bounds
    low = 1 if least is None else least
    high = max(low, most) if greatest is None else greatest
    low = min(low, high)
    return low + wanted.number if wanted.unique else int(fake("pyint", min_value=low, max_value=high))


@value.register
def _(kind: types.TypeDecorator, wanted: Wanted) -> Any:  # type: ignore[type-arg]  # singledispatch needs the class
    return value(kind.impl_instance if hasattr(kind, "impl_instance") else kind.impl, wanted)


@value.register
def _(kind: types.Boolean, wanted: Wanted) -> bool:
    return bool(fake("pybool"))


@value.register
def _(kind: types.Integer, wanted: Wanted) -> int:
    return some_number(wanted)


@value.register
def _(kind: types.Numeric, wanted: Wanted) -> Any:  # type: ignore[type-arg]  # as above
    precision, scale = kind.precision or 6, 2 if kind.scale is None else kind.scale
    if precision <= scale and kind.scale is None:
        scale = 0
    if wanted.bounds == (None, None):
        number = Decimal(some_number(wanted, min(10**precision - 1, 999_999))).scaleb(-scale)
    else:
        number = Decimal(some_number(wanted, 10 ** max(precision - scale, 1) - 1))
    return number if kind.asdecimal else float(number)


@value.register
def _(kind: types.Float, wanted: Wanted) -> Any:  # type: ignore[type-arg]  # as above
    number = Decimal(some_number(wanted))
    return number if kind.asdecimal else float(number)


@value.register
def _(kind: types.Date, wanted: Wanted) -> date:
    if wanted.unique:
        return date(2000, 1, 1) + timedelta(days=wanted.number)
    return fake("date_between", start_date="-2y", end_date="today")  # type: ignore[no-any-return]  # a date


@value.register
def _(kind: types.DateTime, wanted: Wanted) -> datetime:
    zone = UTC if kind.timezone else None
    if wanted.unique:
        return datetime(2000, 1, 1, tzinfo=zone) + timedelta(minutes=wanted.number)
    moment: datetime = fake("date_time_between", start_date="-2y", end_date="-1d")
    return moment.replace(microsecond=0, tzinfo=zone)


@value.register
def _(kind: types.Time, wanted: Wanted) -> time:
    seconds = (wanted.number if wanted.unique else some_number(wanted)) % 86_400
    moment = (datetime(2000, 1, 1) + timedelta(seconds=seconds)).time()
    return moment.replace(tzinfo=UTC) if kind.timezone else moment


@value.register
def _(kind: types.Interval, wanted: Wanted) -> timedelta:
    return timedelta(minutes=some_number(wanted))


@value.register(types.LargeBinary)
@value.register(types.BINARY)
@value.register(types.VARBINARY)
def _(kind: Any, wanted: Wanted) -> bytes:
    length = min(kind.length or 16, 16)
    return wanted.number.to_bytes(length, "big") if wanted.unique else bytes(fake("binary", length=length))


@value.register
def _(kind: types.Uuid, wanted: Wanted) -> Any:  # type: ignore[type-arg]  # as above
    made: UUID = fake("uuid4", cast_to=None)
    return made if kind.as_uuid else str(made)


@value.register
def _(kind: types.Enum, wanted: Wanted) -> Any:
    choices = list(kind.enum_class) if kind.enum_class is not None else list(kind.enums)
    return choices[wanted.number % len(choices)]


@value.register
def _(kind: types.JSON, wanted: Wanted) -> Any:  # generic in SQLAlchemy 2.1 only
    return {wanted.name: wanted.number}


@value.register
def _(kind: types.PickleType, wanted: Wanted) -> Any:
    return {wanted.name: wanted.number}


@value.register
def _(kind: types.ARRAY, wanted: Wanted) -> Any:  # type: ignore[type-arg]  # as above
    made: Any = value(kind.item_type, wanted)
    for _dimension in range(kind.dimensions or 1):
        made = [made]
    return made
