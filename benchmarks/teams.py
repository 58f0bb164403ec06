"""What a team with many tests waits for: two workers against one process, a reused server against a new container,
and a schema of 300 tables against one of 10. PostgreSQL, by pytest with the plugin, in turns.

Until the first test, what the same run takes with SQLite in memory is left out: it is pytest's and the application's.

    python -m benchmarks.teams [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.clock import Samples

TESTS = 2000
ONE, TWO = "-n 0", "-n 2"
FRESH, REUSED, NONE = "a new container", "a reused server", "SQLite"
FEW, MANY = 10, 300
#: What each pair may be: workers at least that much faster, the others at most that much of the second.
FASTER, SOONER, GROWN = 1.7, 0.15, 1.1

_SHOP = """
import os
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

for number in range(int(os.environ["TABLES"]) - 1):
    columns = {"id": mapped_column(primary_key=True), "name": mapped_column()}
    notes = {"__annotations__": {"id": Mapped[int], "name": Mapped[str]}}
    type(f"Table{number}", (Base,), {"__tablename__": f"table_{number}", **columns, **notes})

engine = create_engine("postgresql+psycopg://nobody@production.invalid/shop")
app = FastAPI()

def get_db():
    with Session(engine) as session:
        yield session

@app.post("/users/{name}")
def create(name: str, db: Session = Depends(get_db)) -> int:
    db.add(User(name=name))
    db.commit()
    return len(db.scalars(select(User)).all())
"""
_TESTS = """
import os
import statistics
import time
from pathlib import Path
import pytest

begun = []

@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    lasted = [after - before for before, after in zip(begun, begun[1:])]
    Path("seen").write_text(f"{begun[0]} {statistics.median(lasted) if lasted else 0}")

@pytest.mark.parametrize("n", range(int(os.environ["TESTS"])))
def test_it(client, n):
    begun.append(time.time())
    assert client.post("/users/ann").json() == 1
    assert client.post("/users/ben").json() == 2
"""


class Seen(NamedTuple):
    """Seconds of a run: until the first test began, of a test from one to the next, of all."""

    first: float
    each: float
    all: float


class Suite:
    """A project of its own, on servers that harness provides."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory)
        (self._path / "pytest.ini").write_text("[pytest]\npythonpath = .\nharness_app = shop:app\n")
        (self._path / "shop.py").write_text(_SHOP)
        (self._path / "test_shop.py").write_text(_TESTS)

    def run(self, *arguments: str, tests: int, tables: int = FEW, database: str = "postgres") -> Seen:
        """Run it in a process of its own."""
        unused = [part for name in ("randomly", "cacheprovider", "asyncio") for part in ("-p", f"no:{name}")]
        command = [sys.executable, "-m", "pytest", "-q", *unused, "-p", "harness", f"--harness-database={database}"]
        environment = {**os.environ, "TESTS": str(tests), "TABLES": str(tables), "XDG_CACHE_HOME": str(self._path)}
        start = time.time()
        subprocess.run([*command, *arguments], cwd=self._path, env=environment, stdout=subprocess.DEVNULL, check=True)
        end = time.time()
        begun, lasted = map(float, (self._path / "seen").read_text().split())
        return Seen(first=begun - start, each=lasted, all=end - start)


def measure(rounds: int) -> Samples:
    """Return seconds: of 2000 tests, until the first test, and of one test of 500, the median."""
    names = (ONE, TWO, FRESH, REUSED, NONE, str(FEW), str(MANY))
    samples = Samples({name: [] for name in names})
    with tempfile.TemporaryDirectory() as directory:
        suite = Suite(directory)
        suite.run("--harness-reuse", tests=1)
        try:
            for _ in range(rounds):
                samples.rounds[ONE].append(suite.run("-n", "0", tests=TESTS).all)
                samples.rounds[TWO].append(suite.run("-n", "2", tests=TESTS).all)
                samples.rounds[FRESH].append(suite.run(tests=1).first)
                samples.rounds[REUSED].append(suite.run("--harness-reuse", tests=1).first)
                samples.rounds[NONE].append(suite.run(tests=1, database="sqlite").first)
                for tables in (FEW, MANY):
                    samples.rounds[str(tables)].append(suite.run("--harness-reuse", tests=500, tables=tables).each)
        finally:
            _remove(Path(directory))
    return samples


def _remove(cache: Path) -> None:
    """Remove the server that was kept, which is known by its file in the cache."""
    for known in cache.glob("harness/*.json"):
        name = f"harness-reused-{known.stem}"
        subprocess.run(["docker", "rm", "-f", "-v", name], stdout=subprocess.DEVNULL, check=True)


def rows(samples: Samples) -> list[str]:
    """Return the table, with whether each budget is kept."""
    faster, grown = samples.ratio(ONE, TWO), samples.ratio(str(MANY), str(FEW))
    sooner = samples.over(REUSED, NONE) / samples.over(FRESH, NONE)
    told = [
        (f"{TESTS} tests, {ONE} / {TWO}", faster, f"≥ {FASTER}", faster >= FASTER),
        (f"until the first test, {REUSED} / {FRESH}", sooner, f"≤ {SOONER}", sooner <= SOONER),
        (f"a rollback test, {MANY} tables / {FEW} tables", grown, f"≤ {GROWN}", grown <= GROWN),
    ]
    seconds = [f"  {name:20} {samples.median(name):8.4f} s" for name in samples.rounds]
    return seconds + [
        f"  {what:52} {ratio:6.2f}  ({limit})  {'within budget' if kept else 'OVER'}"
        for what, ratio, limit, kept in told
    ]


if __name__ == "__main__":
    print("A team's suite on PostgreSQL", *rows(measure(int((sys.argv[1:] or ["3"])[0]))), sep="\n")
