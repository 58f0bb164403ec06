"""Which engine belongs to which of several databases: by its URL, by its name in a module, or as the only one left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.config.options import DEFAULT
from harness.database.drivers.choice import family
from harness.database.guard import matches
from harness.database.urls import shown, without_driver
from harness.errors import ConfigError, EscapeError
from harness.isolation.routes import Route

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine

    from harness.config.databases import Declared
    from harness.errors import HarnessError
    from harness.run.served import Served


class Claims:
    """What `harness_databases` says about engines.

    Args:
        databases: what is declared.
        served: returns the databases that there are now; replicas have none of their own.
        source: where the option was given.
    """

    def __init__(self, databases: Sequence[Declared], served: Callable[[], Sequence[Served]], source: str) -> None:
        self._databases = databases
        self._served = served
        self._source = source
        self._default_is_told = any(one.name == DEFAULT for one in databases)
        #: Where the engines lead that nothing claims; a second such place is an error.
        self._left: URL | None = None

    def choose(self, engine: Engine) -> Route | None:
        """Return where an engine leads; None if nothing claims it, or not yet, or several do."""
        url = engine.url
        at = [served.name for served in self._served() if served.target.is_at(url) or served.apart.is_at(url)]
        if at:
            return self._route(at[0], None)
        claiming = self._claiming(engine)
        if len(claiming) == 1:
            one = claiming[0]
            return self._route(one.replica_of or one.name, one.name if one.replica_of else None)
        if claiming or self._default_is_told or self._pending():
            return None
        return self._route(DEFAULT, None)._replace(admit=self._admit_to_default)

    def _claiming(self, engine: Engine) -> list[Declared]:
        named = [one for one in self._databases if any(_is(engine, reference) for reference in one.engines)]
        return named or [one for one in self._databases if any(matches(engine.url, url) for url in one.urls)]

    def _admit_to_default(self, url: URL) -> None:
        """Let engines of one database be the default's: the first that connects, as many are made and never used.

        Raises:
            EscapeError: it leads to another one.
        """
        if self._left is None:
            self._left = _address(url)
        if self._left != _address(url):
            raise self.undeclared(url)

    def _pending(self) -> list[str]:
        """Return the references that lead to nothing yet, so that they may lead to any engine."""
        return [ref for one in self._databases for ref in one.engines if _looked_up(ref) is None]

    def _route(self, name: str, replica: str | None) -> Route:
        registry = next(served.registry for served in self._served() if served.name == name)
        assert registry is not None
        return Route(registry, replica)

    # -- what can go wrong -----------------------------------------------------------------------------------------

    def refusal(self, engine: Engine) -> HarnessError:
        """Return the error for an engine that was used and leads nowhere."""
        claiming = self._claiming(engine)
        return self._ambiguous(engine, claiming) if claiming else self.undeclared(engine.url)

    def undeclared(self, url: URL) -> HarnessError:
        """Return the error for an engine that nothing claims, made with this URL."""
        from harness.callsite import nearest_user_frame

        site = nearest_user_frame()
        names = [DEFAULT, *(one.name for one in self._databases if one.name != DEFAULT)]
        why = f"harness_databases ({self._source}) declares {', '.join(names)}, and none of them claims this engine"
        if self._left is not None:
            why += f";\n{DEFAULT} is {shown(self._left)}, the first of those that were used and that nothing claims"
        if pending := self._pending():
            why += f";\nnothing is there yet under {', '.join(pending)}"
        return EscapeError(
            f"an engine of {shown(url)} was used, which is none of the declared databases",
            where=str(site) if site else None,
            why=why,
            remedy="declare it with a line of harness_databases, under a name of your choice:\n"
            f"other: url={_pattern(without_driver(url))}\n"
            f"or, if it is one of {', '.join(names)}, add that url= to its line",
        )

    def _ambiguous(self, engine: Engine, claiming: Sequence[Declared]) -> HarnessError:
        return ConfigError(
            f"{' and '.join(repr(one.name) for one in claiming)} both claim the engine of {shown(engine.url)}",
            where=f"harness_databases ({self._source})",
            remedy="make the patterns narrower, so that only one matches,\nor name the engine: engine=myapp.db:engine",
        )


def _address(url: URL) -> URL:
    """Return what tells databases apart, whoever asks for one and with which driver."""
    return without_driver(url)._replace(drivername=family(url.get_backend_name()), username=None, password=None)


def _pattern(url: URL) -> str:
    """Return a pattern that matches a URL, wherever the database's server is."""
    if url.get_backend_name() == "sqlite":
        return f"*{(url.database or '').rpartition('/')[2] or '://'}"
    return f"*/{url.database}" if url.database else f"{url.get_backend_name()}*"


def _looked_up(reference: str) -> Any:
    """Return what a reference leads to, importing nothing; None if that is nothing yet."""
    module, _, path = reference.partition(":")
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = getattr(found, name, None)
    return found


def _is(engine: Engine, reference: str) -> bool:
    found = _looked_up(reference)
    return found is not None and getattr(found, "sync_engine", found) is engine
