"""How rules are named: by a code such as `H301`, or by the beginning of one; and what is said to a name of no rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from harness.errors import ConfigError

#: The rules' codes, each with its title. The table itself is kept in a room to the right.
Known = Mapping[str, str]


def covered(name: str, codes: Iterable[str]) -> tuple[str, ...]:
    """Return the codes that a code or prefix stands for, sorted."""
    return tuple(sorted(code for code in codes if name and code.startswith(name)))


def split(values: Iterable[str]) -> tuple[str, ...]:
    """Return the names in some values; commas separate like spaces do, as in other tools."""
    return tuple(name for value in values for name in value.replace(",", " ").split())


def unknown_rule(what: str, name: str, known: Known, where: str | None, *, prefixes: bool = True) -> ConfigError:
    """Return the error for a name that is no rule's.

    Args:
        what: who used the name, such as `harness_select`.
        name: what was written.
        known: the rules there are.
        where: the option's source, the test, or the file and line.
        prefixes: whether a prefix would have been allowed.
    """
    hints = [f"{code} {known[code]}" for code in _near(name, known, prefixes)]
    remedy = [f"did you mean {hints[0]}?" if len(hints) == 1 else f"did you mean one of: {', '.join(hints)}?"]
    valid = [f"valid: {', '.join(family)}" for family in _families(known)]
    valid[1:] = [line.replace("valid:", "      ") for line in valid[1:]]
    tail = ["or a prefix, such as H2"] if prefixes else []
    return ConfigError(
        f"{what} does not know the rule {name!r}",
        where=where,
        remedy="\n".join((*(remedy if hints else []), *valid, *tail)),
    )


def _near(name: str, known: Known, prefixes: bool) -> list[str]:
    from difflib import get_close_matches  # not before somebody needs it: this module is imported with the plugin

    upper = name.strip().upper()
    if upper in known:
        return [upper]
    if not prefixes and (family := covered(upper, known)):
        return list(family)
    words = [code for code, title in known.items() if len(name) > 3 and name.lower() in title.lower()]
    pairs = range(len(upper) - 1)
    swapped = [upper[:at] + upper[at + 1] + upper[at] + upper[at + 2 :] for at in pairs]
    return words[:3] or [code for code in swapped if code in known] or get_close_matches(upper, sorted(known), 3, 0.7)


def _families(known: Known) -> list[list[str]]:
    return [list(codes) for _, codes in groupby(sorted(known), key=lambda code: code[:2])]
