"""Fixtures come and go in pytest's order, whatever it is: a test sees what its fixtures have made, and nothing else."""

from __future__ import annotations

import pytest

from tests.plugin.seeds.conftest import Shop

_SEEDS = """
    import pytest
    from sqlalchemy import select
    from shop.models import User

    made = []

    def seed(name, session):
        made.append(name)
        session.add(User(name=name))
        return name

    @pytest.fixture(scope="session")
    def of_session(session_db_session): return seed("session", session_db_session)

    @pytest.fixture(scope="module")
    def of_module(module_db_session): return seed("module", module_db_session)

    @pytest.fixture(scope="class")
    def of_class(class_db_session): return seed("class", class_db_session)

    @pytest.fixture
    def names(db_session):
        yield lambda: sorted(db_session.scalars(select(User.name)))
        db_session.rollback()
        db_session.add(User(name="left"))
        db_session.commit()
"""


def test_each_scope_has_its_session(shop: Shop) -> None:
    """Rows are seen for as long as their scope lasts, and made once in it."""
    body = """
        class TestAll:
            def test_all(self, of_class, of_module, of_package, of_session, names):
                assert names() == ["class", "module", "package", "session"]
            def test_again(self, of_class, of_module, of_package, of_session, names):
                assert names() == ["class", "module", "package", "session"]

        def test_after_the_class(names):
            assert names() == ["module", "package", "session"]
    """
    after = """
        def test_after_the_modules(names):
            assert names() == ["{}"]
    """
    package = """
        import pytest
        from conftest import seed

        @pytest.fixture(scope="package")
        def of_package(package_db_session): return seed("package", package_db_session)
    """
    shop.write(conftest=_SEEDS, inner__conftest=package, inner__test_a=body, test_z=after.format("session"))
    (shop.project.path / "inner/__init__.py").touch()
    shop.write(
        test_zz="""
            import conftest
            def test_made_once():
                assert conftest.made == ["session", "package", "module", "class"]
        """
    )
    shop.run().assert_passed(5)


def test_a_wider_fixture_that_comes_after_a_narrower_one(shop: Shop) -> None:
    """Its rows outlive the narrower scope all the same, as it is made anew."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            def test_module_first(of_module, names):
                assert names() == ["module"]

            def test_session_second(of_session, of_module, names):
                assert names() == ["module", "session"]

            class TestIt:
                def test_class(self, of_class, names):
                    assert names() == ["class", "module", "session"]
        """,
        test_b="""
            def test_session(of_session, names):
                assert names() == ["session"]

            def test_module(of_module, of_session, names):
                assert names() == ["module", "session"]
        """,
    )
    shop.run().assert_passed(5)


def test_a_fixture_asked_for_in_the_middle_of_a_test(shop: Shop) -> None:
    """After the test has written, too: the next test that asks for it has it again, without the first one's rows."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from shop.models import User

            @pytest.mark.parametrize("n", [1, 2])
            def test_middle(request, db_session, names, n):
                db_session.add(User(name="own"))
                db_session.commit()
                request.getfixturevalue("of_module")
                db_session.add(User(name="later"))
                db_session.commit()
                assert names() == ["later", "module", "own"]

            def test_next(of_module, names):
                assert names() == ["module"]

            def test_not_asked_for_again(names):
                assert names() == ["module"]
        """,
    )
    shop.run().assert_passed(4)


def test_a_fixture_asked_for_in_the_middle_of_another(shop: Shop) -> None:
    """What the outer one makes before and after belongs to it, and ends with it."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from shop.models import User

            @pytest.fixture(scope="module")
            def outer(module_db_session, request):
                module_db_session.add(User(name="before"))
                request.getfixturevalue("of_session")
                module_db_session.add(User(name="after"))

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(outer, names, n):
                assert names() == ["after", "before", "session"]
        """,
        test_b="""
            def test_other_module(of_session, names):
                assert names() == ["session"]
        """,
    )
    shop.run().assert_passed(3)


@pytest.mark.parametrize("other", ["", "of_module, "])
def test_a_parameter_ends_before_its_scope(shop: Shop, other: str) -> None:
    """Rows of one parameter are gone when the next is set up, also if other fixtures were made on top of them."""
    shop.write(
        conftest=_SEEDS,
        test_a=f"""
            import pytest
            from conftest import seed

            @pytest.fixture(scope="module", params=["ann", "bob"])
            def person(module_db_session, request):
                return seed(request.param, module_db_session)

            def test_first(person, {other}names):
                assert names() == sorted([person, *{["module"] if other else []}])

            def test_second({other}person, names):
                assert names() == sorted([person, *{["module"] if other else []}])
        """,
    )
    shop.run().assert_passed(4)


def test_a_test_that_commits_for_real_in_between(shop: Shop) -> None:
    """It finds no seed of others, and they find theirs again."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from shop.models import User

            def test_before(of_module, names):
                assert names() == ["module"]

            @pytest.mark.harness(isolation="none")
            def test_real(db_session, names):
                assert names() == []
                db_session.add(User(name="real"))
                db_session.commit()

            @pytest.mark.harness(isolation="none")
            def test_real_again(db_session, names):
                assert names() == ["left", "real"]
                for user in db_session.query(User): db_session.delete(user)
                db_session.commit()

            def test_after(of_module, names, db_session):
                for user in db_session.query(User).filter_by(name="left"): db_session.delete(user)
                db_session.commit()
                assert names() == ["module"]
        """,
    )
    shop.run("--harness-fail-on=never").assert_passed(4)


def test_fixtures_that_skip_or_fail(shop: Shop) -> None:
    """What they have made before is gone, and other fixtures of the scope keep theirs."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from conftest import seed

            @pytest.fixture(scope="module", params=["skip", "fail"])
            def broken(request, module_db_session):
                seed(request.param, module_db_session)
                module_db_session.commit()
                getattr(pytest, request.param)("for a reason")

            def test_broken(of_module, broken): pass

            def test_after(of_module, names):
                assert names() == ["module"]
        """,
    )
    result = shop.run()
    assert (result.passed, result.failed, result.errors) == (1, 0, 1), result.text


def test_autouse_and_xunit_and_the_apps_own_client(shop: Shop) -> None:
    """A fixture nobody names, setup_module, and a client of the user's own all make rows that tests share."""
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from fastapi.testclient import TestClient
            from conftest import seed
            from shop.main import SessionLocal, app
            from shop.models import User

            def setup_module(module):
                with SessionLocal.begin() as session:
                    session.add(User(name="xunit"))

            @pytest.fixture(scope="module", autouse=True)
            def everywhere(module_db_session):
                seed("autouse", module_db_session)

            @pytest.fixture(scope="module")
            def registered():
                with TestClient(app) as client:
                    assert client.post("/users/ann").status_code == 201
                    yield client

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(registered, names, n):
                assert names() == ["ann", "autouse", "xunit"]
                assert registered.post("/users/bob").status_code == 201
        """,
        test_b="def test_other(names):\n    assert names() == []\n",
    )
    shop.run().assert_passed(3)


def test_sqlalchemy_is_first_imported_by_the_fixture(shop: Shop) -> None:
    """The level of a fixture that is being set up begins the moment there is something to isolate."""
    shop.write(
        test_a="""
            import pytest

            @pytest.fixture(scope="module")
            def seed(module_db_session):
                from shop.models import User
                module_db_session.add(User(name="seed"))

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(seed, client, n):
                assert client.get("/users").json() == ["seed"]
                client.post("/users/ann")
        """,
        test_b="def test_other(client):\n    assert client.get('/users').json() == []\n",
    )
    shop.run_apart().assert_passed(3)


def test_settings_of_connections_last(shop: Shop) -> None:
    """A setting that a listener sends when a connection is made outlives the test in which that was."""
    if shop.database == "sqlite":
        pytest.skip(reason="SQLite's settings belong to the connection and are no part of a transaction")
    shop.write(
        conftest=_SEEDS,
        test_a="""
            import pytest
            from sqlalchemy import create_engine, event, text

            engine = create_engine("postgresql://nobody@production.invalid/shop")

            @event.listens_for(engine, "connect")
            def choose(connection, record):
                with connection.cursor() as cursor:
                    cursor.execute("SET TIME ZONE 'Asia/Tokyo'")
                connection.commit()

            @pytest.mark.parametrize("n", [1, 2, 3])
            def test_it(of_module, n):
                with engine.connect() as connection:
                    assert connection.scalar(text("SHOW timezone")) == "Asia/Tokyo"
        """,
    )
    shop.run().assert_passed(3)


def test_workers_and_random_order(shop: Shop) -> None:
    """Each worker makes its own, and in whatever order modules and tests come."""
    module = """
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_module(of_module, of_session, names, n):
            assert {"module", "session"} <= set(names()) and "left" not in names()

        @pytest.mark.parametrize("n", range(3))
        def test_session(of_session, names, n):
            assert set(names()) <= {"module", "session"} and "session" in names()

        @pytest.mark.parametrize("n", range(3))
        def test_nothing(names, n):
            assert set(names()) <= {"module", "session"}
    """
    shop.write(conftest=_SEEDS, test_a=module, test_b=module)
    arguments = [f"--harness-database={shop.database}", "-p", "harness"]
    if shop.database == "sqlite":
        arguments += ["-n", "2"]
    for seed in (1, 2):
        result = shop.project.pytester.runpytest_subprocess(*arguments, f"--randomly-seed={seed}", timeout=300)
        assert result.ret == 0, result.stdout.str()
        result.assert_outcomes(passed=18)
