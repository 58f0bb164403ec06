"""An application with two databases where one of them, or both, are on a real PostgreSQL, with each driver."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import URL

from tests.backends.test_faults import _FAULTS
from tests.plugin.several.test_two_databases import _LAWS
from tests.support.projects import STRICT, Project, new_project
from tests.support.servers import asking, text_of
from tests.support.several import ANALYTICS, declared, two_databases


@pytest.fixture
def project(pytester: pytest.Pytester, request: pytest.FixtureRequest) -> Project:
    """An empty project."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    return new_project(pytester)


@pytest.fixture
def analytics_url(postgres_url: URL) -> Iterator[URL]:
    """A second database on the server."""
    with asking(postgres_url) as connection:
        connection.execute("CREATE DATABASE analytics_test")
    yield postgres_url.set(database="analytics_test")
    with asking(postgres_url) as connection:
        connection.execute("DROP DATABASE analytics_test WITH (FORCE)")


def tables(url: URL) -> list[str]:
    with asking(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [str(row[0]) for row in rows]


@pytest.mark.parametrize("isolation", ["rollback", "database", "delete"])
@pytest.mark.parametrize("made_for", ["sqlite", "postgres"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_sqlite_and_postgres(project: Project, postgres_url: URL, kind: str, made_for: str, isolation: str) -> None:
    """The default one on SQLite, the other on the server; whatever the application's engines are made for."""
    two_databases(project, kind, declared(text_of(postgres_url)), STRICT, default="sqlite", analytics=made_for).write(
        test_it=_LAWS[kind]
    )

    project.run_apart(f"--harness-isolation={isolation}").assert_passed(4)
    assert [] == tables(postgres_url)


@pytest.mark.parametrize("isolation", ["rollback", "database", "delete"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_postgres_and_postgres(
    project: Project, postgres_url: URL, analytics_url: URL, kind: str, isolation: str
) -> None:
    """Two databases of one server, which are left as they were found."""
    two_databases(
        project, kind, declared(text_of(analytics_url)), STRICT, default="postgres", analytics="postgres"
    ).write(test_it=_LAWS[kind])

    project.run_apart(f"--harness-database={text_of(postgres_url)}", f"--harness-isolation={isolation}").assert_passed(
        4
    )
    assert [] == tables(postgres_url) + tables(analytics_url)


def test_one_container_serves_all_databases_that_ask_for_the_same(
    project: Project, postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a database of its own on it."""
    if image := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", image)
    two_databases(project, "sync", f"harness_databases = analytics: {ANALYTICS}", default="postgres").write(
        test_it=_LAWS["sync"],
        test_server="""
            def test_it(harness):
                first, second = harness.engine().url, harness.engine("analytics").url
                assert (first.host, first.port) == (second.host, second.port)
                assert first.database != second.database
        """,
    )
    project.run_apart("--harness-database=postgres").assert_passed(5)


@pytest.mark.parametrize("isolation", ["rollback", "database"])
@pytest.mark.parametrize("where", ["one container", "two urls"])
def test_workers_have_databases_of_their_own(
    project: Project, postgres_url: URL, analytics_url: URL, where: str, isolation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has both, on the server that all of them use; nothing is left there."""
    database, further = ("postgres", "") if where == "one container" else map(text_of, (postgres_url, analytics_url))
    if image := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", image)
    two_databases(project, "sync", declared(further), default="postgres", analytics="postgres").write(
        test_it=_LAWS["sync"], test_more=_LAWS["sync"]
    )
    result = project.run_apart(
        *("-p", "xdist", "-n", "2", f"--harness-database={database}", f"--harness-isolation={isolation}")
    )

    assert (8, 0, 0) == (result.passed, result.failed, result.errors), result.text
    assert [] == tables(postgres_url) + tables(analytics_url)
    with asking(postgres_url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%harness\\_%\\_gw%'").fetchall()
    assert [] == left


def test_a_server_of_another_kind_has_an_image_of_its_own(project: Project, mariadb_url: URL) -> None:
    """SQLite beside MariaDB in a container; the application's engines are made for neither."""
    image = f"image={os.environ.get('HARNESS_TEST_MARIADB_IMAGE', 'mariadb:11.4')}"
    two_databases(project, "sync", declared("mariadb", image), default="sqlite", analytics="postgres").write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [1, 2])
            def test_it(client, harness, again):
                assert client.get("/users").json() == [[], []]
                client.post("/users/ann")
                assert client.get("/users").json() == [["ann"], [1]]
                assert harness.engine("analytics").dialect.name == "mysql"
        """
    )
    project.run_apart().assert_passed(2)


def test_a_server_that_dies_with_both_databases_is_replaced(
    project: Project, postgres_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the guilty test fails, also if it has used one of them only; the next ones find both, and their schemas."""
    if image := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", image)
    two_databases(project, "sync", f"harness_databases = analytics: {ANALYTICS}", default="postgres").write(
        faults=_FAULTS,
        test_it="""
            import pytest
            from faults import kill_own_container
            from shop.models import User
            from sqlalchemy import select

            def test_before(client):
                assert client.post("/users/ann").status_code == 201

            @pytest.mark.parametrize("path", ["both", "one"])
            def test_guilty(client, db_session, path):
                db_session.scalars(select(User)).all()
                if path == "both":
                    client.post("/users/ann")
                kill_own_container()
                db_session.scalars(select(User)).all()

            @pytest.mark.parametrize("again", [1, 2])
            def test_after(client, again):
                assert client.get("/users").json() == [[], []]
                client.post("/users/ann")
                assert client.get("/users").json() == [["ann"], [1]]
        """,
    )
    first = project.run_apart("--harness-database=postgres", "-k", "not one")
    assert (3, 1) == (first.passed, first.failed + first.errors), first.text
    second = project.run_apart("--harness-database=postgres", "-k", "not both")
    assert (3, 1) == (second.passed, second.failed + second.errors), second.text


def test_constraints_that_wait_for_the_commit_are_checked_on_each(
    project: Project, postgres_url: URL, analytics_url: URL
) -> None:
    """A session that commits on two databases is told what one of them would refuse."""
    two_databases(project, "sync", declared(text_of(analytics_url)), default="postgres", analytics="postgres")
    models = project.path / "shop/models.py"
    models.write_text(
        models.read_text()
        + "\n    from sqlalchemy import UniqueConstraint\n".replace("    ", "")
        + "\nVisitor.__table__.append_constraint(UniqueConstraint('visits', deferrable=True, initially='DEFERRED'))\n"
    )
    project.write(
        test_it="""
            import pytest
            from shop.models import User, Visitor
            from sqlalchemy.exc import IntegrityError

            def test_it(db_session):
                db_session.add_all([Visitor(visits=1), Visitor(visits=1), User(name="ann")])
                with pytest.raises(IntegrityError):
                    db_session.commit()
        """
    )
    project.run_apart(f"--harness-database={text_of(postgres_url)}").assert_passed(1)
