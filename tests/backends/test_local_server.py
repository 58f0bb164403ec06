"""PostgreSQL of this machine's own programs, where no container engine runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from harness.database import binaries, identity, local
from harness.database.service import Service, database_on
from harness.errors import DatabaseUnavailable
from tests.support.projects import Project, new_project
from tests.support.servers import asking
from tests.support.workers import TWO, going_on, kill, names, observed, seen, until

_NO_ENGINE = "unix:///nonexistent/engine.sock"
_SLOW = """
    def test_slow(client, seen):
        time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    if binaries.directory() is None:
        pytest.skip(reason="PostgreSQL's programs are not installed here")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project on a machine where no engine runs."""
    monkeypatch.setenv("DOCKER_HOST", _NO_ENGINE)
    return observed(new_project(pytester))


@contextmanager
def served() -> Iterator[Service]:
    service = local.serve(identity.current(), print)
    try:
        yield service
    finally:
        service.close()


def home_of(service: Service) -> Path:
    return Path(str(service.log)).parent


def left(project: Project) -> list[str]:
    """The directories of servers that the project's runs had and that are still there."""
    ports = {str(make_url(line["url"]).port) for line in seen(project)}
    found = []
    for home in Path(tempfile.gettempdir()).glob("harness-local-*"):
        pid = home / "data" / "postmaster.pid"
        if pid.exists() and pid.read_text().splitlines()[3] in ports:
            found.append(str(home))
    return found


def test_it_stands_in_where_no_engine_runs(project: Project) -> None:
    """The header tells the order, a line tells what happened, and nothing is left."""
    result = project.run_apart("--harness-database=postgres")

    result.assert_passed(8)
    assert f"container postgres:17, else local server ({binaries.directory()})" in result.header
    result.assert_says("no container engine answers", "starting a local server instead")
    assert "127.0.0.1" == make_url(seen(project)[0]["url"]).host
    assert [] == left(project)


def test_workers_share_it(project: Project) -> None:
    """Pinned by the option, which says nothing about engines."""
    result = project.run_apart("--harness-database=postgres", "--harness-server=local", *TWO)

    result.assert_passed(8)
    assert "no container engine" not in result.text
    assert ["gw0", "gw1"] == sorted(names(project))
    assert 1 == len({make_url(line["url"]).port for line in seen(project)})
    assert [] == left(project)


@pytest.mark.parametrize("argument", ["--harness-server=container", "--harness-image=postgres:15"])
def test_a_container_that_was_asked_for_is_not_replaced(project: Project, argument: str) -> None:
    """In CI neither is it a reason to skip."""
    result = project.run_apart("--harness-database=postgres", argument, "-k", "test_it and 0")

    assert 1 == result.code, result.text
    assert (0, 1) == (result.passed, result.errors), result.text
    result.assert_says("no container engine answers", _NO_ENGINE)


@pytest.mark.parametrize("ci", ["", "true"])
def test_no_engine_and_no_programs_fail_every_test(project: Project, monkeypatch: pytest.MonkeyPatch, ci: str) -> None:
    """A database that was asked for and is not there is never a skip, in CI or elsewhere."""
    monkeypatch.setattr("harness.database.binaries.directory", lambda: None)
    monkeypatch.setenv("CI", ci)
    result = project.run("--harness-database=postgres")
    pinned = project.run("--harness-database=postgres", "--harness-server=local")

    assert (1, 0, 8) == (result.code, result.passed, result.errors), result.text
    assert "skipped" not in result.text
    result.assert_says("no container engine answers", "DOCKER_HOST")
    pinned.assert_says("no PostgreSQL is installed on this machine", "initdb, pg_ctl and postgres", "apt-get install")


def test_workers_without_a_server_are_told_once(project: Project) -> None:
    """Before any of them starts."""
    result = project.run_apart("--harness-database=postgres", "--harness-server=container", *TWO)

    result.assert_usage_error("no container engine answers")


def test_root_lets_another_user_run_it() -> None:
    """And it listens on the loopback interface only, asks for a password, and has no socket file."""
    with served() as service, asking(database_on(service, identity.current(), print, owned=False).url) as connection:
        ((data,),) = connection.execute("SHOW data_directory").fetchall()
        assert (binaries.stand_in().uid,) == (Path(str(data)).stat().st_uid,)
        assert 0 != Path(str(data)).stat().st_uid
        assert [("127.0.0.1",)] == connection.execute("SHOW listen_addresses").fetchall()
        assert [("",)] == connection.execute("SHOW unix_socket_directories").fetchall()
        assert [("UTF8",)] == connection.execute("SHOW server_encoding").fetchall()
        with (
            pytest.raises(Exception, match="password authentication failed"),
            asking(service.url.set(database="postgres", password="guessed")),
        ):
            raise AssertionError("it let somebody in")


def test_a_cluster_is_made_once() -> None:
    """For each version; what runs is a copy, so two servers never share anything but the password."""
    said: list[str] = []
    with served(), closing_all(local.serve(identity.current(), said.append)) as second, served() as third:
        assert [] == said
        assert second.url.port != third.url.port
        assert home_of(second) != home_of(third)


@contextmanager
def closing_all(service: Service) -> Iterator[Service]:
    with closing(service):
        yield service


def test_a_cache_of_its_own_is_made_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """`XDG_CACHE_HOME` names it; what is in there is nobody else's to read."""
    home = Path(tempfile.mkdtemp(prefix="harness-test-"))
    home.chmod(0o711)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    said: list[str] = []
    try:
        local.serve(identity.current(), said.append).close()
        assert ["making a PostgreSQL cluster in"] == [line[:30] for line in said]
        (cluster,) = (home / "harness").glob("postgresql-*[0-9]")
        assert 0 == cluster.stat().st_mode & 0o077
    finally:
        shutil.rmtree(home)


def test_what_a_killed_run_leaves_goes_with_the_next(project: Project) -> None:
    """Its server is stopped and its directory removed; while it lives, nobody touches it."""
    observed(project, tests=_SLOW)
    with going_on(project, "--harness-database=postgres", "--harness-server=local", "-k", "slow") as process:
        until(lambda: seen(project))
        local.sweep(print)
        (home,) = left(project)
        process.kill()
        process.wait()
        said: list[str] = []
        local.sweep(said.append)

    assert not Path(home).exists()
    assert [] == left(project)


def test_a_terminated_run_leaves_nothing(project: Project) -> None:
    """A cancelled CI job gets SIGTERM."""
    observed(project, tests=_SLOW)
    with going_on(project, "--harness-database=postgres", "--harness-server=local", "-k", "slow") as process:
        until(lambda: seen(project))
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=120)

    assert [] == left(project)


def test_a_server_that_is_killed_tells_its_log() -> None:
    """So that a lost connection is explained."""
    with served() as service:
        pid = int((home_of(service) / "data" / "postmaster.pid").read_text().splitlines()[0])
        assert re.search("ready to accept connections", str(service.diagnose()))
        kill(pid)
    assert not home_of(service).exists()


def test_programs_that_fail_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the end of what they said, and nothing is left."""
    before = set(Path(tempfile.gettempdir()).glob("harness-local-*"))
    run = identity.current()
    monkeypatch.setattr(local, "_SETTINGS", ("no_such_setting = 1",))
    with pytest.raises(DatabaseUnavailable) as failed:
        local.serve(run, print)

    assert "pg_ctl start failed" in str(failed.value)
    assert "no_such_setting" in str(failed.value)
    mine = [home for home in set(Path(tempfile.gettempdir()).glob("harness-local-*")) - before if home.exists()]
    assert [] == [
        home for home in mine if (home / "owner.json").exists() and run.run_id in (home / "owner.json").read_text()
    ]


def test_a_directory_of_a_live_run_is_kept() -> None:
    """Also if its labels are of another machine that shares the directory."""
    elsewhere = replace(identity.current(), host_token="other/boot/pid", pid=1)
    with closing_all(local.serve(elsewhere, print)) as service:
        local.sweep(print)
        assert home_of(service).exists()
