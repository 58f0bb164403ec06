"""What a thousand seed rows cost each test: made once for the module, or made by the test, by pytest with the plugin.

Measured inside the pytest processes as processor time of one test, set-up and teardown included; the first test, which
makes the rows of the module, is left out. Every test commits one row of its own through `db_session`.

    python -m benchmarks.seeds
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.clock import Samples

ROWS, TESTS = 1000, 40
NONE = "no seeds"
ROWS_ONLY = "made once, rows only"
OBJECTS = "made once, 1000 objects kept"
EACH = "made per test"

_FIXTURES = {
    NONE: "@pytest.fixture\ndef seeds(db_session): return None",
    ROWS_ONLY: "@pytest.fixture(scope='module')\ndef seeds(module_db_session): make(module_db_session)",
    OBJECTS: "@pytest.fixture(scope='module')\ndef seeds(module_db_session): return make(module_db_session)",
    EACH: "@pytest.fixture\ndef seeds(db_session): return make(db_session)",
}
_PROJECT = f"""
import pytest
from benchmarks.schema import User

def make(session):
    made = [User(name=f"user {{n}}", email=f"user{{n}}@example.org") for n in range({ROWS})]
    session.add_all(made)
    session.flush()
    return made

FIXTURE

@pytest.mark.parametrize("n", range({TESTS}))
def test_one(seeds, db_session, n):
    db_session.add(User(name="own", email="own@example.org"))
    db_session.commit()
"""
_CONFTEST = """
import pathlib, time
import pytest

_spent = []

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    start = time.process_time()
    try:
        return (yield)
    finally:
        _spent.append(time.process_time() - start)

def pytest_unconfigure():
    pathlib.Path(__file__).with_name("spent").write_text(str(sorted(_spent[1:])[len(_spent) // 2]))
"""


def measure(rounds: int, database: str = "sqlite") -> Samples:
    """Return seconds per test, the median of a process, for each way."""
    samples = Samples({name: [] for name in _FIXTURES})
    with tempfile.TemporaryDirectory() as directory:
        projects = {name: _project(Path(directory, str(number)), name) for number, name in enumerate(_FIXTURES)}
        for _ in range(rounds):
            for name, project in projects.items():
                samples.rounds[name].append(_run(project, database))
    return samples


def _project(path: Path, name: str) -> Path:
    path.mkdir()
    path.joinpath("conftest.py").write_text(_CONFTEST)
    path.joinpath("pytest.ini").write_text("[pytest]\nharness_metadata = benchmarks.schema:Base\n")
    path.joinpath("test_seeds.py").write_text(_PROJECT.replace("FIXTURE", _FIXTURES[name]))
    return path


def _run(project: Path, database: str) -> float:
    options = "-p", "no:randomly", f"--harness-database={database}"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "harness", *options],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return float(project.joinpath("spent").read_text())


def rows(samples: Samples) -> list[str]:
    """Return the table: milliseconds per test, and the ratio to rows that each test makes."""
    return [
        f"  {name:30} {samples.median(name) * 1000:9.2f} {samples.median(name) / samples.median(EACH):9.2f}"
        for name in _FIXTURES
    ]


if __name__ == "__main__":
    print("A thousand seed rows: ms per test | this / made per test", *rows(measure(3, *sys.argv[1:])), sep="\n")
