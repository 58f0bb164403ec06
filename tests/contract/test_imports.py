"""Who imports whom, and what importing the plugin costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import harness

ROOT = Path(harness.__file__).parent.parent
FORBIDDEN = {
    "sqlalchemy", "fastapi", "starlette", "httpx", "httpx2", "factory", "hypothesis", "testcontainers", "docker",
    "anyio", "greenlet", "alembic", "asyncio",
}  # fmt: skip


def in_a_fresh_process(code: str) -> object:
    """Run code whose last line prints JSON, and return that."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def test_rooms_import_only_rooms_to_their_left() -> None:
    """The contracts in `.importlinter` are kept."""
    command = Path(sys.executable).with_name("lint-imports")
    found = str(command) if command.exists() else shutil.which("lint-imports")
    if found is None or not (ROOT / ".importlinter").exists():
        pytest.skip(reason="needs import-linter and a checkout: pip install import-linter")
    done = subprocess.run([found, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)

    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize("module", ["harness", "harness.plugin"])
def test_importing_the_plugin_loads_nothing_heavy(module: str) -> None:
    """Every pytest run of every project that has harness installed pays for this import."""
    loaded = in_a_fresh_process(
        f"import json, sys, pytest\nbefore = set(sys.modules)\nimport {module}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )

    assert isinstance(loaded, list)
    assert set() == FORBIDDEN & {name.partition(".")[0] for name in loaded}


def test_importing_the_plugin_loads_few_modules() -> None:
    """Of harness's own and of the standard library's; the fixtures are among them."""
    loaded = in_a_fresh_process(
        "import json, sys, pytest\nbefore = set(sys.modules)\nimport harness.plugin\n"
        "from importlib import import_module\n"
        "for name in harness.plugin.pytest_plugins: import_module(name)\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )

    assert isinstance(loaded, list)
    assert len(loaded) <= 30, loaded


def test_every_module_can_be_imported_on_its_own() -> None:
    """No module depends on another one having been imported first."""
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "harness").rglob("*.py")
    )
    code = (
        "import importlib, json, sys, pytest\nbroken = []\n"
        f"for name in {modules!r}:\n"
        "    for known in [one for one in sys.modules if one.partition('.')[0] == 'harness']: del sys.modules[known]\n"
        "    try: importlib.import_module(name)\n"
        # psycopg2 is used where the application brings it; no extra installs it.
        "    except ImportError as error: error.name == 'psycopg2' or broken.append(f'{name}: {error}')\n"
        "print(json.dumps(broken))"
    )

    assert [] == in_a_fresh_process(code)
