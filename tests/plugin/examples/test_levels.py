"""Each example of a property starts from the rows that were there before the first one."""

from __future__ import annotations

import pytest

from tests.support.projects import Project
from tests.support.properties import run_properties


def test_on_functions_and_methods(project: Project) -> None:
    """Without any fixture: the application's own sessions are isolated."""
    run_properties(
        project,
        """
        @given(name=names)
        def test_function(name):
            assert count() == 0
            store(name)

        class TestShop:
            @given(name=names)
            def test_method(self, name):
                assert count() == 0
                store(name)

        def test_nothing_is_left():
            assert count() == 0
        """,
    ).assert_passed(3)


def test_with_clients_and_sessions(project: Project) -> None:
    """Harness's fixtures show the rows of one example only, and the ids start anew."""
    run_properties(
        project,
        """
        @given(name=names)
        def test_it(client, db_session, name):
            assert client.get("/users").json() == []
            assert client.post(f"/users/{name}").status_code == 201
            assert db_session.get(User, 1).name == name
            db_session.add(User(name="eve"))
            db_session.flush()
        """,
    ).assert_passed(1)


@pytest.mark.parametrize("mark", ["asyncio", "asyncio(loop_scope='module')", "anyio"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_async_tests(project: Project, kind: str, mark: str) -> None:
    """Under pytest-asyncio and anyio, with a session that is left open, too."""
    run_properties(
        project,
        f"""
        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio"

        @pytest.mark.{mark}
        @given(name=names)
        async def test_it(async_client, async_db_session, name):
            assert (await async_client.get("/users")).json() == []
            assert (await async_client.post(f"/users/{{name}}")).status_code == 201
            assert (await async_client.get("/born")).json() == "in lifespan"
            assert (await async_db_session.get(User, 1)).name == name
            async_db_session.add(User(name="eve"))
            await async_db_session.flush()
        """,
        kind=kind,
    ).assert_passed(1)


def test_async_tests_in_auto_mode(project: Project) -> None:
    """With no mark at all, and the application's own sessions."""
    run_properties(
        project,
        """
        @given(name=names)
        async def test_it(name):
            assert await count() == 0
            await store(name)
        """,
        "-o",
        "asyncio_mode=auto",
        kind="async",
    ).assert_passed(1)


def test_explicit_examples(project: Project) -> None:
    """`@example` is an example like any other."""
    run_properties(
        project,
        """
        @example(name="ann")
        @example(name="ann")
        @given(name=names)
        def test_it(name):
            assert count() == 0
            store(name)
        """,
    ).assert_passed(1)


def test_what_strategies_write(project: Project) -> None:
    """Rows made while arguments are drawn belong to their example, also if it is given up before the test runs."""
    run_properties(
        project,
        """
        @given(name=names.map(store), wanted=st.booleans().filter(bool), total=st.builds(count))
        def test_it(name, wanted, total):
            assert total == count() == 1

        def test_nothing_is_left():
            assert count() == 0
        """,
    ).assert_passed(2)


def test_an_example_that_gives_up(project: Project) -> None:
    """A failed assumption leaves nothing behind."""
    run_properties(
        project,
        """
        @given(name=names)
        def test_it(name):
            assert count() == 0
            store(name)
            assume(name == "ann")
        """,
    ).assert_passed(1)


def test_an_example_that_breaks_its_transaction(project: Project) -> None:
    """After an IntegrityError that nobody rolled back, the next example works."""
    run_properties(
        project,
        """
        @given(name=names)
        def test_it(db_session, name):
            store(name)
            db_session.add(User(name=name))
            with pytest.raises(IntegrityError):
                db_session.flush()
        """,
    ).assert_passed(1)


def test_shrinking_finds_the_minimal_example(project: Project) -> None:
    """Each step of it starts from the same rows, so what fails fails again."""
    result = run_properties(
        project,
        """
        @given(numbers=st.lists(st.integers(), unique=True))
        def test_it(client, numbers):
            for number in numbers:
                assert client.post(f"/users/n{number}").status_code == 201
            assert len(client.get("/users").json()) < 3
        """,
    )

    assert (0, 1) == (result.passed, result.failed), result.text
    result.assert_says("numbers = [0, 1, -1]", "assert 3 < 3")


def test_state_machines(project: Project) -> None:
    """Each run of a machine is an example, as a TestCase and when run by hand with fixtures around it."""
    run_properties(
        project,
        """
        class Machine(RuleBasedStateMachine):
            def __init__(self):
                super().__init__()
                assert count() == 0
                self.names = set()

            @rule(name=st.text("abcdef", min_size=2, max_size=9))
            def add(self, name):
                if name not in self.names:
                    store(name)
                self.names.add(name)
                assert count() == len(self.names)

        SETTINGS = settings(max_examples=5, stateful_step_count=5, deadline=None)
        Machine.TestCase.settings = SETTINGS
        TestMachine = Machine.TestCase

        def test_by_hand(client):
            run_state_machine_as_test(Machine, settings=SETTINGS)
            assert client.get("/users").json() == []
        """,
    ).assert_passed(2)


def test_a_search_in_a_test(project: Project) -> None:
    """`find` in a plain test isolates each of its tries; in a property it is a part of the example."""
    run_properties(
        project,
        """
        def test_plain():
            store("eve")
            assert find(names, lambda name: count() == 1 and store(name) == "bob") == "bob"
            assert count() == 1

        @settings(suppress_health_check=[check for check in HealthCheck if check.name == "nested_given"])
        @given(name=names)
        def test_property(name):
            assert count() == 0
            tries = []
            find(st.just("eve"), lambda other: tries.append(store(f"{other} {count()}")) is None)
            assert count() == len(tries)
        """,
    ).assert_passed(2)


def test_without_isolation_nothing_is_undone(project: Project) -> None:
    """A test that asked for real commits gets them, and hypothesis' check of its fixtures with them."""
    result = run_properties(
        project,
        """
        @pytest.mark.harness(isolation="none")
        @given(name=names)
        def test_rows_stay(name):
            total = count()
            store(f"{name} {total}")
            assert count() == total + 1

        @pytest.mark.harness(isolation="none")
        @given(name=names)
        def test_shared(client, name):
            pass
        """,
    )

    assert (1, 1) == (result.passed, result.failed), result.text
    result.assert_says("unction-scoped fixture 'client'")  # which hypothesis 6.100 words differently


def test_the_application_imported_in_the_first_example(project: Project) -> None:
    """Its engine, and SQLAlchemy itself, may come into use only then."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            from hypothesis import given, settings, strategies as st

            @settings(database=None, max_examples=5)
            @given(name=st.sampled_from(["ann", "bob"]))
            def test_it(name):
                from sqlalchemy import func, select
                from shop.main import SessionLocal
                from shop.models import User
                with SessionLocal() as session:
                    assert session.scalar(select(func.count(User.id))) == 0
                    session.add(User(name=name))
                    session.commit()
        """
    )

    project.run_apart("-p", "hypothesispytest").assert_passed(1)
