"""A property of hypothesis, 200 examples that each insert a row and read it: isolated by harness, and by hand.

By hand means what a user would write around the test's body: a savepoint for each example on the connection of a
fixture, joined by the application's sessions. Both run under pytest, each in a process of its own, in turns; what is
timed is the test's call, with the generation of the examples, and under harness with all stable rules.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.clock import Samples
from benchmarks.databases import provided

EXAMPLES = 200
ISOLATED, BY_HAND = "harness", "a savepoint by hand"
_UNUSED = ("randomly", "asyncio", "schemathesis")
_SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}

_APP = """
import os
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

class Base(DeclarativeBase):
    pass

class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

engine = create_engine(os.environ["BENCHMARK_URL"])
SessionLocal = sessionmaker(engine)
"""

_TEST = f"""
import functools, time
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from sqlalchemy import select
import pytest
import shop
from shop import Base, Product, SessionLocal, engine

@settings(max_examples={EXAMPLES}, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))
@given(name=st.text("abcdefghij", min_size=1))
def examples(around, name):
    with around() as sessions:
        with sessions() as session:
            session.add(Product(name=name))
            session.commit()
        with sessions() as session:
            assert session.scalars(select(Product.name)).all() == [name]

@pytest.fixture(scope="module", autouse=True)
def report():
    yield
    with open("seconds", "w") as file:
        file.write(str(min(taken)))

taken = []
again = pytest.mark.parametrize("again", range(3))

def timed(around):
    begun = time.perf_counter()
    examples(around)
    taken.append(time.perf_counter() - begun)
"""

_HARNESS = (
    _TEST
    + """
from contextlib import nullcontext

@again
def test_examples(db_session, again):
    timed(lambda: nullcontext(SessionLocal))
"""
)

_HAND = (
    _TEST
    + """
from contextlib import contextmanager
from sqlalchemy import event

if engine.dialect.name == "sqlite":
    event.listen(engine, "connect", lambda link, _: setattr(link, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

@again
def test_examples(again):
    with engine.connect() as connection:
        outer = connection.begin()
        Base.metadata.create_all(connection)
        SessionLocal.configure(bind=connection, join_transaction_mode="create_savepoint")

        @contextmanager
        def around():
            savepoint = connection.begin_nested()
            try:
                yield SessionLocal
            finally:
                savepoint.rollback()

        timed(around)
        outer.rollback()
"""
)


def measure(backend: str, rounds: int, image: str | None) -> Samples:
    """Return seconds per example, by each way, on a backend: `sqlite` or `postgresql`."""
    samples = Samples({ISOLATED: [], BY_HAND: []})
    with TemporaryDirectory() as folder, provided(backend, image) as databases:
        url = databases.main.set(drivername=_SCHEMES[backend]).render_as_string(hide_password=False)
        project = Path(folder)
        (project / "pytest.ini").write_text("[pytest]\npythonpath = .\nharness_metadata = shop:Base\n")
        (project / "shop.py").write_text(_APP)
        (project / "test_harness.py").write_text(_HARNESS)
        (project / "test_hand.py").write_text(_HAND)
        given = ["-p", "harness", f"--harness-database={'sqlite' if backend == 'sqlite' else url}", "test_harness.py"]
        ways = {ISOLATED: given, BY_HAND: ["-p", "no:harness", "test_hand.py"]}
        environment = {**os.environ, "BENCHMARK_URL": "sqlite://" if backend == "sqlite" else url}
        for number in range(rounds):
            for way in list(ways)[:: 1 if number % 2 else -1]:
                samples.rounds[way].append(_run(project, ways[way], environment) / EXAMPLES)
    return samples


def _run(project: Path, arguments: list[str], environment: dict[str, str]) -> float:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *(part for name in _UNUSED for part in ("-p", f"no:{name}")),
        *arguments,
    ]
    subprocess.run(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, check=True)
    return float((project / "seconds").read_text())
