"""What each dependency gives, and what its consumers declare to receive."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

from harness.callsite import is_users
from harness.graph.sorts import declared
from harness.session.annotations import hints
from harness.session.body import of_body
from harness.session.callables import behind
from harness.session.evidence import Provision, of_class, of_object

_Given = Provision | None


class Provisions:
    """Remembers what was already found out."""

    def __init__(self) -> None:
        self._given: dict[object, _Given] = {}
        self._hints: dict[FunctionType, dict[str, Any]] = {}

    def given(self, call: Any) -> Provision | None:
        """Tell what a dependency gives: what its body says is believed before what it declares."""
        if isinstance(call, type):
            return of_class(call)
        made = of_object(call)
        if made:
            return made.made()
        found = behind(call)
        if found is None:
            return None
        # Instances of one class, such as those that check one permission each, are taken to give the same.
        key = (found.function, type(found.instance))
        if key not in self._given:
            read = of_body(call) if is_users(found.function.__code__.co_filename) else None
            self._given[key] = read or declared(self._hints_of(call).get("return", inspect.Parameter.empty))
        return self._given[key]

    def declared(self, consumer: Any, parameter: str) -> Provision | None:
        """Tell what a parameter is declared to receive."""
        return declared(self._hints_of(consumer).get(parameter))

    def _hints_of(self, call: Any) -> dict[str, Any]:
        found = behind(call)
        if found is None or isinstance(call, type):
            return hints(call)
        if found.function not in self._hints:
            self._hints[found.function] = hints(found.function)
        return self._hints[found.function]
