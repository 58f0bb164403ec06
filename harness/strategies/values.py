"""A strategy for each type of column; hypothesis' own do the work, and what is registered with it comes first."""

from __future__ import annotations

import datetime
import decimal
import enum
import typing
import uuid
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from harness.errors import HarnessError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.models.reading import Field

#: Types of Python about which a column's type knows more than their name.
_PLAIN = frozenset(
    {
        bool, int, float, str, bytes, dict, list, object, decimal.Decimal, uuid.UUID,
        datetime.date, datetime.datetime, datetime.time, datetime.timedelta, Any,
    }
)  # fmt: skip
_BITS = ((sa.SmallInteger, 16), (sa.BigInteger, 64), (sa.Integer, 32))
#: Days in which every database's interval, and SQLite's way of storing one, can count.
_DAYS = 10_000
#: Digits of a NUMERIC that says none, and as many as a float keeps: SQLite stores it as one.
_DIGITS, _PLACES = 12, 2


def values_of(model: type[Any], field: Field) -> SearchStrategy[Any]:
    """Return a strategy for a column's values, without NULL.

    Raises:
        HarnessError: nothing is known about its type.
    """
    from hypothesis import strategies as st

    kind = field.column.type
    if (own := _own_type(field.annotation)) is not None:
        length = getattr(kind, "length", None)
        strategy: SearchStrategy[Any] = st.from_type(own)
        return strategy.filter(lambda value: length is None or len(value) <= length)
    found: SearchStrategy[Any] | None = _by_type(st, kind)
    if found is None and isinstance(kind, sa.TypeDecorator):
        found = _by_type(st, kind.impl_instance)  # Interval is one, and known by itself
    if found is None:
        raise HarnessError(
            f"no values are known for {model.__name__}.{field.name}",
            why=f"its type is {kind!r}",
            remedy=f"give them: from_model({model.__name__}, {field.name}=st.…),\n"
            "or annotate the column with a type of your own and register that: st.register_type_strategy(…)",
        )
    return found


def _own_type(annotation: Any) -> Any:
    """Return the annotated type if it is the user's own, such as a NewType, and so says more than the column does."""
    bare = typing.get_origin(annotation) or annotation
    if annotation is None or bare in _PLAIN or isinstance(annotation, str):
        return None
    if typing.get_origin(annotation) is typing.Annotated or (isinstance(bare, type) and issubclass(bare, enum.Enum)):
        return None
    return annotation


def _by_type(st: Any, kind: Any) -> Any:
    for types, make in _MAKERS:
        if isinstance(kind, types):
            return make(st, kind)
    return None


def _text(st: Any, kind: Any) -> Any:
    return st.text(_characters(st), max_size=kind.length)


def _characters(st: Any) -> Any:
    """What every database can store: PostgreSQL has no NUL in its texts, and UTF-8 no half of a pair."""
    return st.characters(codec="utf-8", exclude_characters="\0")


def _integers(st: Any, kind: Any) -> Any:
    bits = next(bits for types, bits in _BITS if isinstance(kind, types))
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _numbers(st: Any, kind: Any) -> Any:
    digits, places = kind.precision or _DIGITS, kind.scale if kind.scale is not None else _PLACES
    largest = (decimal.Decimal(10) ** digits - 1).scaleb(-places)
    found = st.decimals(-largest, largest, places=places, allow_nan=False, allow_infinity=False)
    return found if kind.asdecimal else found.map(float)


def _floats(st: Any, kind: Any) -> Any:
    return st.floats(allow_nan=False, allow_infinity=False, width=32 if isinstance(kind, sa.REAL) else 64)


def _enumerations(st: Any, kind: Any) -> Any:
    return st.sampled_from(list(kind.enum_class) if kind.enum_class is not None else kind.enums)


def _moments(st: Any, kind: Any) -> Any:
    return st.datetimes(timezones=st.just(datetime.UTC) if kind.timezone else st.none())


def _spans(st: Any, kind: Any) -> Any:
    most = datetime.timedelta(days=_DAYS)
    return st.timedeltas(-most, most)


def _documents(st: Any, kind: Any) -> Any:
    text = st.text(_characters(st))
    leaves = st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False) | text
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=5)


def _arrays(st: Any, kind: Any) -> Any:
    items = _by_type(st, kind.item_type)
    return None if items is None or (kind.dimensions or 1) > 1 else st.lists(items, max_size=5)


def _identifiers(st: Any, kind: Any) -> Any:
    return st.uuids() if kind.as_uuid else st.uuids().map(str)


def _addresses(st: Any, kind: Any) -> Any:
    return st.ip_addresses().map(str)


def _inet() -> type[Any]:
    from sqlalchemy.dialects.postgresql import INET

    return INET


#: From special to general.
_MAKERS: tuple[tuple[Any, Any], ...] = (
    (sa.Enum, _enumerations),
    (sa.String, _text),
    (sa.Boolean, lambda st, kind: st.booleans()),
    (sa.Integer, _integers),
    (sa.Float, _floats),
    (sa.Numeric, _numbers),
    (sa.DateTime, _moments),
    (sa.Date, lambda st, kind: st.dates()),
    (sa.Time, lambda st, kind: st.times()),
    (sa.Interval, _spans),
    (sa.Uuid, _identifiers),
    (sa.JSON, _documents),
    (sa.ARRAY, _arrays),
    (sa.LargeBinary, lambda st, kind: st.binary(max_size=kind.length)),
    (_inet(), _addresses),
)
