"""Databases on a server: whose they are, what is refused, and what a killed run leaves."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy.engine import URL

from harness.database import identity
from harness.database.catalogs import Catalogs
from harness.database.warm import AHEAD, WarmClones
from harness.errors import DatabaseUnavailable


@pytest.fixture
def run() -> identity.RunIdentity:
    """A run of this process."""
    return identity.current()


@pytest.fixture
def catalogs(request: pytest.FixtureRequest, run: identity.RunIdentity) -> Iterator[Catalogs]:
    """The databases of that run."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    with closing(Catalogs(request.getfixturevalue("postgres_url"), run)) as made:
        yield made
        made.drop_all()


def names(catalogs: Catalogs, run: identity.RunIdentity) -> list[str]:
    return sorted(found.name for found in catalogs.found() if found.labels[identity.RUN] == run.run_id)


def test_a_copy_has_what_is_committed_in_its_template(catalogs: Catalogs) -> None:
    """And both are called after the run."""
    catalogs.create(catalogs.name("one"))
    with psycopg.connect(text(catalogs.url_of(catalogs.name("one"))), autocommit=True) as connection:
        connection.execute("CREATE TABLE seen AS SELECT 1 AS x")
    catalogs.create(catalogs.name("two"), catalogs.name("one"))

    with psycopg.connect(text(catalogs.url_of(catalogs.name("two")))) as connection:
        assert (1,) == connection.execute("SELECT x FROM seen").fetchone()


def test_a_name_is_never_longer_than_the_server_allows(postgres_url: URL, run: identity.RunIdentity) -> None:
    """The base is cut, never the part that tells one from another; also between the bytes of a letter."""
    name = Catalogs(postgres_url.set(database="ä" * 60), run).name("template")

    assert name.endswith(f"_harness_{run.run_id}_template")
    assert 62 <= len(name.encode()) <= 63


def test_only_databases_of_the_run_are_dropped(catalogs: Catalogs) -> None:
    """Whatever else is asked for is a mistake."""
    for other in ("postgres", "app_test", "app_test_harness_00000000_1"):
        with pytest.raises(ValueError, match="is not a database of run"):
            catalogs.drop(other)


def test_a_template_in_use_is_refused_with_who_is_connected(catalogs: Catalogs, run: identity.RunIdentity) -> None:
    """By process, user and name; the server itself waits five seconds for them to go."""
    catalogs.create(catalogs.name("busy"))
    busy = psycopg.connect(text(catalogs.url_of(catalogs.name("busy"))), application_name="my-ide")
    with busy, pytest.raises(DatabaseUnavailable) as refused:
        catalogs.create(catalogs.name("copy"), catalogs.name("busy"))

    told = str(refused.value)
    for part in ("could not be created", catalogs.name("busy"), "my-ide", "pid ", "close those connections"):
        assert part in told


def test_a_role_that_may_not_create_databases_is_told_how_to_let_it(
    catalogs: Catalogs, postgres_url: URL, run: identity.RunIdentity
) -> None:
    """With its name."""
    with psycopg.connect(text(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE poor_{run.run_id} LOGIN PASSWORD 'secret-word'")
    try:
        poor = postgres_url.set(username=f"poor_{run.run_id}", password="secret-word")
        with closing(Catalogs(poor, run)) as theirs, pytest.raises(DatabaseUnavailable) as refused:
            theirs.create(theirs.name("x"))
    finally:
        with psycopg.connect(text(postgres_url), autocommit=True) as connection:
            connection.execute(f"DROP ROLE poor_{run.run_id}")

    assert f'ALTER ROLE "poor_{run.run_id}" CREATEDB' in str(refused.value)
    assert "secret-word" not in str(refused.value)


def test_a_killed_run_is_swept_and_a_live_one_is_not(
    catalogs: Catalogs, postgres_url: URL, run: identity.RunIdentity
) -> None:
    """Also a database that it could not label any more."""
    dead = dataclasses.replace(identity.current(), pid=2**22 + 7)
    kept = dataclasses.replace(identity.current(), pid=2**22 + 7)
    said: list[str] = []
    catalogs.create(catalogs.name("alive"))
    with closing(Catalogs(postgres_url, dead)) as theirs, closing(Catalogs(postgres_url, kept)) as wanted:
        theirs.create(theirs.name("template"))
        wanted.create(wanted.name("1"))
        wanted.keep(wanted.name("1"))
        with psycopg.connect(text(postgres_url), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{theirs.name("unlabelled")}"')
        catalogs.sweep(said.append)

        assert [] == names(catalogs, dead)
        assert [wanted.name("1")] == names(catalogs, kept)
        assert [catalogs.name("alive")] == names(catalogs, run)
        assert 2 == sum(dead.run_id in line for line in said)
        wanted.drop(wanted.name("1"))


def test_a_run_of_another_machine_is_swept_when_it_has_gone_for_an_hour(catalogs: Catalogs, postgres_url: URL) -> None:
    """Nobody here can ask that machine; but it would be connected if it lived."""
    elsewhere = dataclasses.replace(identity.current(), host_token="other/boot/pid", pid=1)
    theirs = Catalogs(postgres_url, elsewhere)
    theirs.create(theirs.name("1"))
    catalogs.sweep(print)
    assert [theirs.name("1")] == names(catalogs, elsewhere)

    def age() -> None:
        with psycopg.connect(text(postgres_url), autocommit=True) as connection:
            comment = connection.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (theirs.name("1"),)
            ).fetchone()
            assert comment is not None
            aged = str(comment[0]).replace('"harness.made": "', '"harness.made": "-')
            connection.execute(f"COMMENT ON DATABASE \"{theirs.name('1')}\" IS '{aged}'")

    age()
    catalogs.sweep(print)
    assert [theirs.name("1")] == names(catalogs, elsewhere), "its owner is connected"
    theirs.close()
    with psycopg.connect(text(postgres_url), autocommit=True) as connection:
        here = f"SELECT 1 FROM pg_stat_activity WHERE application_name = 'harness {elsewhere.run_id}'"
        wait_until(lambda: connection.execute(here).fetchone() is None)  # the server ends a session after its client
    catalogs.sweep(print)
    assert [] == names(catalogs, elsewhere)


def test_copies_are_ready_before_they_are_asked_for_and_few(
    catalogs: Catalogs, postgres_url: URL, run: identity.RunIdentity
) -> None:
    """As many as are still needed, and never more than a handful; all are gone at the end, but for their source."""
    left = 2
    source = catalogs_source(catalogs)
    clones = WarmClones(source, run, lambda: left, print)
    try:
        first = clones.acquire()
        wait_until(lambda: len(names(catalogs, run)) == 2 + 1 + 2)  # source, template, the first, two ahead
        left = 100
        clones.release(first)
        wait_until(lambda: len(names(catalogs, run)) == 2 + AHEAD and first.name not in names(catalogs, run))
        kept = clones.acquire()
        clones.keep(kept, None, "")  # type: ignore[arg-type]  # a server needs no directory
        clones.release(kept)
    finally:
        clones.close()
        clones.close()

    assert [kept.name, source.database] == names(catalogs, run)
    assert "harness-clones" not in [thread.name for thread in threading.enumerate()]
    catalogs.drop(kept.name)


def catalogs_source(catalogs: Catalogs) -> URL:
    """A database to copy."""
    catalogs.create(catalogs.name("source"))
    return catalogs.url_of(catalogs.name("source"))


def wait_until(true: Callable[[], bool]) -> None:
    """Look again and again, for at most 20 seconds."""
    done = threading.Event()
    for _ in range(400):
        if true():
            return
        done.wait(0.05)
    raise AssertionError("it never happened")


def text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
