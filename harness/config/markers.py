"""`@pytest.mark.harness(…)`: the marker's signature is a function, and a wrong call is an error that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.config.codes import Known, covered, unknown_rule
from harness.config.options import IDS, ISOLATIONS, NOWS
from harness.config.settings import unknown_value
from harness.errors import ConfigError

if TYPE_CHECKING:
    import pytest

SIGNATURE = (
    "harness(isolation='rollback' | 'database' | 'delete' | 'none', ids='reset' | 'distinct' | 'continue', "
    "now='frozen' | 'advancing', allow=[codes], expect=[codes], max_queries=number, requires=[capabilities])"
)
HELP = (
    f"{SIGNATURE}: how this test's database work is kept apart from other tests', which ids and which time it "
    "gets; findings that it may have, and findings that it must have; how many statements it may send; what its "
    "database must be able to do (see README)"
)
_CHOICES = {"isolation": ISOLATIONS, "ids": IDS, "now": NOWS}
_ARGUMENTS = frozenset({*_CHOICES, "allow", "expect", "max_queries", "requires"})


@dataclass(frozen=True, slots=True)
class Allow:
    """A rule that a test may break.

    Attributes:
        code: a code or prefix.
        holder: node id of the test, class or module that carries the marker.
        shared: whether other tests carry it too, also as parameters of one function.
    """

    code: str
    holder: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a test asked for with its markers; None or nothing where it said nothing."""

    isolation: str | None = None
    ids: str | None = None
    now: str | None = None
    allow: tuple[Allow, ...] = ()
    expect: tuple[str, ...] = ()
    max_queries: int | None = None
    requires: tuple[str, ...] = ()

    @property
    def about_database(self) -> bool:
        """Tell whether it says something that only a test with a database has a use for."""
        return bool(self.isolation or self.ids or self.now or self.requires or self.max_queries is not None)


def request_of(item: pytest.Item, known: Known | None = None) -> Request:
    """Return what the markers of a test ask for: each closest choice and number, and all else from every one.

    Args:
        item: the test.
        known: the rules there are; without them, codes are taken as they are.

    Raises:
        ConfigError: a marker was called with arguments that it does not take.
    """
    chosen: dict[str, str] = {}
    most: int | None = None
    allow: dict[Allow, None] = {}
    expect: dict[str, None] = {}
    requires: dict[str, None] = {}
    for node, marker in item.iter_markers_with_node("harness"):
        _check_names(marker, item.nodeid)
        chosen = {**_choices(marker, item.nodeid), **chosen}
        allowed = _max_queries(marker, item.nodeid)
        most = allowed if most is None else most
        shared = node is not item or hasattr(item, "callspec")
        holder = node.nodeid if node is not item else _without_parameters(item)
        allow.update(
            (Allow(code, holder, shared), None) for code in _codes(marker, "allow", item.nodeid, known, prefixes=True)
        )
        expect.update((code, None) for code in _codes(marker, "expect", item.nodeid, known, prefixes=False))
        requires.update((name, None) for name in _requires(marker, item.nodeid))
    return Request(**chosen, allow=tuple(allow), expect=tuple(expect), max_queries=most, requires=tuple(requires))


def _without_parameters(item: pytest.Item) -> str:
    name: str = getattr(item, "originalname", None) or item.name
    return item.nodeid.removesuffix(item.name) + name


def _check_names(marker: pytest.Mark, nodeid: str) -> None:
    unknown = sorted(set(marker.kwargs) - _ARGUMENTS)
    if marker.args or unknown:
        what = (
            f"positional arguments {marker.args!r}" if marker.args else f"no argument {', '.join(map(repr, unknown))}"
        )
        raise ConfigError(
            f"@pytest.mark.harness takes {what}".replace("takes positional", "takes no positional"),
            where=nodeid,
            remedy=f"its signature is {SIGNATURE}",
        )


def _choices(marker: pytest.Mark, nodeid: str) -> dict[str, str]:
    found = {name: marker.kwargs[name] for name in _CHOICES if marker.kwargs.get(name) is not None}
    for name, value in found.items():
        if value not in _CHOICES[name]:
            raise unknown_value(f"@pytest.mark.harness({name}=…)", str(value), _CHOICES[name], nodeid)
    return found


def _max_queries(marker: pytest.Mark, nodeid: str) -> int | None:
    if "max_queries" not in marker.kwargs:
        return None
    value = marker.kwargs["max_queries"]
    if type(value) is not int or value < 0:
        raise ConfigError(
            f"@pytest.mark.harness(max_queries=…) takes a whole number from 0 on, not {value!r}",
            where=nodeid,
            remedy="say how many statements the test may send: @pytest.mark.harness(max_queries=5)",
        )
    return value


def _requires(marker: pytest.Mark, nodeid: str) -> tuple[str, ...]:
    """Return the capabilities that a marker names: one as a string, several as a list."""
    if "requires" not in marker.kwargs:
        return ()
    value = marker.kwargs["requires"]
    names = (value,) if isinstance(value, str) else value
    right = isinstance(names, (list, tuple, set, frozenset)) and all(isinstance(name, str) for name in names)
    if not right or not names or not all(name.strip() for name in names):
        raise ConfigError(
            f"@pytest.mark.harness(requires=…) takes a capability or a list of them, not {value!r}",
            where=nodeid,
            remedy="name what the database must be able to do: @pytest.mark.harness(requires='savepoints')",
        )
    return tuple(sorted(names) if isinstance(names, (set, frozenset)) else names)


def _codes(marker: pytest.Mark, name: str, nodeid: str, known: Known | None, *, prefixes: bool) -> tuple[str, ...]:
    if name not in marker.kwargs:
        return ()
    value, what = marker.kwargs[name], f"@pytest.mark.harness({name}=…)"
    codes = (value,) if isinstance(value, str) else value
    right = isinstance(codes, (list, tuple, set, frozenset)) and all(isinstance(code, str) for code in codes)
    if not right or not codes or not all(code.strip() for code in codes):
        raise ConfigError(
            f"{what} names no rule" if not codes or right else f"{what} takes a list of codes, not {value!r}",
            where=nodeid,
            remedy=f"name what is {name}ed: @pytest.mark.harness({name}=['H301'])",
        )
    found = tuple(sorted(codes) if isinstance(codes, (set, frozenset)) else codes)
    for code in found if known is not None else ():
        if known is not None and not (covered(code, known) if prefixes else code in known):
            raise unknown_rule(what, code, known, nodeid, prefixes=prefixes)
    return found
