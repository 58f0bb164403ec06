"""Act when a module is imported, without importing it: a project that never uses it pays nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


@contextmanager
def on_arrival(module: str, action: Callable[[], None]) -> Iterator[None]:
    """Call `action` right after `module` has been imported for the first time; at once if it has been already."""
    if module in sys.modules:
        action()
        yield
        return
    finder = _Finder(module, action)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.retire()


class _Finder(MetaPathFinder):
    def __init__(self, module: str, action: Callable[[], None]) -> None:
        self._module = module
        self._action = action
        self._looking = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module or self._looking:
            return None
        self._looking = True
        try:
            spec = find_spec(fullname)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            # Looking for a module is not its import: only the loader knows that it has arrived.
            spec.loader = _Loader(spec.loader, self._arrived)
        return spec

    def _arrived(self) -> None:
        if self in sys.meta_path:
            self.retire()
            self._action()

    def retire(self) -> None:
        """Step out of the import system."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _Loader(Loader):
    """The module's own loader, with something to do afterwards."""

    def __init__(self, loader: Loader, action: Callable[[], None]) -> None:
        self._loader = loader
        self._action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action()
