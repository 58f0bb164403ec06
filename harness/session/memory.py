"""What mapped objects looked like at a moment, and back to it: what a level that has ended must not leave in objects.

The database undoes rows; an object that outlives the level keeps what was done to it: values that were set, values
that were loaded from rows that are gone, a deletion. `Memory` puts all of it back, with SQLAlchemy's public functions.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import uuid
import weakref
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import inspect
from sqlalchemy.ext.mutable import MutableBase
from sqlalchemy.orm import make_transient, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.collections import collection_adapter

if TYPE_CHECKING:
    from sqlalchemy.orm import InstanceState, Session

#: Values that cannot be changed in place, so that they need no copy.
_IMMUTABLE = (
    str, bytes, int, float, bool, complex, type(None), decimal.Decimal, uuid.UUID, enum.Enum,
    datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo,
)  # fmt: skip
_MISSING = object()


class _Related(NamedTuple):
    """What a loaded relationship held: weakly, so that remembering keeps nothing alive."""

    many: bool
    members: tuple[weakref.ref[Any], ...]


class _Look:
    """How one object looked."""

    __slots__ = ("columns", "home", "mutable", "related", "size", "state")

    def __init__(self, state: InstanceState[Any], home: weakref.ref[Session] | None) -> None:
        self.state = state
        self.home = home
        self.columns: dict[str, Any] = {}
        self.mutable: dict[str, Any] = {}
        self.related: dict[str, _Related] = {}
        mapper, values = state.mapper, state.dict
        for key in mapper.column_attrs.keys():  # noqa: SIM118 - a collection of attributes, not a dict
            value = values.get(key, _MISSING)
            if isinstance(value, _IMMUTABLE):
                self.columns[key] = value
            elif value is not _MISSING:
                self.mutable[key] = _copied(value)
        for key, relationship in mapper.relationships.items():
            if key in values:
                self.related[key] = _related(values[key], bool(relationship.uselist))
        self.size = len(values)

    @property
    def owner(self) -> Session | None:
        """The session that the object is given back to."""
        return self.home() if self.home is not None else None

    @property
    def changed(self) -> bool:
        """Tell whether the object may look different now; asked often, and mostly the answer is no."""
        state = self.state
        if state.modified or state.expired or state.was_deleted or not state.has_identity:
            return True
        if (state.session_id is not None or self.home is not None) and state.session is not self.owner:
            return True
        values = state.dict
        if len(values) != self.size:
            return True
        if any(values.get(key, _MISSING) is not value for key, value in self.columns.items()):
            return True
        return any(values.get(key, _MISSING) != value for key, value in self.mutable.items()) or any(
            key not in values or _related(values[key], known.many) != known for key, known in self.related.items()
        )

    def restore(self, obj: Any) -> None:
        """Give the object back its values, as if it had just been loaded; it then belongs to no session."""
        state = self.state
        make_transient(obj)
        values = state.dict
        for key in state.mapper.attrs.keys():  # noqa: SIM118 - as above
            values.pop(key, None)
        values.update(self.columns)
        for key, value in self.mutable.items():
            values[key] = found = _copied(value)
            if isinstance(found, MutableBase):
                found._parents[state] = key
        make_transient_to_detached(obj)
        for key, known in self.related.items():
            members = [member() for member in known.members]
            if None not in members:
                set_committed_value(obj, key, members if known.many else next(iter(members), None))
        self.size = len(values)


class Memory:
    """The looks of objects, taken when `add` was called."""

    def __init__(self) -> None:
        self._looks: dict[InstanceState[Any], _Look] = {}

    def __len__(self) -> int:
        return len(self._looks)

    @property
    def states(self) -> Set[InstanceState[Any]]:
        """The states of the objects that are remembered."""
        return self._looks.keys()

    def knows(self, state: InstanceState[Any]) -> bool:
        """Tell whether an object still looks as it is remembered."""
        look = self._looks.get(state)
        return look is not None and not look.changed

    def absorb(self, other: Memory) -> None:
        """Take over what another memory holds."""
        self._looks.update(other._looks)

    def add(self, states: Iterable[InstanceState[Any]], home: Session | None = None) -> None:
        """Remember how objects look now.

        Args:
            states: the objects' states, `inspect(obj)`; objects without a primary key are passed over.
            home: the session that they are given back to; without one they are detached when they are restored.
        """
        reference = weakref.ref(home) if home is not None else None
        for state in states:
            gone = state.obj() is None or state.deleted or state.was_deleted
            if not gone and state.has_identity and _has_key(state):
                self._looks[state] = _Look(state, reference)

    def objects(self) -> list[Any]:
        """Return the objects that are alive and belong to no session now."""
        free = (state for state in self._looks if state.session_id is None and not state.was_deleted)
        return [obj for obj in (state.obj() for state in free) if obj is not None]

    def untaken(self) -> Memory:
        """Return how the objects look now that are detached, or where they are given back to."""
        now = Memory()
        for state, look in self._looks.items():
            if state.session is None or state.session is look.owner:
                now.add((state,), look.owner)
        return now

    def homes(self) -> list[Session]:
        """Return the sessions that objects are given back to, as far as they are alive."""
        owners = {id(owner): owner for look in self._looks.values() if (owner := look.owner) is not None}
        return list(owners.values())

    def restore(self, except_for: Set[InstanceState[Any]] = frozenset()) -> None:
        """Let all objects look as they did, and let the sessions that own them forget everything else.

        Args:
            except_for: objects that are left alone, as a later memory has put them back.
        """
        for state in [state for state in self._looks if state.obj() is None]:
            del self._looks[state]
        for home in self.homes():
            for obj in list(home):
                if inspect(obj) not in self._looks:
                    home.expunge(obj)
        returning: list[tuple[Session, Any]] = []
        for look in self._looks.values():
            obj = look.state.obj()
            if obj is not None and look.state not in except_for and look.changed:
                look.restore(obj)
                if (owner := look.owner) is not None:
                    returning.append((owner, obj))
        for owner, obj in returning:
            owner.add(obj)


def _has_key(state: InstanceState[Any]) -> bool:
    """Tell whether the primary key is loaded, without which an object cannot be put back."""
    mapper = state.mapper
    return all(mapper.get_property_by_column(column).key in state.dict for column in mapper.primary_key)


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001 - a type of the user's that refuses in its own way is taken as it is
        return value


def _related(value: Any, many: bool) -> _Related:
    if not many:
        return _Related(False, () if value is None else (weakref.ref(value),))
    if value is None:
        return _Related(True, ())
    return _Related(True, tuple(weakref.ref(member) for member in collection_adapter(value)))
