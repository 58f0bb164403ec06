"""All pairs, and two applications made of all the wrong and of all the right ones."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import FastAPI

from sample_app import pitfalls
from sample_app.pitfalls.pair import Pair, Side


def _packages() -> list[str]:
    found = pkgutil.walk_packages(pitfalls.__path__, f"{pitfalls.__name__}.")
    return sorted(module.name for module in found if module.ispkg)


def _pairs() -> tuple[Pair, ...]:
    modules = [importlib.import_module(name) for name in _packages()]
    return tuple(module.PAIR for module in modules if hasattr(module, "PAIR"))


#: Every pitfall with its corrected twin, by folder.
PAIRS: tuple[Pair, ...] = _pairs()


def _together(side: Side) -> FastAPI:
    app = FastAPI(title=f"Everything {side}")
    for pair in PAIRS:
        app.include_router(pair.app(side).router, prefix=f"/{pair.name}")
    return app


def wrong() -> FastAPI:
    """Return an application with every pitfall."""
    return _together("wrong")


def right() -> FastAPI:
    """Return an application with every corrected twin."""
    return _together("right")
