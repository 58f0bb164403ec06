"""An application with two databases: each is its own, and each is put back after each test."""

from __future__ import annotations

import pytest

from tests.support.projects import STRICT, Project
from tests.support.several import ANALYTICS, declared, two_databases

KINDS = pytest.mark.parametrize("kind", ["sync", "async"])

_LAWS = {
    "sync": """
        import pytest
        from sqlalchemy import select
        from shop.models import User, Visitor

        @pytest.mark.parametrize("again", [1, 2])
        def test_requests(client, harness, db_session, again):
            assert client.get("/users").json() == [[], []]
            assert client.post("/users/ann").status_code == 201
            analytics = harness.session("analytics")
            assert list(analytics.scalars(select(Visitor.id))) == [1]
            analytics.add(Visitor(visits=7))
            analytics.commit()
            db_session.add(User(name="bob"))
            db_session.commit()
            assert client.get("/users").json() == [["ann", "bob"], [1, 7]]

        @pytest.mark.parametrize("again", [1, 2])
        def test_the_session_of_the_test_finds_the_database_of_a_model(client, db_session, again):
            db_session.add_all([User(name="ann"), Visitor(visits=3)])
            db_session.commit()
            assert client.get("/users").json() == [["ann"], [3]]
            client.post("/users/bob")
            assert list(db_session.scalars(select(Visitor.visits).order_by(Visitor.id))) == [3, 1]
            assert db_session.scalars(select(User.name).order_by(User.id)).all() == ["ann", "bob"]
    """,
    "async": """
        import pytest
        from sqlalchemy import select
        from shop.models import User, Visitor

        @pytest.mark.parametrize("again", [1, 2])
        async def test_requests(async_client, harness, async_db_session, again):
            assert (await async_client.get("/users")).json() == [[], []]
            assert (await async_client.post("/users/ann")).status_code == 201
            analytics = harness.async_session("analytics")
            assert list(await analytics.scalars(select(Visitor.id))) == [1]
            analytics.add(Visitor(visits=7))
            await analytics.commit()
            async_db_session.add(User(name="bob"))
            await async_db_session.commit()
            assert (await async_client.get("/users")).json() == [["ann", "bob"], [1, 7]]

        @pytest.mark.parametrize("again", [1, 2])
        async def test_the_session_of_the_test_finds_the_database_of_a_model(async_client, async_db_session, again):
            async_db_session.add_all([User(name="ann"), Visitor(visits=3)])
            await async_db_session.commit()
            assert (await async_client.get("/users")).json() == [["ann"], [3]]
            await async_client.post("/users/bob")
            assert list(await async_db_session.scalars(select(Visitor.visits).order_by(Visitor.id))) == [3, 1]
    """,
}


@KINDS
def test_each_database_is_its_own_and_is_put_back(project: Project, kind: str) -> None:
    """Tables of one name in both, requests, the test's own sessions; and nothing is left for the next test."""
    two_databases(project, kind, declared(), STRICT).write(test_it=_LAWS[kind])

    project.run_apart().assert_passed(4)


@pytest.mark.parametrize("isolation", ["rollback", "database", "delete"])
@KINDS
def test_every_isolation_is_for_all_databases(project: Project, kind: str, isolation: str) -> None:
    """A database of a test's own is one of each."""
    two_databases(project, kind, declared(), STRICT).write(test_it=_LAWS[kind])

    project.run_apart(f"--harness-isolation={isolation}").assert_passed(4)


def test_the_isolations_mix_in_one_run(project: Project) -> None:
    """And none sees what another has written."""
    two_databases(project).write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("isolation", [
                pytest.param(how, marks=pytest.mark.harness(isolation=how))
                for how in ("rollback", "database", "delete", "rollback", "database")
            ])
            def test_it(client, isolation):
                assert client.get("/users").json() == [[], []]
                client.post("/users/ann")
                assert client.get("/users").json() == [["ann"], [1]]
        """
    )
    project.run_apart().assert_passed(5)


def test_without_a_declaration_all_engines_share_one_database(project: Project) -> None:
    """As a primary and its replica have to; nothing changes for whoever declares nothing."""
    two_databases(project, "sync", "harness_metadata = shop.models:Base").write(
        test_it="""
            from sqlalchemy import text
            from shop.main import analytics_engine, engine

            def test_it(db_session):
                db_session.execute(text("INSERT INTO users (name) VALUES ('ann')"))
                db_session.commit()
                for each in (engine, analytics_engine):
                    with each.connect() as connection:
                        assert connection.scalar(text("SELECT name FROM users")) == "ann"
        """
    )
    project.run().assert_passed(1)


def test_rows_of_wider_fixtures_end_with_them_on_each_database(project: Project) -> None:
    """What a test changes of them is undone on each, too."""
    two_databases(project).write(
        test_it="""
            import pytest
            from sqlalchemy import select
            from shop.main import AnalyticsSession
            from shop.models import User, Visitor

            @pytest.fixture(scope="class")
            def through_the_session(class_db_session):
                seeds = [User(name="ann"), Visitor(visits=5)]
                class_db_session.add_all(seeds)
                return seeds

            @pytest.fixture(scope="class")
            def through_the_app():
                with AnalyticsSession() as session:
                    session.add(Visitor(visits=6))
                    session.commit()

            class TestSeeded:
                @pytest.mark.parametrize("again", [1, 2])
                def test_it(self, client, db_session, through_the_session, through_the_app, again):
                    user, visitor = through_the_session
                    assert (user.name, visitor.visits) == ("ann", 5)
                    assert client.get("/users").json() == [["ann"], [5, 6]]
                    visitor.visits = 99
                    db_session.commit()
                    client.post("/users/bob")
                    assert client.get("/users").json() == [["ann", "bob"], [99, 6, 1]]

            def test_gone(client):
                assert client.get("/users").json() == [[], []]
        """
    )
    project.run().assert_passed(3)


def test_a_fixture_that_leaves_a_transaction_open_on_the_second_database_is_told(project: Project) -> None:
    """As on the first."""
    two_databases(project).write(
        test_it="""
            import pytest
            from shop.main import AnalyticsSession
            from shop.models import Visitor

            @pytest.fixture(scope="module")
            def forgetful():
                session = AnalyticsSession()
                session.add(Visitor(visits=6))
                session.flush()
                return session

            def test_it(forgetful):
                pass
        """
    )
    result = project.run()

    assert (0, 1) == (result.passed, result.errors), result.text
    result.assert_says("module fixture 'forgetful' left a transaction open")


def test_a_transaction_that_a_test_leaves_open_on_the_second_database_fails_it(project: Project) -> None:
    """And the next test starts clean there."""
    two_databases(project, "sync", declared(), "harness_ignore = H").write(
        test_it="""
            from shop.main import AnalyticsSession, app
            from shop.models import Visitor

            kept = []

            @app.post("/leak")
            def leak():
                kept.append(AnalyticsSession())
                kept[0].add(Visitor(visits=6))
                kept[0].flush()

            def test_guilty(client):
                client.post("/leak")

            def test_next(client):
                assert client.get("/users").json() == [[], []]
        """
    )
    result = project.run()

    result.assert_says("a transaction was still open at the end of the test", "test_guilty")
    assert "test_next" not in result.text.partition("short test summary")[2], result.text


def test_examples_of_a_property_are_put_back_on_each_database(project: Project) -> None:
    """Each starts from the same rows."""
    two_databases(project).write(
        test_it="""
            from hypothesis import given, settings, strategies as st
            from shop.models import User, Visitor

            @settings(max_examples=5, database=None)
            @given(st.integers(0, 9))
            def test_it(client, db_session, harness, visits):
                assert client.get("/users").json() == [[], []]
                db_session.add(Visitor(visits=visits))
                db_session.commit()
                harness.session("analytics").add(Visitor(visits=visits))
                harness.session("analytics").commit()
                assert client.get("/users").json() == [[], [visits, visits]]
        """
    )
    project.run().assert_passed(1)


def test_factories_and_strategies_store_in_the_database_of_the_model(project: Project) -> None:
    """Without being told which that is."""
    two_databases(project).write(
        test_it="""
            import factory
            import harness as package
            from harness.strategies import rows
            from hypothesis import given, settings
            from sqlalchemy import inspect
            from shop.models import User, Visitor

            class VisitorFactory(factory.alchemy.SQLAlchemyModelFactory):
                class Meta:
                    model = Visitor
                visits = 4

            def test_factories(client, harness):
                VisitorFactory()
                package.factory(User)(name="ann")
                assert client.get("/users").json() == [["ann"], [4]]
                assert harness.session("analytics").get(Visitor, 1).visits == 4

            @settings(max_examples=3, database=None)
            @given(visitor=rows(Visitor))
            def test_rows(client, visitor):
                assert client.get("/users").json() == [[], [visitor.visits]]
        """
    )
    project.run().assert_passed(2)


def test_a_failed_tests_databases_are_all_kept(project: Project) -> None:
    """Those that it has used, under their names."""
    two_databases(project).write(
        test_it="""
            def test_it(client):
                client.post("/users/ann")
                assert False
        """
    )
    result = project.run("--harness-keep-failed")

    kept = sorted(path.name for path in (project.path / "harness-kept").iterdir())
    assert 2 == len(kept), result.text
    assert 1 == sum("-analytics" in name for name in kept), kept
    result.assert_says(*kept)


def test_an_engine_that_is_not_declared_is_refused_with_the_line_to_add(project: Project) -> None:
    """When it is first used, without its password."""
    two_databases(project).write(
        test_it="""
            import pytest
            from sqlalchemy import create_engine

            def test_it(client):
                assert client.get("/users").json() == [[], []]
                engine = create_engine("postgresql+psycopg://ann:hush@production.invalid/reporting")
                with engine.connect():
                    pass
        """
    )
    result = project.run()

    assert (0, 1) == (result.passed, result.failed), result.text
    result.assert_says(
        "an engine of postgresql+psycopg://ann:***@production.invalid/reporting was used",
        "none of the declared databases",
        "test_it.py:7",
        "harness_databases (pytest.ini) declares default, analytics",
        "other: url=*/reporting",
    )
    assert [] == [line for line in result.text.splitlines() if line.startswith("E ") and "hush" in line]


def test_the_line_that_the_hint_says_helps(project: Project) -> None:
    """Word for word."""
    line = "    other: url=*/reporting schema=none"
    two_databases(project, "sync", "harness_databases =", f"    analytics: {ANALYTICS}", line).write(
        test_it="""
            from sqlalchemy import create_engine, text

            def test_it(client):
                engine = create_engine("postgresql+psycopg://ann:hush@production.invalid/reporting")
                with engine.connect() as connection:
                    assert connection.scalar(text("SELECT 1")) == 1
        """
    )
    project.run().assert_passed(1)


def test_a_database_that_is_not_declared_has_no_session(project: Project) -> None:
    """And the error says which there are."""
    two_databases(project).write(test_it="def test_it(harness):\n    harness.session('reporting')\n")
    result = project.run()

    result.assert_says("there is no database 'reporting'", "use one of default, analytics")


def test_two_tables_of_one_name_in_one_database_are_told(project: Project) -> None:
    """As one of them is not made, whoever uses it meets an error that does not say why."""
    two_databases(project, "sync", "harness_ignore = H").write(test_it="def test_it(db_session): pass")
    result = project.run()

    result.assert_passed(1)
    result.assert_says("2 MetaData objects declare a table 'users', which is made once", "harness_databases")


def test_the_header_names_each_database(project: Project) -> None:
    """And where it comes from."""
    two_databases(project, "sync", declared("sqlite:///analytics_test.db")).write(test_it="def test_it(): pass")
    result = project.run()

    assert "database in memory (default), database analytics file" in result.header, result.text


def test_workers_have_databases_of_their_own(project: Project) -> None:
    """Each has all of them."""
    two_databases(project).write(test_it=_LAWS["sync"])

    result = project.run_apart("-p", "xdist", "-n", "2")
    assert (4, 0) == (result.passed, result.failed), result.text


def test_ids_and_times_are_chosen_for_all_databases(project: Project) -> None:
    """Ids in the range of their table, and a time that goes on between two transactions."""
    two_databases(project, "sync", declared(), "harness_ids = distinct", "harness_now = advancing").write(
        test_it="""
            import time
            import pytest
            from shop.models import User, Visitor
            from sqlalchemy import func, select

            @pytest.mark.parametrize("again", [1, 2])
            def test_it(client, harness, db_session, again):
                client.post("/users/ann")
                user, visitor = db_session.scalar(select(User.id)), db_session.scalar(select(Visitor.id))
                assert user > 1 and visitor > 1
                for name in ("default", "analytics"):
                    session, times = harness.session(name), set()
                    for _ in range(2):
                        times.add(session.scalar(select(func.strftime("%f", "now"))))
                        session.commit()
                        time.sleep(0.002)  # SQLite counts milliseconds
                    assert len(times) == 2
        """
    )
    project.run().assert_passed(2)
