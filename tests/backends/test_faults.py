"""The server, its container, the engine or the disk fails in a run: the guilty test says so, and the others go on."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_UNIX, SHUT_RDWR, socket

import pytest
from sqlalchemy.engine import URL

from harness.database.identity import RUN
from tests.support.projects import ASYNC_APP, SYNC_APP, Project, Result, new_project
from tests.support.servers import asking, own_server, text_of

_IMAGE = os.environ.get("HARNESS_TEST_IMAGE", "postgres:17")
_LOST = "the connection to the test database was lost"
_APPS = {
    "psycopg": SYNC_APP.replace("sqlite:///production.db", "postgresql+psycopg://nobody@production.invalid/shop"),
    "asyncpg": ASYNC_APP.replace(
        "sqlite+aiosqlite:///production.db", "postgresql+asyncpg://nobody@production.invalid/shop"
    ),
}
#: What the tests of the project do to the world; harness has nothing to say about how they do it.
_FAULTS = """
    import os
    import subprocess

    def docker(*words):
        return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.split()

    def kill_own_container():
        docker("kill", *docker("ps", "--quiet", "--filter", f"label=harness.pid={os.getpid()}"))
"""


@pytest.fixture
def project(pytester: pytest.Pytester, postgres_url: URL, request: pytest.FixtureRequest) -> Project:
    """A project with a sync app. There is a container engine: a PostgreSQL has been started on it."""
    return new_project(pytester).app().write(shop__main=_APPS["psycopg"], faults=_FAULTS)


def in_container(project: Project, *arguments: str) -> Result:
    """Run the project on a server that harness starts."""
    return project.run_apart("--harness-database=postgres", f"--harness-image={_IMAGE}", *arguments)


def on(project: Project, url: URL, *arguments: str) -> Result:
    """Run the project on somebody's server."""
    return project.run_apart(f"--harness-database={text_of(url)}", *arguments)


def outcomes(result: Result) -> tuple[int, int]:
    """How many tests passed, and how many did not."""
    return result.passed, result.failed + result.errors


# -- the container -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("driver", list(_APPS))
def test_a_container_that_dies_fails_that_test_and_is_replaced(project: Project, driver: str) -> None:
    """The message has the container's end; the next test finds the schema, and nothing else."""
    project.write(
        shop__main=_APPS[driver],
        test_it="""
            from faults import kill_own_container

            def test_before(client):
                assert client.post("/users/ann").status_code == 201

            def test_guilty(client):
                client.post("/users/ann")
                kill_own_container()
                client.get("/users")

            def test_next(client):
                assert client.get("/users").json() == []
                assert client.post("/users/ann").status_code == 201

            def test_last(client):
                assert client.get("/users").json() == []
        """,
    )
    result = in_container(project)

    assert (3, 1) == outcomes(result), result.text
    result.assert_says(_LOST, "stopped with exit code 137", "starting another")
    assert "H405" not in result.text, "asking the engine is no call of the application's"


def test_a_container_that_dies_between_tests_with_databases_of_their_own_is_replaced(project: Project) -> None:
    """The copies that were ready have died with it, and the next test's is made on the new server."""
    project.write(
        test_it="""
            import pytest
            from faults import kill_own_container

            pytestmark = pytest.mark.harness(isolation="database")

            def test_before(client):
                assert client.post("/users/ann").status_code == 201

            def test_guilty(client):
                client.post("/users/ann")
                kill_own_container()
                client.get("/users")

            @pytest.mark.parametrize("n", range(3))
            def test_next(client, n):
                assert client.get("/users").json() == []
                assert client.post("/users/ann").status_code == 201
        """
    )
    result = in_container(project)

    assert (4, 1) == outcomes(result), result.text


def test_a_suite_that_kills_its_server_again_and_again_is_told_so(project: Project) -> None:
    """It neither hangs nor starts containers for ever."""
    project.write(
        test_it="""
            import pytest
            from faults import kill_own_container

            @pytest.mark.parametrize("n", range(6))
            def test_it(client, n):
                client.get("/users")
                kill_own_container()
                client.get("/users")
        """
    )
    result = in_container(project)

    assert (0, 6) == outcomes(result), result.text
    result.assert_says("2 servers were lost in this run, so no more are started")


# -- a server of the user's --------------------------------------------------------------------------------------------


def test_a_server_that_is_restarted_fails_one_test(project: Project) -> None:
    """The next one waits for it."""
    project.write(
        test_it="""
            import os
            from faults import docker

            def test_guilty(client):
                client.post("/users/ann")
                docker("restart", "--time=1", os.environ["SERVER"])
                client.get("/users")

            def test_next(client):
                assert client.get("/users").json() == []
                assert client.post("/users/ann").status_code == 201
        """
    )
    with own_server() as (url, name), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVER", name)
        result = on(project, url)

    assert (1, 1) == outcomes(result), result.text
    result.assert_says(_LOST)


def test_a_server_that_stays_away_is_waited_for_once(project: Project) -> None:
    """Then every test that needs it says at once what is wrong, and the others run."""
    project.write(
        test_it="""
            import os
            import pytest
            from faults import docker

            def test_guilty(client):
                client.post("/users/ann")
                docker("kill", os.environ["SERVER"])
                client.get("/users")

            @pytest.mark.parametrize("n", range(20))
            def test_next(client, n):
                client.get("/users")

            def test_of_something_else():
                pass
        """
    )
    with own_server() as (url, name), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERVER", name)
        result = on(project, url, "--durations=1")

    assert (1, 21) == outcomes(result), result.text
    result.assert_says(_LOST, "the test database was lost, and cannot be reached any more", "start it again")
    assert "secret" not in result.text


def test_rows_of_a_wider_fixture_that_are_lost_are_told_to_each_test_that_relies_on_them(
    project: Project, postgres_url: URL
) -> None:
    """Not passed over in silence: those tests would find an empty table. Tests of other modules run."""
    project.write(
        test_one=f"""
            import psycopg
            import pytest
            from shop.models import User

            @pytest.fixture(scope="module")
            def ann(module_db_session):
                module_db_session.add(User(name="ann"))

            def test_guilty(client, ann):
                client.post("/users/ben")
                with psycopg.connect({text_of(postgres_url)!r}, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                client.get("/users")

            def test_same_module(client, ann):
                client.get("/users")
        """,
        test_two="""
            def test_other_module(client):
                assert client.get("/users").json() == []
        """,
    )
    result = on(project, postgres_url)

    assert (1, 2) == outcomes(result), result.text
    result.assert_says(_LOST, "rows that this test relies on are gone", "the module fixture 'ann'", "pytest --lf")


def test_a_template_that_somebody_drops_is_made_anew(project: Project, postgres_url: URL) -> None:
    """The test whose copy cannot be made says so."""
    project.write(
        test_it=f"""
            import psycopg
            import pytest

            pytestmark = pytest.mark.harness(isolation="database")

            def test_before(client):
                client.post("/users/ann")
                with psycopg.connect({text_of(postgres_url)!r}, autocommit=True) as other:
                    template = "SELECT datname FROM pg_database WHERE datname LIKE %s"
                    ((name,),) = other.execute(template, [r"%\\_harness\\_%\\_template"]).fetchall()
                    other.execute(f'DROP DATABASE "{{name}}"')

            @pytest.mark.parametrize("n", range(12))
            def test_next(client, n):
                assert client.get("/users").json() == []
        """
    )
    result = on(project, postgres_url)
    passed, failed = outcomes(result)

    assert 13 == passed + failed, result.text
    assert 1 == failed, result.text
    result.assert_says("a database for a test could not be created", "does not exist")


# -- the disk ----------------------------------------------------------------------------------------------------------


@contextmanager
def a_small_disk(megabytes: int) -> Iterator[URL]:
    """A test database with its tables on a disk of their own."""
    with own_server("--tmpfs", f"/small:size={megabytes}m,mode=0777") as (url, name):
        subprocess.run(["docker", "exec", name, "sh", "-c", "mkdir -p /small/t && chown postgres /small/t"], check=True)
        with asking(url) as connection:
            connection.execute("CREATE TABLESPACE small LOCATION '/small/t'")
            connection.execute("ALTER DATABASE shop_test SET default_tablespace = small")
        yield url


def test_a_full_disk_fails_the_test_that_filled_it(project: Project) -> None:
    """In the server's own words; its rows go, and the next test has room again."""
    project.write(
        test_it="""
            from sqlalchemy import text

            def test_guilty(db_session):
                rows = "SELECT md5(n::text) || repeat(md5(n::text), 20) FROM generate_series(1, 40000) AS n"
                db_session.execute(text(f"INSERT INTO users (name) {rows}"))

            def test_next(client):
                assert client.post("/users/ann").status_code == 201
        """
    )
    with a_small_disk(8) as url:
        result = on(project, url)

    assert (1, 1) == outcomes(result), result.text
    result.assert_says("No space left on device")


# -- the container engine ----------------------------------------------------------------------------------------------


class Relay:
    """A second socket of the container engine, which can be taken away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: list[socket] = []
        self._listening = socket(AF_UNIX)
        self._listening.bind(str(path))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self.path.exists():
            client, _ = self._listening.accept()
            server = socket(AF_UNIX)
            server.connect("/var/run/docker.sock")
            self._ends += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, target), daemon=True).start()

    def close(self) -> None:
        """Take it away."""
        self.path.unlink(missing_ok=True)
        self._listening.close()
        for end in self._ends:
            end.close()


def _pump(source: socket, target: socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(SHUT_RDWR)
    except OSError:
        return  # either end has been closed


def test_an_engine_that_goes_away_leaves_a_container_that_is_named_and_swept_later(
    project: Project, tmp_path: Path
) -> None:
    """The tests pass: the server answers. The next run that finds the engine removes what is left."""
    relay = Relay(tmp_path / "engine.sock")
    project.write(
        test_it=f"""
            import pathlib

            def test_first(client):
                assert client.post("/users/ann").status_code == 201
                pathlib.Path({str(relay.path)!r}).unlink(missing_ok=True)

            def test_second(client):
                assert client.get("/users").json() == []
        """
    )
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DOCKER_HOST", f"unix://{relay.path}")
            result = in_container(project)
    finally:
        relay.close()
    assert (2, 0) == outcomes(result), result.text
    (line,) = (line for line in result.text.splitlines() if "could not be removed" in line)
    name = line.rpartition(" ")[2]
    assert name in _containers(), result.text

    assert (2, 0) == outcomes(in_container(project))

    assert name not in _containers()


def _containers() -> set[str]:
    asked = ["docker", "ps", "--all", "--filter", f"label={RUN}", "--format", "{{.Names}}"]
    return set(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split())
