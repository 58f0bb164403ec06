"""Objects by their dotted names."""

from __future__ import annotations

import importlib
from typing import Any


def named(path: str) -> Any:
    """What a dotted path leads to: an attribute, of an attribute, of a module."""
    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(path)
