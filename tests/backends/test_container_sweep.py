"""What a killed run left is removed by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import docker
import pytest

from harness.database import identity
from harness.database.engine import reach, sweep
from harness.database.identity import RunIdentity
from harness.errors import EngineUnavailable

IMAGE = os.environ.get("HARNESS_TEST_IMAGE", "postgres:15")
CODE = (
    "import sys, time\n"
    "from harness.database import container, identity, servers\n"
    "run = identity.current()\n"
    f"database = container.start(servers.SERVERS[0], {IMAGE!r}, run, lambda message: None)\n"
    "print(run.run_id, flush=True)\n"
)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[docker.DockerClient]:
    """The container engine, asked behind harness's back."""
    if "postgres" not in (request.config.getoption("db") or ["postgres"]):
        pytest.skip("--db does not select postgres")
    try:
        with reach():
            pass
    except EngineUnavailable as problem:
        pytest.skip(f"{problem.fact} (.ci/engine starts one)")
    client = docker.from_env()
    yield client
    client.close()


def _left(engine: docker.DockerClient, run_id: str) -> int:
    return len(engine.containers.list(all=True, filters={"label": f"harness.run={run_id}"}))


def _gone(engine: docker.DockerClient, run_id: str) -> bool:
    """Whether it goes: another worker's run may sweep at the same moment, and is then removing it already."""
    for _ in range(100):
        if not _left(engine, run_id):
            return True
        time.sleep(0.1)
    return False


def _process(code: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", CODE + code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> int:
    code = process.wait(timeout=120)
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.fixture
def created(engine: docker.DockerClient) -> Iterator[list[str]]:
    """Make containers that look like other runs' by `_create`, and remove them whatever the test does."""
    names: list[str] = []
    yield names
    for name in names:
        for container in engine.containers.list(all=True, filters={"name": name}):
            container.remove(force=True, v=True)


def _create(engine: docker.DockerClient, created: list[str], run: RunIdentity) -> None:
    created.append(f"harness-{run.run_id}-fake")
    engine.containers.create(IMAGE, name=created[-1], labels=run.labels())


def test_a_killed_run_s_container_is_removed_by_the_next(engine: docker.DockerClient) -> None:
    """While it lives, it keeps it; the sweeper says what it did."""
    process, run_id = _process("time.sleep(60)")
    said: list[str] = []
    sweep(said.append)
    kept = _left(engine, run_id)
    process.kill()
    _end(process)
    sweep(said.append)

    assert kept == 1
    assert _gone(engine, run_id)
    mine = [message for message in said if run_id in message]
    assert mine in ([f"removed a container left by a run that was killed ({run_id})"], [])  # or another worker's did


def test_this_run_s_containers_are_kept(engine: docker.DockerClient, created: list[str]) -> None:
    """A run may provide several databases one after the other."""
    run = identity.current()
    _create(engine, created, run)
    sweep(print)

    assert _left(engine, run.run_id) == 1


def test_another_machine_s_containers_are_kept(engine: docker.DockerClient, created: list[str]) -> None:
    """An engine may serve several machines; whether their processes live cannot be seen from here."""
    run = replace(identity.current(), host_token="elsewhere", pid=999_999, born="1")
    _create(engine, created, run)
    sweep(print)

    assert _left(engine, run.run_id) == 1


def test_a_reused_process_number_does_not_protect(engine: docker.DockerClient, created: list[str]) -> None:
    """The process that has the number now was born later."""
    run = replace(identity.current(), born="1")
    _create(engine, created, run)
    sweep(print)

    assert _gone(engine, run.run_id)


def test_a_run_that_ends_without_closing_leaves_nothing(engine: docker.DockerClient) -> None:
    """The end of the interpreter removes."""
    process, run_id = _process("raise SystemExit(3)")

    assert (_end(process), _left(engine, run_id)) == (3, 0)


def test_a_terminated_run_leaves_nothing(engine: docker.DockerClient) -> None:
    """A cancelled CI job gets SIGTERM, by which Python ends at once."""
    process, run_id = _process("time.sleep(60)")
    os.kill(process.pid, signal.SIGTERM)

    assert (_end(process), _left(engine, run_id)) == (-signal.SIGTERM, 0)


def test_a_forked_child_keeps_its_parent_s_container(engine: docker.DockerClient) -> None:
    """Neither its close nor its end removes what it does not own."""
    process, run_id = _process(
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    database.close()\n"
        "    raise SystemExit\n"
        "os.waitpid(pid, 0)\n"
        "print('child is gone', flush=True)\n"
        "time.sleep(60)\n"
    )
    assert process.stdout is not None
    process.stdout.readline()
    kept = _left(engine, run_id)
    process.terminate()
    _end(process)

    assert (kept, _left(engine, run_id)) == (1, 0)
