"""`--harness-reuse`: the server and the templates of the schema stay for the next run, and are never out of date."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

from harness.database import binaries, identity
from harness.database.catalogs import Catalogs
from harness.database.engine import reach, remove
from harness.database.templates import Templates
from tests.support.projects import Project, Result, new_project
from tests.support.servers import asking
from tests.support.workers import TWO, going_on, kill, observed, seen, until

_REUSE = ("--harness-database=postgres", "--harness-reuse")
_SLOW = """
    def test_slow(client, seen):
        end = time.monotonic() + 60
        while not os.path.exists("go") and time.monotonic() < end:
            time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def cache(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A cache of these tests' own, so that they use no server of the user's; its server is removed at the end."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    if binaries.directory() is None:
        pytest.skip(reason="PostgreSQL's programs are not installed here")
    home = Path(tempfile.mkdtemp(prefix="harness-test-"))
    home.chmod(0o711)
    yield home
    for pid in home.glob("harness/harness-reused-*/data/postmaster.pid"):
        kill(int(pid.read_text().splitlines()[0]))
    shutil.rmtree(home)


@pytest.fixture
def project(pytester: pytest.Pytester, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project that runs on a local server, which all tests of this module share."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("HARNESS_SERVER", "local")
    return observed(new_project(pytester))


def place(project: Project, at: int = -1) -> URL:
    return make_url(seen(project)[at]["url"]).set(drivername="postgresql")


def templates(project: Project) -> list[str]:
    """The project's templates, the oldest first."""
    from harness.run.templating import project_of

    class Rooted:
        root = project.path

    with closing(Catalogs(place(project), identity.current())) as catalogs:
        return catalogs.beginning_with(f"harness_template_{project_of(Rooted())}_")  # type: ignore[arg-type]


@contextmanager
def inside(project: Project, name: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a template, which nobody else may have."""
    maintenance = place(project).set(database="postgres")
    with asking(maintenance) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        with asking(maintenance.set(database=name)) as there:
            yield there
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')


def made(project: Project) -> list[str]:
    """The databases that runs have made and not dropped."""
    with closing(Catalogs(place(project), identity.current())) as catalogs:
        return [found.name for found in catalogs.found()]


def marked(project: Project) -> None:
    """Leave a trace in the newest template, so that a copy of it can be told from a schema that was built."""
    with inside(project, templates(project)[-1]) as connection:
        connection.execute("INSERT INTO users (name) VALUES ('from the template')")


def copied(project: Project, *arguments: str) -> Result:
    """Run one test, which passes if its database is a copy of the marked template."""
    project.write(test_copy="def test_copy(client, seen):\n    assert client.get('/users').json() != []\n")
    return project.run_apart(*_REUSE, *arguments, "test_copy.py")


def test_the_second_run_finds_server_and_schema(project: Project) -> None:
    """Whatever follows it is told how to remove the server; a run leaves nothing else on it."""
    first = project.run_apart(*_REUSE)
    first.assert_passed(8)
    assert 1 == len(templates(project))
    marked(project)
    second = copied(project)

    second.assert_passed(1)
    assert place(project, 0).port == place(project).port
    assert "database reusable server, else local server" in second.header
    for result in (first, second):
        assert re.search(r"the server stays for the next run.*pg_ctl stop .* && rm -r ", result.text), result.text
    assert [] == made(project)


def test_workers_copy_the_same_template(project: Project) -> None:
    """Made once, by whichever comes first."""
    project.run_apart(*_REUSE, *TWO).assert_passed(8)
    assert 1 == len(templates(project))
    marked(project)

    copied(project, *TWO).assert_passed(1)
    assert [] == made(project)


def test_a_template_of_other_tables_is_not_used(project: Project) -> None:
    """A changed model has another fingerprint; the old template is there for whoever changes it back."""
    project.run_apart(*_REUSE, "-k", "test_it and 0").assert_passed(1)
    marked(project)
    models = project.path / "shop/models.py"
    models.write_text(models.read_text().replace("String(50)", "String(51)"))

    assert 1 == copied(project).failed
    assert 2 == len(templates(project))
    models.write_text(models.read_text().replace("String(51)", "String(50)"))
    copied(project).assert_passed(1)


def test_only_the_newest_templates_of_a_project_stay(project: Project) -> None:
    """Those of other projects stay, and those that a run uses."""
    project.run_apart(*_REUSE, "-k", "test_it and 0").assert_passed(1)
    run = identity.current()
    with closing(Catalogs(place(project), run)) as catalogs:
        catalogs.create(source := catalogs.name("main"))
        used, other = (Templates(place(project), run, name) for name in ("somebody", "another"))
        with closing(used), closing(other), closing(Templates(place(project), run, "somebody")) as user:
            other.take("0", source)
            user.take("0", source)
            for number in range(1, 8):
                with closing(Templates(place(project), run, "somebody")) as templates:
                    templates.take(str(number), source)
            kept = catalogs.beginning_with("harness_template_somebody_")
            assert ["harness_template_another_0"] == catalogs.beginning_with("harness_template_another_")
        for name in [*kept, "harness_template_another_0"]:
            catalogs.drop_template(name)
        catalogs.drop(source)

    assert [f"harness_template_somebody_{number}" for number in (0, 3, 4, 5, 6, 7)] == kept


def test_fresh_forgets_the_templates(project: Project) -> None:
    """And says so; the next run has a new one."""
    project.run_apart(*_REUSE, "-k", "test_it and 0").assert_passed(1)
    marked(project)
    result = copied(project, "--harness-fresh")

    assert 1 == result.failed, result.text
    result.assert_says("forgot 1 template of the schema")
    assert 1 == len(templates(project))


def test_fresh_is_refused_while_another_run_uses_the_template(project: Project) -> None:
    """Naming that run; afterwards it is not refused any more."""
    observed(project, tests=_SLOW)
    with going_on(project, *_REUSE, "-k", "slow") as process:
        until(lambda: seen(project))
        refused = project.run_apart(*_REUSE, "--harness-fresh", "-k", "test_it and 0")
        beside = project.run_apart(*_REUSE, "-k", "test_it and 0")
        (project.path / "go").touch()
        assert 0 == process.wait(timeout=180)

    assert 1 == refused.errors, refused.text
    refused.assert_says("the templates cannot be forgotten while another run uses them", "harness ", "pid ")
    beside.assert_passed(1)
    project.run_apart(*_REUSE, "--harness-fresh", "-k", "test_it and 0").assert_passed(1)


def test_what_a_killed_run_leaves_goes_with_the_next(project: Project) -> None:
    """The server and the templates stay."""
    observed(project, tests=_SLOW)
    with going_on(project, *_REUSE, "-k", "slow") as process:
        until(lambda: seen(project))
        process.kill()
        process.wait()
    assert 1 == len(made(project))
    result = project.run_apart(*_REUSE, "-k", "test_it and 0")

    result.assert_passed(1)
    assert "left by a run that was killed" in result.text
    assert [] == made(project)


def test_a_schema_without_a_fingerprint_is_built_in_each_run(project: Project) -> None:
    """The report says why there is no template."""
    project.write(
        build="""
            from shop.models import Base

            def build(engine):
                Base.metadata.create_all(engine)
        """
    )
    result = project.run_apart(*_REUSE, "--harness-schema=build:build", "-k", "test_it and 0")

    result.assert_passed(1)
    assert "the schema is built without a template: the function build:build makes it" in result.text
    assert [] == templates(project)


def test_a_server_that_has_gone_is_started_anew(project: Project, cache: Path) -> None:
    """Its data is not trusted."""
    project.run_apart(*_REUSE, "-k", "test_it and 0").assert_passed(1)
    (file,) = cache.glob("harness/harness-reused-*/data/postmaster.pid")
    kill(int(file.read_text().splitlines()[0]))
    until(lambda: not _answers(place(project, 0)))
    project.run_apart(*_REUSE, "-k", "test_it and 0").assert_passed(1)

    assert 1 == len(templates(project))


def _answers(url: URL) -> bool:
    try:
        with asking(url.set(database="postgres")):
            return True
    except psycopg.OperationalError:
        return False


def test_a_container_stays_and_is_used_again(
    project: Project, postgres_url: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sweep removes it; the printed command does."""
    monkeypatch.setenv("HARNESS_SERVER", "container")
    if image := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", image)
    results = [project.run_apart(*_REUSE, "-k", "test_it and 0") for _ in range(2)]
    (command,) = {command for result in results for command in re.findall(r"docker rm -f -v \S+", result.text)}
    name = command.rpartition(" ")[2]
    try:
        for result in results:
            result.assert_passed(1)
        assert ["starting postgres" in result.text for result in results] == [True, False]
        assert place(project, 0).port == place(project, 1).port
        with reach() as engine:
            assert "running" == engine.containers.get(name).status
        subprocess.run(command.split(), check=True, capture_output=True, timeout=180)
        with reach() as engine:
            assert [] == engine.containers.list(all=True, filters={"name": name})
    finally:
        remove(name)
