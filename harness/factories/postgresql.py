"""Values for the types that only PostgreSQL has."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects import postgresql as pg

from harness.factories.values import Impossible, Wanted, some_number, value

#: The type of a range's bounds, and the distance between them.
_BOUNDS: dict[str, tuple[Any, Any]] = {
    "INT4": (types.Integer(), 10),
    "INT8": (types.BigInteger(), 10),
    "NUM": (types.Numeric(6, 2), Decimal(10)),
    "DATE": (types.Date(), timedelta(days=10)),
    "TS": (types.DateTime(), timedelta(hours=1)),
    "TSTZ": (types.DateTime(timezone=True), timedelta(hours=1)),
}


def _range(kind: Any, wanted: Wanted) -> pg.Range[Any]:
    name = type(kind).__name__.removesuffix("RANGE").removesuffix("MULTI")
    if name not in _BOUNDS:
        raise Impossible(type(kind).__name__)
    bound, distance = _BOUNDS[name]
    # One after the other, so that they do not overlap: columns of this type often have an exclusion constraint.
    lower = value(bound, Wanted(wanted.name, 0, unique=True)) + distance * wanted.number
    return pg.Range(lower, lower + distance)


for _kind in (pg.INT4RANGE, pg.INT8RANGE, pg.NUMRANGE, pg.DATERANGE, pg.TSRANGE, pg.TSTZRANGE):
    value.register(_kind)(_range)


def _multirange(kind: Any, wanted: Wanted) -> pg.ranges.MultiRange[Any]:
    return pg.ranges.MultiRange([_range(kind, wanted)])


for _many in (
    pg.INT4MULTIRANGE, pg.INT8MULTIRANGE, pg.NUMMULTIRANGE, pg.DATEMULTIRANGE, pg.TSMULTIRANGE, pg.TSTZMULTIRANGE,
):  # fmt: skip
    value.register(_many)(_multirange)


@value.register
def _(kind: pg.INET, wanted: Wanted) -> str:
    return str(IPv4Address("10.0.0.1") + wanted.number)


@value.register
def _(kind: pg.CIDR, wanted: Wanted) -> str:
    return f"{IPv4Address('10.0.0.0') + 256 * wanted.number}/24"


@value.register
def _(kind: pg.MACADDR, wanted: Wanted) -> str:
    return (0x020000000000 + wanted.number).to_bytes(6, "big").hex(":")


@value.register
def _(kind: pg.MACADDR8, wanted: Wanted) -> str:
    return (0x0200000000000000 + wanted.number).to_bytes(8, "big").hex(":")


@value.register
def _(kind: pg.INTERVAL, wanted: Wanted) -> timedelta:
    return timedelta(minutes=some_number(wanted))


@value.register
def _(kind: pg.HSTORE, wanted: Wanted) -> dict[str, str]:
    return {wanted.name: str(wanted.number)}


@value.register
def _(kind: pg.BIT, wanted: Wanted) -> Any:
    length = 8 if kind.varying and not kind.length else kind.length or 1
    bits = f"{wanted.number % 2**length:0{length}b}"
    make = getattr(pg, "BitString", str)  # SQLAlchemy 2.1 has a class for it
    return make(bits)


@value.register(pg.TSVECTOR)
@value.register(pg.TSQUERY)
def _(kind: Any, wanted: Wanted) -> str:
    return f"word{wanted.number}"


@value.register
def _(kind: pg.MONEY, wanted: Wanted) -> str:
    return f"{some_number(wanted)}.00"


@value.register
def _(kind: pg.OID, wanted: Wanted) -> int:
    return some_number(wanted)


@value.register
def _(kind: pg.REGCLASS, wanted: Wanted) -> str:
    return "pg_catalog.pg_class"


@value.register
def _(kind: pg.REGCONFIG, wanted: Wanted) -> str:
    return "english"


@value.register
def _(kind: pg.JSONPATH, wanted: Wanted) -> str:
    return f"$.{wanted.name}"


@value.register
def _(kind: pg.DOMAIN, wanted: Wanted) -> Any:
    return value(kind.data_type, wanted)
