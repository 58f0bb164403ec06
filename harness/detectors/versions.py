"""Which FastAPI and SQLAlchemy are installed: a remedy must fit them, and so must a judgement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Versions:
    """Installed versions; `()` where a package is not installed."""

    fastapi: Version
    sqlalchemy: Version

    @property
    def exits_after_response(self) -> bool:
        """Tell whether code after a dependency's `yield` runs after the response was sent.

        So it was before FastAPI 0.106 and is again since 0.118, for the default scope `request`.
        """
        return bool(self.fastapi) and not ((0, 106) <= self.fastapi < (0, 118))

    @property
    def has_scope(self) -> bool:
        """Tell whether `Depends(scope="function")` exists: since FastAPI 0.121."""
        return self.fastapi >= (0, 121)


def installed() -> Versions:
    """Return what is installed now."""
    return Versions(fastapi=_version("fastapi"), sqlalchemy=_version("sqlalchemy"))


def _version(package: str) -> Version:
    try:
        text = version(package)
    except PackageNotFoundError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
