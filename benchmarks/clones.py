"""How long a test waits for a database of its own, against what making one takes.

The steady state: tests come one after the other; each takes half as long again as a copy on a server, or two
milliseconds on SQLite. Plain copies are timed between them, while nothing else goes on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from statistics import median
from time import perf_counter

from sqlalchemy import create_engine
from sqlalchemy.engine import URL

from benchmarks.clock import Samples
from benchmarks.databases import provided
from benchmarks.schema import Base
from harness.database import identity
from harness.database.catalogs import Catalogs
from harness.database.clones import Clones
from harness.database.drivers import drivers_for
from harness.database.images import ImageClones, image_of
from harness.database.warm import WarmClones

TESTS = 8
BACKENDS = ("sqlite", "postgresql")
_PLAIN = {"sqlite": "sqlite3 backup", "postgresql": "CREATE DATABASE … TEMPLATE"}


def names(backend: str) -> tuple[str, str]:
    """Return the names of what a test waits, and of what a plain copy takes."""
    return f"{backend}: a test waits", f"{backend}: {_PLAIN[backend]}"


def measure(backends: tuple[str, ...], rounds: int, image: str | None) -> Samples:
    """Return seconds, one figure for each round: of a round's tests the median."""
    samples = Samples({name: [] for backend in backends for name in names(backend)})
    for backend in backends:
        with provided(backend, image) as databases:
            (_sqlite if backend == "sqlite" else _postgres)(databases.main, rounds, samples)
    return samples


def _sqlite(url: URL, rounds: int, samples: Samples) -> None:
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    engine.dispose()
    source: sqlite3.Connection = drivers_for("sqlite", ()).connect(url.set(drivername="sqlite+pysqlite")).dbapi
    clones = ImageClones(image_of(source), identity.current(), lambda: TESTS, print)
    waits, plain = names("sqlite")
    with closing(source), closing(clones):
        for _ in range(rounds):
            copies = []
            for _ in range(TESTS):
                start = perf_counter()
                copy = sqlite3.connect(":memory:")
                source.backup(copy)
                copies.append(perf_counter() - start)
                copy.close()
            samples.rounds[plain].append(median(copies))
            samples.rounds[waits].append(_waits(clones, 0.002, lambda path: sqlite3.connect(path)))


def _postgres(url: URL, rounds: int, samples: Samples) -> None:
    engine = create_engine(url.set(drivername="postgresql+psycopg"))
    Base.metadata.create_all(engine)
    engine.dispose()
    other = identity.current()
    waits, plain = names("postgresql")
    with closing(Catalogs(url, other)) as catalogs:
        catalogs.create(catalogs.name("template"), url.database, connections=False)
        clones = WarmClones(url, identity.current(), lambda: TESTS, print)
        with closing(clones):
            for _ in range(rounds):
                copies = []
                for number in range(3):
                    time.sleep(0.5)  # the warm copies are complete by then, and nobody else uses the server
                    start = perf_counter()
                    catalogs.create(catalogs.name(str(number)), catalogs.name("template"))
                    copies.append(perf_counter() - start)
                    catalogs.drop(catalogs.name(str(number)))
                samples.rounds[plain].append(median(copies))
                time.sleep(0.5)
                samples.rounds[waits].append(_waits(clones, median(copies) * 1.5, lambda name: None))
        catalogs.drop_all()


def _waits(clones: Clones, seconds: float, use: Callable[[str], object]) -> float:
    """Return what a test waits, if tests take this long."""
    found = []
    for _ in range(TESTS):
        start = perf_counter()
        clone = clones.acquire()
        used = use(clone.name)
        found.append(perf_counter() - start)
        time.sleep(seconds)
        if isinstance(used, sqlite3.Connection):
            used.close()
        clones.release(clone)
    return median(found)
