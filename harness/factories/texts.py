"""Texts: what a column is called tells what belongs there; its length and uniqueness are kept."""

from __future__ import annotations

from sqlalchemy import types

from harness.factories.values import Impossible, Wanted, fake, value

#: Providers of Faker that are asked for a column of that name, or one that ends with it: an API may validate these.
_SPOKEN = (
    "email", "first_name", "last_name", "user_name", "phone_number", "url", "city", "country_code", "country",
    "postcode", "currency_code", "timezone", "locale",
)  # fmt: skip
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@value.register
def _(kind: types.String, wanted: Wanted) -> str:
    length = kind.length or 1000
    if isinstance(kind, (types.CHAR, types.NCHAR)) and kind.length:
        return _short(length, wanted).rjust(length, "0")
    spoken = next((name for name in _SPOKEN if wanted.name == name or wanted.name.endswith(f"_{name}")), None)
    candidates = [_spoken(spoken, wanted)] if spoken else []
    candidates.append(f"{wanted.name} {wanted.number}")
    fitting = next((text for text in candidates if len(text) <= length), None)
    return fitting if fitting is not None else _short(length, wanted)


def _spoken(provider: str, wanted: Wanted) -> str:
    if provider == "email":  # a domain that no mail reaches, and that validators accept
        return f"{fake('user_name')}{wanted.number if wanted.unique else ''}@example.org"
    text = str(fake(provider))
    return f"{text}{wanted.number}" if wanted.unique else text


def _short(length: int, wanted: Wanted) -> str:
    """Return a number in as few characters as possible."""
    number, text = wanted.number, ""
    while number or not text:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    if len(text) <= length:
        return text
    if wanted.unique:
        raise Impossible(f"a unique text of {length} characters, all of which are taken,")
    return text[-length:]
