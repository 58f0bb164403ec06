"""Which engine belongs to which database: by URL, by reference, by an environment variable, or as the one left."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from tests.support.projects import Project
from tests.support.several import ANALYTICS, declared, two_databases

_TEST = """
    def test_it(client, harness):
        client.post("/users/ann")
        assert client.get("/users").json() == [["ann"], [1]]
        assert harness.engine().url != harness.engine("analytics").url
"""
_METADATA = "metadata=shop.models:AnalyticsBase"


@pytest.mark.parametrize("imported", ["by harness", "by a conftest", "by a test module"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_engine_may_be_named(project: Project, kind: str, imported: str) -> None:
    """As `pkg.module:name`; that of an AsyncEngine as well, and whoever imports its module first."""
    early = "from shop.main import app\n"
    two_databases(project, kind, f"harness_databases = analytics: engine=shop.main:analytics_engine {_METADATA}").write(
        conftest=early if imported == "by a conftest" else "",
        test_it=(early if imported == "by a test module" else "") + _TEST.replace("\n    ", "\n"),
    )
    project.run_apart().assert_passed(1)


def test_an_engine_that_is_made_in_a_lifespan_may_be_named(project: Project) -> None:
    """Its name leads to it only then."""
    two_databases(project, "sync", f"harness_databases = analytics: engine=shop.late:engine {_METADATA}").write(
        shop__late="""
            from contextlib import asynccontextmanager
            from fastapi import FastAPI
            from sqlalchemy import create_engine, func, select
            from sqlalchemy.orm import Session
            from shop.models import Visitor

            engine = None

            @asynccontextmanager
            async def lifespan(app):
                global engine
                engine = create_engine("sqlite:///late-production.db")
                yield
                engine = None

            app = FastAPI(lifespan=lifespan)

            @app.get("/count")
            def count() -> int:
                with Session(engine) as session:
                    return session.scalar(select(func.count()).select_from(Visitor))
        """,
        test_it="def test_it(client):\n    assert client.get('/count').json() == 0\n",
    )
    project.run("--harness-app=shop.late:app").assert_passed(1)


def test_a_name_that_leads_to_nothing_is_told(project: Project) -> None:
    """With the first engine that nothing claims, as it may be the one."""
    two_databases(project, "sync", "harness_databases = analytics: engine=shop.main:analytic_engine")
    result = project.write(test_it=_TEST).run()

    assert (0, 1) == (result.passed, result.failed), result.text
    result.assert_says("none of the declared databases", "nothing is there yet under shop.main:analytic_engine")


def test_a_variable_gives_each_database_its_url(project: Project) -> None:
    """The application makes its engines from it, so they are known by it."""
    two_databases(
        project,
        "sync",
        f"harness_databases = analytics: url_env=ANALYTICS_URL {_METADATA}",
        "harness_url_env = SHOP_URL",
    )
    main = project.path / "shop/main.py"
    text = main.read_text()
    text = text.replace('create_engine("sqlite:///production.db")', 'create_engine(os.environ["SHOP_URL"])')
    text = text.replace(
        'create_engine("sqlite:///analytics-production.db")', 'create_engine(os.environ["ANALYTICS_URL"])'
    )
    main.write_text(f"import os\n{text}")
    project.write(test_it=_TEST).run().assert_passed(1)


def test_default_may_say_which_engines_are_its(project: Project) -> None:
    """Then no other engine is, however early it is made."""
    two_databases(
        project, "sync", "harness_databases =", f"    analytics: {ANALYTICS}", "    default: url=*/production.db"
    ).write(
        conftest="""
            import sqlalchemy

            scratch = sqlalchemy.create_engine("sqlite:///scratch-production.db")
        """,
        test_it="""
            import conftest
            import pytest
            from harness import EscapeError

            def test_it(client):
                assert client.get("/users").json() == [[], []]
                with pytest.raises(EscapeError, match="none of the declared databases") as caught:
                    conftest.scratch.connect()
                assert "other: url=*scratch-production.db" in str(caught.value)
        """,
    )
    project.run().assert_passed(1)


def test_an_engine_with_a_connector_of_its_own_is_refused_as_well(project: Project) -> None:
    """No event of SQLAlchemy would tell of its connection."""
    two_databases(project).write(
        test_it="""
            import pytest
            import sqlite3
            from harness import EscapeError
            from sqlalchemy import create_engine

            def test_it(client):
                assert client.get("/users").json() == [[], []]
                connect = lambda: sqlite3.connect("production.db")
                engine = create_engine("sqlite:///other-production.db", creator=connect)
                with pytest.raises(EscapeError):
                    engine.connect()
        """
    )
    project.run().assert_passed(1)


def test_two_claims_to_one_engine_are_an_error(project: Project) -> None:
    """Of the configuration, with both names."""
    lines = [f"    analytics: {ANALYTICS}", "    reporting: sqlite url=*analytics*"]
    two_databases(project, "sync", "harness_databases =", *lines).write(test_it=_TEST)
    result = project.run()

    assert 0 == result.passed, result.text
    assert "'analytics' and 'reporting' both claim the engine of sqlite:///analytics-production.db" in result.text
    assert "make the patterns narrower" in result.text


def test_two_claims_to_one_table_are_an_error(project: Project) -> None:
    """The test's own session could not tell where to put it."""
    lines = [f"    analytics: {ANALYTICS}", f"    reporting: sqlite url=*reporting* {_METADATA}"]
    two_databases(project, "sync", "harness_databases =", *lines)
    result = project.write(test_it="def test_it(db_session): pass").run()

    assert 0 == result.passed, result.text
    result.assert_says("'analytics' and 'reporting' both have the table 'users'", "metadata=myapp.models:Event")


def test_metadata_that_is_none_is_told_with_the_line(project: Project) -> None:
    """As `harness_metadata` tells it."""
    two_databases(project, "sync", "harness_databases = analytics: url=*analytics* metadata=shop.main:engine")
    result = project.write(test_it="def test_it(db_session): pass").run()

    result.assert_says("'shop.main:engine' has no metadata", "harness_databases, analytics: metadata")


@pytest.mark.parametrize("line", ["default: url=*/production.db", "other: url=*other*"], ids=["waiting", "unused"])
def test_engines_get_back_what_they_were_made_with(project: Project, line: str) -> None:
    """Also those that nothing has claimed."""
    engine = create_engine("sqlite:///scratch-production.db")
    before = engine.pool, engine.dialect, engine.url
    two_databases(project, "sync", "harness_databases =", f"    analytics: {ANALYTICS}", f"    {line}")

    project.write(test_it=_TEST).run().assert_passed(1)
    assert before == (engine.pool, engine.dialect, engine.url)


@pytest.mark.parametrize("isolation", ["rollback", "database", "delete"])
def test_the_first_engine_that_is_used_is_the_defaults(project: Project, isolation: str) -> None:
    """Many are made and never used, and a second one is refused in tests of every isolation."""
    two_databases(project, "sync", declared(), f"harness_isolation = {isolation}").write(
        conftest="import sqlalchemy\nscratch = sqlalchemy.create_engine('sqlite:///scratch-production.db')\n",
        test_it="""
            import conftest
            import pytest
            from harness import EscapeError

            def test_it(client):
                assert client.get("/users").json() == [[], []]
                with pytest.raises(EscapeError, match="none of the declared databases") as caught:
                    conftest.scratch.connect()
                assert "default is sqlite:///production.db" in str(caught.value)
        """,
    )
    project.run().assert_passed(1)
