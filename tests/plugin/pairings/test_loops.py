"""Which plugin runs the loop, and how long it lives, makes no difference."""

from __future__ import annotations

import pytest

from tests.support.projects import Project

SCOPES = ("function", "class", "module", "session")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_loop_scopes_by_mark(project: Project, kind: str, scope: str) -> None:
    """With pytest-asyncio in strict mode, tests on a loop of any scope are isolated."""
    project.app(kind).ini("harness_app = shop.main:app").write(
        test_it=f"""
            import pytest
            from sqlalchemy import func, select
            from shop.models import User

            @pytest.mark.asyncio(loop_scope="{scope}")
            class TestShop:
                @pytest.mark.parametrize("again", [False, True])
                async def test_add(self, async_client, async_db_session, again):
                    assert (await async_client.post("/users/ann")).status_code == 201
                    assert await async_db_session.scalar(select(func.count(User.id))) == 1
        """
    )
    project.run_apart().assert_passed(2)


@pytest.mark.parametrize("scope", SCOPES)
def test_loop_scopes_by_option_in_auto_mode(project: Project, scope: str) -> None:
    """The same where the configuration decides, with user fixtures of the same loop."""
    project.app("async").ini(
        "harness_app = shop.main:app",
        "asyncio_mode = auto",
        f"asyncio_default_test_loop_scope = {scope}",
        f"asyncio_default_fixture_loop_scope = {scope}",
        base="[pytest]\npythonpath = .",
    ).write(
        test_it="""
            import pytest
            import pytest_asyncio

            @pytest_asyncio.fixture
            async def ann(async_client):
                assert (await async_client.post("/users/ann")).status_code == 201
                return "ann"

            class TestShop:
                @pytest.mark.parametrize("again", [False, True])
                async def test_add(self, ann, async_client, again):
                    assert (await async_client.get("/users")).json() == ["ann"]

            async def test_next(async_client):
                assert (await async_client.get("/users")).json() == []
        """
    )
    project.run_apart().assert_passed(3)


@pytest.mark.parametrize("scope", ["module", "session"])
def test_an_async_fixture_of_a_wider_scope_seeds_for_its_scope(project: Project, scope: str) -> None:
    """What it commits is there for every test of the scope; what tests add is not."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it=f"""
            import pytest
            import pytest_asyncio
            from shop.main import SessionLocal
            from shop.models import User

            @pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
            async def seeded():
                async with SessionLocal() as session:
                    session.add(User(name="seed"))
                    await session.commit()

            @pytest.mark.asyncio(loop_scope="{scope}")
            @pytest.mark.parametrize("name", ["ann", "bob"])
            async def test_add(seeded, async_client, name):
                assert (await async_client.get("/users")).json() == ["seed"]
                await async_client.post(f"/users/{{name}}")
                assert (await async_client.get("/users")).json() == [name, "seed"]
        """
    )
    project.run_apart().assert_passed(2)


def test_no_ini_edit_is_needed(project: Project) -> None:
    """A project without any option of pytest-asyncio, with the mark alone, works."""
    project.app("async").ini("harness_app = shop.main:app", base="[pytest]\npythonpath = .").write(
        test_it="""
            import pytest

            @pytest.mark.asyncio
            async def test_add(async_client):
                assert (await async_client.post("/users/ann")).status_code == 201
        """
    )
    project.run_apart().assert_passed(1)


def test_anyio_with_its_default_backends_says_what_to_do_about_trio(project: Project) -> None:
    """anyio runs each test on every backend: the one on asyncio passes, and the one on trio is told why it cannot."""
    project.app("async").ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest

            @pytest.mark.anyio
            @pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
            async def test_add(async_client, anyio_backend):
                assert (await async_client.post("/users/ann")).status_code == 201
        """
    )
    result = project.run_apart()

    assert (result.passed, result.failed) == (1, 1), result.text
    result.assert_says("trio", "anyio_backend")


def test_anyio_module_scoped_backend_and_async_fixtures(project: Project) -> None:
    """anyio runs fixtures and tests of a module on one loop when its backend fixture has that scope."""
    project.app("async").ini("harness_app = shop.main:app").write(
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import User

            pytestmark = pytest.mark.anyio

            @pytest.fixture(scope="module")
            def anyio_backend():
                return "asyncio"

            @pytest.fixture(scope="module")
            async def seeded(anyio_backend):
                async with SessionLocal() as session:
                    session.add(User(name="seed"))
                    await session.commit()
                yield "seed"

            @pytest.mark.parametrize("name", ["ann", "bob"])
            async def test_add(seeded, async_client, name):
                assert (await async_client.get("/users")).json() == ["seed"]
                await async_client.post(f"/users/{name}")
        """
    )
    project.run_apart("-p", "no:asyncio", "-W", "ignore::pytest.PytestConfigWarning").assert_passed(2)


def test_a_test_that_runs_a_loop_of_its_own(project: Project) -> None:
    """`asyncio.run` in a synchronous test is isolated too."""
    project.app("async").ini("harness_app = shop.main:app").write(
        test_it="""
            import asyncio
            import pytest
            from sqlalchemy import func, select
            from shop.main import SessionLocal
            from shop.models import User

            async def work():
                async with SessionLocal() as session:
                    session.add(User(name="ann"))
                    await session.commit()
                    return await session.scalar(select(func.count(User.id)))

            @pytest.mark.parametrize("again", [False, True])
            def test_work(harness, again):
                assert asyncio.run(work()) == 1
        """
    )
    project.run_apart().assert_passed(2)
