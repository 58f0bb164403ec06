"""Law: a client handed out by an ordinary fixture works under every plugin, mode and loop scope, with no ini."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import harness.errors

PRELUDE = """
from contextlib import asynccontextmanager
import asyncio, anyio, pytest, pytest_asyncio
from fastapi import FastAPI
from harness.client.concurrent import async_client

log = []

@asynccontextmanager
async def lifespan(app):
    async with anyio.create_task_group() as group:
        log.append("startup")
        yield {"a": 1}
        await asyncio.sleep(0)
        log.append("shutdown")
        group.cancel_scope.cancel()

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def root():
    return id(asyncio.get_running_loop())

@pytest.fixture(scope="SCOPE")
def client():
    client = async_client(app)
    yield client
    client.shutdown()

async def check(client):
    assert (await client.get("/")).json() == id(asyncio.get_running_loop())
"""


def _run(folder: Path, body: str, *options: str, scope: str = "function") -> str:
    """Run a test file in a process of its own; return what pytest printed."""
    text = PRELUDE.replace("SCOPE", scope) + textwrap.dedent(body)
    (folder / "test_it.py").write_text(text)
    root = str(Path(harness.errors.__file__).parents[1])
    command = [
        sys.executable,
        *["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:harness"],
        *options,
        "test_it.py",
    ]
    environment = os.environ | {"PYTHONPATH": root}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout + done.stderr


CLOSED = """
def test_z_closed():
    assert log == ["startup", "shutdown"] * TIMES
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio_in_every_loop_scope(tmp_path: Path, mode: str) -> None:
    """The app starts and shuts down in order, whichever of loop and client is torn down first."""
    body = """
        @pytest.mark.asyncio(loop_scope="{scope}")
        class Test_{scope}:
            async def test_a(self, client):
                await check(client)

            async def test_b(self, client):
                await check(client)
    """
    scopes = ("function", "class", "module", "package", "session")
    classes = "".join(textwrap.dedent(body).format(scope=scope) for scope in scopes)
    out = _run(tmp_path, classes + CLOSED.replace("TIMES", "10"), f"--asyncio-mode={mode}", "-p", "no:randomly")
    assert "11 passed" in out


def test_pytest_asyncio_fixtures_may_use_the_client(tmp_path: Path) -> None:
    """An async fixture and the test share the client where they share the loop."""
    body = """
        @pytest_asyncio.fixture
        async def seeded(client):
            await check(client)
            return client

        @pytest.mark.asyncio
        async def test_a(seeded):
            await check(seeded)
    """
    assert "2 passed" in _run(tmp_path, textwrap.dedent(body) + CLOSED.replace("TIMES", "1"), "-p", "no:randomly")


def test_a_wider_client_in_a_wider_loop(tmp_path: Path) -> None:
    """A module's client in a module's loop starts the app once."""
    body = """
        pytestmark = pytest.mark.asyncio(loop_scope="module")

        async def test_a(client):
            await check(client)

        async def test_b(client):
            await check(client)
            assert log == ["startup"]
    """
    assert "2 passed" in _run(tmp_path, body, "-p", "no:randomly", scope="module")


def test_a_wider_client_in_narrower_loops_is_told(tmp_path: Path) -> None:
    """A module's client in each test's own loop is an error that names the remedy."""
    body = """
        @pytest.mark.asyncio
        async def test_a(client):
            await check(client)

        @pytest.mark.asyncio
        async def test_b(client):
            await check(client)
    """
    out = _run(tmp_path, body, "-p", "no:randomly", scope="module")
    assert "1 failed, 1 passed" in out
    assert "loop_scope" in out


def test_anyio_on_asyncio(tmp_path: Path) -> None:
    """anyio's plugin, with the asyncio backend."""
    body = """
        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def seeded(client):
            await check(client)
            return client

        @pytest.mark.anyio
        async def test_a(seeded):
            await check(seeded)
    """
    out = _run(tmp_path, textwrap.dedent(body) + CLOSED.replace("TIMES", "1"), "-p", "no:asyncio", "-p", "no:randomly")
    assert "2 passed" in out


def test_anyio_on_trio_is_told(tmp_path: Path) -> None:
    """anyio's default runs each test on trio too; there the error names the remedy."""
    body = """
        @pytest.mark.anyio
        async def test_a(client):
            await check(client)
    """
    out = _run(tmp_path, body, "-p", "no:randomly")
    assert "1 failed, 1 passed" in out
    assert 'pytest.mark.parametrize("anyio_backend", ["asyncio"])' in out
