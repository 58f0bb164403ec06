"""What it costs to load the plugin, in a fresh interpreter that has imported pytest already.

Measured as processor time, which on an idle machine is the whole time.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.clock import Samples

PYTEST, PLUGIN = "import pytest", "import harness.plugin"

#: Libraries that a project pays for only when a test needs them.
HEAVY = (
    *("sqlalchemy", "alembic", "fastapi", "starlette", "pydantic", "httpx", "httpx2", "anyio", "asyncio", "greenlet"),
    *("psycopg", "asyncpg", "aiosqlite", "sqlite3", "docker", "testcontainers", "factory", "faker", "hypothesis"),
)

_SCRIPT = f"""
import importlib, json, sys, time
heavy = {HEAVY!r}
start = time.process_time()
import pytest
middle = time.process_time()
before = set(sys.modules)
import harness.plugin
for name in harness.plugin.pytest_plugins:
    importlib.import_module(name)
end = time.process_time()
new = set(sys.modules) - before
print(json.dumps([middle - start, end - middle, sorted(new & set(heavy)), len(new)]))
"""


def measure(runs: int) -> tuple[Samples, list[str]]:
    """Return seconds for pytest and for the plugin on top of it, and which heavy modules the plugin loads."""
    samples = Samples({PYTEST: [], PLUGIN: []})
    heavy: list[str] = []
    for number in range(runs + 1):
        done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
        of_pytest, of_plugin, heavy, _ = json.loads(done.stdout)
        if number:  # the first one may have to compile
            samples.rounds[PYTEST].append(of_pytest)
            samples.rounds[PLUGIN].append(of_plugin)
    return samples, heavy
