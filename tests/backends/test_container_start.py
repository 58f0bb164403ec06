"""A server in a container: there with its database, gone with everything."""

from __future__ import annotations

import os
from collections.abc import Iterator

import docker
import pytest
import sqlalchemy as sa

from harness.database import identity, servers
from harness.database.container import start
from harness.database.engine import reach
from harness.database.handle import Database
from harness.database.identity import RunIdentity
from harness.database.readiness import Patience
from harness.errors import EngineUnavailable

IMAGE = os.environ.get("HARNESS_TEST_IMAGE", "postgres:15")


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


@pytest.fixture(scope="module")
def run() -> RunIdentity:
    """The owner of the shared container."""
    return identity.current()


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the waiting user was told."""
    return []


@pytest.fixture(scope="module")
def database(engine: docker.DockerClient, run: RunIdentity, said: list[str]) -> Iterator[Database]:
    """One container for the laws that leave it as it is."""
    database = start(servers.SERVERS[0], IMAGE, run, said.append)
    yield database
    database.close()


def _ask(database: Database, sql: str) -> list[object]:
    engine = sa.create_engine(database.url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        answer = list(connection.execute(sa.text(sql)).scalars())
    engine.dispose()
    return answer


def _of(engine: docker.DockerClient, run: RunIdentity) -> list[object]:
    return list(engine.containers.list(all=True, filters={"label": f"harness.run={run.run_id}"}))


def test_it_answers_with_the_run_s_own_database(database: Database, run: RunIdentity) -> None:
    """Encoded in UTF-8, whatever the server's template is."""
    assert _ask(database, "SELECT current_database()") == [f"test_harness_{run.run_id}_main"]
    assert _ask(database, "SHOW server_encoding") == ["UTF8"]


def test_it_says_what_it_is(database: Database) -> None:
    """The URL has no driver, the header names the image, and harness owns it."""
    assert database.url.drivername == "postgresql"
    assert (database.backend, database.origin, database.created) == ("postgresql", f"container {IMAGE}", True)


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
def test_nothing_waits_for_the_disk(database: Database, setting: str) -> None:
    """Test data need not survive a crash."""
    assert _ask(database, f"SHOW {setting}") == ["off"]


def test_its_data_is_in_memory(database: Database) -> None:
    """On the mount that was made for it."""
    assert _ask(database, "SHOW data_directory") == ["/harness/data"]


def test_its_labels_tell_whose_it_is(database: Database, run: RunIdentity, engine: docker.DockerClient) -> None:
    """For the sweep of a later run, and for whoever reads `docker ps`."""
    (container,) = engine.containers.list(filters={"label": f"harness.run={run.run_id}"})

    assert run.labels().items() <= container.labels.items()
    assert container.name.startswith(f"harness-{run.run_id}-")


def test_it_needs_no_janitor(database: Database) -> None:
    """Ryuk is not started."""
    from testcontainers.core.container import Reaper

    assert Reaper._instance is None


def test_the_user_hears_what_takes_time(database: Database, said: list[str]) -> None:
    """At once, and then every few seconds."""
    assert f"starting {IMAGE} …" in said


def test_a_diagnosis_shows_state_and_log(database: Database) -> None:
    """Whatever killed the connection, the server's last words help."""
    text = database.diagnose()

    assert text is not None
    assert "is running" in text
    assert "database system is ready to accept connections" in text


def test_closing_removes_the_container_and_its_volumes(engine: docker.DockerClient) -> None:
    """Closing twice is closing once; a later diagnosis knows."""
    run = identity.current()
    database = start(servers.SERVERS[0], IMAGE, run, print)
    (container,) = engine.containers.list(filters={"label": f"harness.run={run.run_id}"})
    volumes = {mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"}
    database.close()
    database.close()

    assert _of(engine, run) == []
    assert not volumes & {volume.name for volume in engine.volumes.list()}
    assert str(database.diagnose()).endswith("no longer exists")


def test_an_interrupted_start_leaves_nothing(engine: docker.DockerClient) -> None:
    """Ctrl-C while the server starts."""
    run = identity.current()

    def interrupt(message: str) -> None:
        if "… " in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(servers.SERVERS[0], IMAGE, run, interrupt, Patience(news=0))

    assert _of(engine, run) == []


def test_only_this_machine_can_connect(engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine is local, the port is published on the loopback interface."""
    from testcontainers.core.config import ConnectionMode, testcontainers_config

    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
    monkeypatch.setattr(testcontainers_config, "tc_host_override", "localhost")
    run = identity.current()
    database = start(servers.SERVERS[0], IMAGE, run, print)
    (container,) = engine.containers.list(filters={"label": f"harness.run={run.run_id}"})
    published = container.ports["5432/tcp"]
    database.close()

    assert database.url.host == "127.0.0.1"
    assert [entry["HostIp"] for entry in published] == ["127.0.0.1"]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg2"])
def test_every_driver_can_start_it(driver: str, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever is installed."""
    from harness.database.drivers import choice

    monkeypatch.setattr(choice, "installed", lambda candidate: candidate.name == driver)
    database = start(servers.SERVERS[0], IMAGE, identity.current(), print)
    database.close()

    assert database.url.drivername == "postgresql"
