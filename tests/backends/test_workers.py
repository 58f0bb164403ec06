"""pytest-xdist: one server, a database for each worker, and nothing left of any of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from sqlalchemy.engine import URL, make_url

from harness.database import identity
from harness.database.engine import reach, remove
from harness.database.service import catalogs_of
from tests.support.projects import Project, new_project
from tests.support.servers import asking, own_database, text_of
from tests.support.workers import TWO, going_on, kill, names, observed, seen, until

_SLOW = """
    @pytest.mark.parametrize("number", range(2))
    def test_slow(client, seen, number):
        end = time.monotonic() + 60
        while not os.path.exists("go") and time.monotonic() < end:
            time.sleep(0.05)
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


@pytest.fixture
def postgres_url(postgres_url: URL) -> Iterator[URL]:
    """An empty database, which workers need not copy."""
    with own_database(postgres_url) as url:
        yield url


@pytest.fixture(params=["postgres", "mariadb"])
def url(request: pytest.FixtureRequest) -> URL:
    """A test database of the user's on a server."""
    if (selected := request.config.getoption("db")) and request.param not in selected:
        pytest.skip(reason="--db leaves this server out")
    found: URL = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> URL:
    """The same, on PostgreSQL."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    found: URL = request.getfixturevalue("postgres_url")
    return found


def made(url: URL) -> list[str]:
    """The databases beside that of a URL that runs have made and not dropped."""
    with closing(catalogs_of(url, identity.current())) as catalogs:
        return [found.name for found in catalogs.found() if found.name.startswith(f"{url.database}_harness_")]


def test_each_worker_has_a_database_of_its_own(project: Project, url: URL) -> None:
    """Beside the user's, which no worker uses; their names carry one run's id, and all are gone at the end."""
    observed(project, f"harness_database = {text_of(url)}")
    project.run_apart(*TWO).assert_passed(8)

    found = names(project)
    assert ["gw0", "gw1"] == sorted(found)
    pattern = re.compile(rf"{url.database}_harness_([0-9a-f]{{8}})_gw[01]_main")
    (_,) = {match.group(1) for name in found.values() if (match := pattern.fullmatch(name))}
    assert 2 == len(set(found.values()))
    assert [] == made(url)


@pytest.mark.parametrize("dist", ["load", "loadscope", "loadgroup", "worksteal"])
def test_every_way_to_distribute_works(project: Project, postgres: URL, dist: str) -> None:
    """Also with more workers than the machine has cores, and with tests that have databases of their own."""
    own = """
        @pytest.mark.harness(isolation="database")
        @pytest.mark.parametrize("number", range(4))
        def test_own(client, number):
            assert client.post("/users/bob").status_code == 201
            assert client.get("/users").json() == ["bob"]
    """
    observed(project, f"harness_database = {text_of(postgres)}", tests=own)
    workers = "-n8" if dist == "load" else "-n2"
    project.run_apart("-p", "xdist", workers, f"--dist={dist}").assert_passed(12)

    assert [] == made(postgres)


def test_a_crashed_worker_is_replaced_and_its_database_goes_with_the_run(project: Project, url: URL) -> None:
    """The replacement has a fresh one."""
    crash = """
        def test_crash(client, seen):
            client.post("/users/crash")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    observed(project, f"harness_database = {text_of(url)}", tests=crash)
    result = project.run_apart(*TWO)

    assert (8, 1) == (result.passed, result.failed), result.text
    result.assert_says("crashed while running")
    assert len(set(names(project).values())) == len(names(project))
    assert [] == made(url)


def test_what_a_killed_run_leaves_goes_with_the_next(project: Project, url: URL) -> None:
    """Of its controller, its workers, its databases; while it lives, another run touches nothing of it."""
    observed(project, f"harness_database = {text_of(url)}", tests=_SLOW)
    with going_on(project, "-n2", "-k", "slow") as process:
        until(lambda: len(names(project)) == 2)
        with closing(catalogs_of(url, identity.current())) as catalogs:
            catalogs.sweep(print)
        assert set(names(project).values()) <= set(made(url))
        process.kill()
        for line in seen(project):
            kill(line["pid"])
    result = project.run_apart("-k", "not slow")

    result.assert_passed(8)
    assert "left by a run that was killed" in result.text
    assert [] == made(url)


def test_two_runs_at_once_on_one_database_never_meet(project: Project, postgres: URL) -> None:
    """The first uses it; the second, which would meet its tables there, makes one beside it."""
    observed(project, f"harness_database = {text_of(postgres)}", tests=_SLOW)
    with going_on(project, "-k", "slow") as process:
        until(lambda: seen(project))
        result = project.run_apart("-k", "not slow")
        (project.path / "go").touch()
        assert 0 == process.wait(timeout=180)

    result.assert_passed(8)
    assert f"another run uses {postgres.database}" in result.text
    first, second = (make_url(line["url"]).database for line in (seen(project)[0], seen(project)[5]))
    assert postgres.database == first
    assert str(second).startswith(f"{postgres.database}_harness_")


def test_workers_have_what_is_in_the_user_s_database(project: Project, postgres: URL) -> None:
    """Each a copy of it, also where harness makes no tables; and it stays as it was."""
    observed(project, f"harness_database = {text_of(postgres)}", "harness_schema = none")
    with asking(postgres) as connection:
        connection.execute("CREATE TABLE users (id serial PRIMARY KEY, name text UNIQUE)")
    try:
        project.run_apart(*TWO).assert_passed(8)
        with asking(postgres) as connection:
            assert [] == connection.execute("SELECT name FROM users").fetchall()
    finally:
        with asking(postgres) as connection:
            connection.execute("DROP TABLE users")
    assert [] == made(postgres)


def test_a_server_with_too_few_connections_is_told_before_any_test(project: Project, postgres: URL) -> None:
    """With the number that is needed, and what would do."""
    with asking(postgres) as connection:
        connection.execute("CREATE ROLE few LOGIN PASSWORD 'few' CREATEDB CONNECTION LIMIT 7")
    try:
        few = text_of(postgres.set(username="few", password="few"))
        observed(project, f"harness_database = {few}", tests=_SLOW)
        result = project.run_apart("-p", "xdist", "-n8")
    finally:
        with asking(postgres) as connection:
            connection.execute("DROP ROLE few")

    result.assert_usage_error(
        "8 workers need 17 connections, and the server has", "CONNECTION LIMIT of role few is 7", "-n 2"
    )


def test_a_role_that_may_create_no_database_is_told_how_to_let_it(project: Project, postgres: URL) -> None:
    """And of the way without workers."""
    with asking(postgres) as connection:
        connection.execute("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    try:
        observed(project, f"harness_database = {text_of(postgres.set(username='poor', password='poor'))}")
        result = project.run_apart(*TWO)
    finally:
        with asking(postgres) as connection:
            connection.execute("DROP ROLE poor")

    result.assert_says("could not be created", 'ALTER ROLE "poor" CREATEDB', "-n 0")


def test_the_url_is_announced_to_an_application_that_a_conftest_imports(project: Project, postgres: URL) -> None:
    """In each worker its own, before the first conftest.py is read."""
    observed(project, f"harness_database = {text_of(postgres)}", "harness_url_env = SHOP_URL")
    conftest = project.path / "conftest.py"
    conftest.write_text(
        "import os\nURL = os.environ['SHOP_URL']\n"
        + conftest.read_text()
        + "\n\n@pytest.fixture(autouse=True)\ndef same(db_url):\n    assert db_url.database == URL.rpartition('/')[2]\n"
    )
    project.run_apart(*TWO).assert_passed(8)
    assert [] == made(postgres)


# -- servers that harness starts ---------------------------------------------------------------------------------------


@pytest.fixture
def image(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, postgres: URL) -> None:
    """The image of PostgreSQL, where containers run."""
    if found := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", found)


def containers(run_id: str) -> list[str]:
    with reach() as engine:
        found = engine.containers.list(all=True, filters={"label": f"harness.run={run_id}"})
        return [str(container.name) for container in found]


def run_id_of(project: Project) -> str:
    (found,) = {re.sub(r".*_harness_([0-9a-f]{8})_.*", r"\1", name) for name in names(project).values()}
    return found


def test_workers_share_one_container(project: Project, image: None) -> None:
    """Started once, by the controller, and removed at the end."""
    observed(project)
    result = project.run_apart(*TWO, "--harness-database=postgres")

    result.assert_passed(8)
    assert 1 == result.text.count("starting postgres")
    assert 1 == len({(make_url(line["url"]).host, make_url(line["url"]).port) for line in seen(project)})
    assert ["gw0", "gw1"] == sorted(names(project))
    assert [] == containers(run_id_of(project))


def test_a_container_stays_for_the_failed_test_of_a_worker(project: Project, image: None) -> None:
    """The worker keeps the database, the controller the server; the printed command removes it."""
    observed(project, tests="def test_wrong(client, seen):\n    client.post('/users/ann')\n    assert 0\n")
    result = project.run_apart(*TWO, "--harness-database=postgres", "--harness-keep-failed")
    (removal,) = set(re.findall(r"remove +docker rm -f -v (\S+)", result.text))
    try:
        assert (8, 1) == (result.passed, result.failed), result.text
        with reach() as engine:
            assert "running" == engine.containers.get(removal).status
    finally:
        remove(removal)


@contextmanager
def relay(host: str) -> Iterator[int]:
    """A second way to the engine: a port on another address that passes everything on to its socket."""
    with socket.create_server((host, 0)) as server, ExitStack() as opened:

        def accept() -> None:
            with suppress(OSError):  # it was closed
                while True:
                    client = opened.enter_context(server.accept()[0])
                    engine = opened.enter_context(socket.socket(socket.AF_UNIX))
                    engine.connect("/var/run/docker.sock")
                    for one, other in ((client, engine), (engine, client)):
                        threading.Thread(target=pump, args=(one, other), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends."""
    with suppress(OSError):  # the other direction has closed it
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_a_remote_engine_s_server_is_reached_on_its_host(
    project: Project, image: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DOCKER_HOST` names it; workers connect there, and the container is removed through it."""
    if not os.path.exists("/var/run/docker.sock"):
        pytest.skip(reason="the engine listens elsewhere")
    observed(project)
    with relay("127.0.0.2") as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.2:{port}")
        project.run_apart(*TWO, "--harness-database=postgres").assert_passed(8)

    assert {"127.0.0.2"} == {make_url(line["url"]).host for line in seen(project)}
    monkeypatch.delenv("DOCKER_HOST")
    assert [] == containers(run_id_of(project))


# -- SQLite ------------------------------------------------------------------------------------------------------------


def test_a_sqlite_file_is_copied_for_each_worker(project: Project) -> None:
    """With what is in it; the user's own is neither used nor changed, and a killed worker's copy is removed too."""
    crash = """
        def test_crash(client, seen):
            client.post("/users/crash")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    observed(project, "harness_database = sqlite:///shop_test.db", "harness_schema = none", tests=crash)
    with closing(sqlite3.connect(project.path / "shop_test.db")) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    before = (project.path / "shop_test.db").read_bytes()
    result = project.run_apart(*TWO)

    assert (8, 1) == (result.passed, result.failed), result.text
    files = [str(make_url(line["url"]).database) for line in seen(project)]
    assert 1 < len(set(files))
    assert [] == [file for file in files if os.path.exists(file)]
    assert before == (project.path / "shop_test.db").read_bytes()


def test_each_worker_has_a_database_in_memory(project: Project) -> None:
    """Two runs at once have four."""
    observed(project)
    with going_on(project, "-n2") as process:
        project.run_apart(*TWO).assert_passed(8)
        assert 0 == process.wait(timeout=180)

    assert 4 == len({line["url"] for line in seen(project)})


def test_an_interrupted_run_leaves_nothing(project: Project, postgres: URL) -> None:
    """SIGTERM is how a CI job is cancelled."""
    observed(project, f"harness_database = {text_of(postgres)}", tests=_SLOW)
    with going_on(project, "-n2", "-k", "slow") as process:
        until(lambda: len(names(project)) == 2)
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=180)
        until(lambda: not made(postgres))
