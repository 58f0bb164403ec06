"""What can go wrong with a container is told quickly and with its remedy, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import docker
import pytest

from harness.database import identity, servers
from harness.database.container import start
from harness.database.engine import reach
from harness.database.readiness import Patience
from harness.database.servers import Server
from harness.errors import DatabaseUnavailable, EngineUnavailable

IMAGE = os.environ.get("HARNESS_TEST_IMAGE", "postgres:15")
POSTGRES = servers.SERVERS[0]


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


def _failure(
    engine: docker.DockerClient, server: Server, image: str = IMAGE, *, limit: float = 120
) -> tuple[str, float]:
    """Return the message of a start that fails, and the seconds it took; nothing may be left of it."""
    run = identity.current()
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable) as failed:
        start(server, image, run, lambda message: None, Patience(limit=limit))
    took = time.monotonic() - began

    assert engine.containers.list(all=True, filters={"label": f"harness.run={run.run_id}"}) == []
    return str(failed.value), took


def test_a_server_that_stops_at_once_is_not_waited_for(engine: docker.DockerClient) -> None:
    """Its exit code and its last words are the message."""
    environment = {**POSTGRES.environment, "POSTGRES_PASSWORD": ""}
    text, took = _failure(engine, replace(POSTGRES, environment=environment))

    assert f"the database in the container {IMAGE} cannot be used: stopped with exit code 1" in text
    assert "superuser password is not specified" in text
    assert took < 60


def test_a_server_that_refuses_its_settings_shows_its_log(engine: docker.DockerClient) -> None:
    """The reason is in there."""
    text, took = _failure(engine, replace(POSTGRES, command=("postgres", "-cno_such_setting=1")))

    assert 'unrecognized configuration parameter "no_such_setting"' in text
    assert took < 60


def test_a_command_that_does_not_exist_is_the_engine_s_refusal(engine: docker.DockerClient) -> None:
    """Or, depending on the image, an exit at once; either names the command."""
    text, took = _failure(engine, replace(POSTGRES, command=("no-such-command",)))

    assert "no-such-command" in text
    assert took < 60


def test_a_container_without_a_server_is_given_up_in_time(engine: docker.DockerClient) -> None:
    """Keeping what the driver said last."""
    text, took = _failure(engine, replace(POSTGRES, command=("sleep", "600")), limit=2)

    assert "it did not answer within 2 s" in text
    assert "the last attempt to connect ended with:" in text
    assert took < 60


def test_an_engine_that_cannot_start_it_is_quoted(engine: docker.DockerClient) -> None:
    """Here: a mount that is not possible."""
    text, _ = _failure(engine, replace(POSTGRES, memory="/proc"))

    assert f"the engine refused to start {IMAGE}" in text
    assert "/proc" in text


def test_a_missing_image_is_explained(engine: docker.DockerClient) -> None:
    """With the engine's words, and the versions of it that are there."""
    text, took = _failure(engine, POSTGRES, "postgres:no-such-tag")

    assert "the image postgres:no-such-tag is not on this machine and cannot be pulled" in text
    assert "the engine says: " in text
    assert "docker pull postgres:no-such-tag" in text
    assert IMAGE in text.partition("harness_image = ")[2]
    assert took < 60


@pytest.mark.parametrize("host", ["unix:///nonexistent", "tcp://127.0.0.1:1", "tcp://192.0.2.1:2375"])
def test_no_engine_is_told_at_once(host: str) -> None:
    """Naming the address that was tried, also if it never answers."""
    code = (
        "from harness.database import container, identity, servers\n"
        "from harness.errors import EngineUnavailable\n"
        "try:\n"
        "    container.start(servers.SERVERS[0], None, identity.current(), print)\n"
        "except EngineUnavailable as problem:\n"
        "    print(problem)\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "DOCKER_HOST": host},
    )

    assert f"  where {host} (DOCKER_HOST)" in done.stdout
    assert "--harness-database=postgresql://user:password@host/app_test" in done.stdout
    assert time.monotonic() - began < 60
