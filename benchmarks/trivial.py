"""What harness adds to a test that uses no database: many trivial tests, run by pytest with the plugin and without.

Measured inside the pytest processes, from the start of the collection to the end of the last test, as processor time:
nothing there waits, and what else the machine does would be many times the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.clock import Samples

TESTS = 2000

#: Name of a variant, and what the project's conftest imports. SQLAlchemy's arrival starts the capture of engines, so
#: from then on every test gets a level of isolation, although it never uses it.
VARIANTS = {"no SQLAlchemy": "", "SQLAlchemy imported": "import sqlalchemy.orm"}

_CONFTEST = """
import pathlib, time
import pytest
{imports}
_spent = []

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    start = time.process_time()
    try:
        return (yield)
    finally:
        _spent.append(time.process_time() - start)

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop():
    start = time.process_time()
    try:
        return (yield)
    finally:
        _spent.append(time.process_time() - start)

def pytest_unconfigure():
    pathlib.Path(__file__).with_name("spent").write_text(str(sum(_spent)))
"""


def with_and_without(variant: str) -> tuple[str, str]:
    """Return the names of the two contestants of a variant."""
    return f"{variant}, with harness", f"{variant}, without"


def measure(rounds: int) -> Samples:
    """Return seconds per test, with and without the plugin, for each variant."""
    samples = Samples({name: [] for variant in VARIANTS for name in with_and_without(variant)})
    with tempfile.TemporaryDirectory() as directory:
        projects = {
            variant: _project(Path(directory, f"project{number}"), imports)
            for number, (variant, imports) in enumerate(VARIANTS.items())
        }
        for _ in range(rounds):
            for variant, project in projects.items():
                active, inactive = with_and_without(variant)
                samples.rounds[active].append(_run(project, "-p", "harness") / TESTS)
                samples.rounds[inactive].append(_run(project) / TESTS)
    return samples


def _project(path: Path, imports: str) -> Path:
    path.mkdir()
    path.joinpath("conftest.py").write_text(_CONFTEST.format(imports=imports))
    path.joinpath("pytest.ini").write_text("[pytest]\n")
    path.joinpath("test_trivial.py").write_text("\n".join(f"def test_{n}(): assert True" for n in range(TESTS)))
    return path


def _run(project: Path, *options: str) -> float:
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=project,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return float(project.joinpath("spent").read_text())
