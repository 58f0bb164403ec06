"""Synchronous and asynchronous tests and applications, in every pairing, on one transaction."""

from __future__ import annotations

import pytest

from tests.support.projects import Project

_SYNC_TEST = """
    import pytest
    from sqlalchemy import select
    from shop.models import User

    @pytest.mark.parametrize("again", [False, True])
    def test_shop(client, db_session, again):
        db_session.add(User(name="zoe"))
        db_session.commit()
        assert client.post("/users/ann").status_code == 201
        assert client.post("/users/ann").status_code == 409
        client.post("/forgetful/bob")
        client.post("/later/eve")
        assert client.get("/users").json() == ["ann", "eve", "zoe"]
        assert sorted(db_session.scalars(select(User.name))) == ["ann", "eve", "zoe"]
"""
_ASYNC_TEST = """
    import pytest
    from sqlalchemy import select
    from shop.models import User

    pytestmark = pytest.mark.{mark}

    @pytest.mark.parametrize("again", [False, True])
    async def test_shop(async_client, async_db_session, again):
        async_db_session.add(User(name="zoe"))
        await async_db_session.commit()
        assert (await async_client.post("/users/ann")).status_code == 201
        assert (await async_client.post("/users/ann")).status_code == 409
        await async_client.post("/forgetful/bob")
        await async_client.post("/later/eve")
        assert (await async_client.get("/users")).json() == ["ann", "eve", "zoe"]
        assert sorted(await async_db_session.scalars(select(User.name))) == ["ann", "eve", "zoe"]
"""

both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
def test_a_synchronous_test(project: Project, kind: str) -> None:
    """`client` and `db_session` share one transaction with the app, of either kind, and it is undone."""
    project.app(kind).ini("harness_app = shop.main:app").write(test_it=_SYNC_TEST)
    project.run_apart().assert_passed(2)


@both
def test_an_asynchronous_test(project: Project, kind: str) -> None:
    """`async_client` and `async_db_session` do as well."""
    project.app(kind).ini("harness_app = shop.main:app").write(test_it=_ASYNC_TEST.format(mark="asyncio"))
    project.run_apart().assert_passed(2)


@both
def test_an_asynchronous_test_under_anyio(project: Project, kind: str) -> None:
    """The same under anyio's plugin, on its asyncio backend."""
    project.app(kind).ini("harness_app = shop.main:app").write(
        conftest="import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
        test_it=_ASYNC_TEST.format(mark="anyio"),
    )
    project.run_apart().assert_passed(2)


@both
def test_one_test_may_use_both_kinds_of_session(project: Project, kind: str) -> None:
    """A synchronous and an asynchronous session see each other's commits."""
    project.app(kind).ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            from sqlalchemy import select
            from shop.models import User

            async def test_shop(db_session, async_db_session, async_client):
                db_session.add(User(name="ann"))
                db_session.commit()
                async_db_session.add(User(name="bob"))
                await async_db_session.commit()
                await async_client.post("/users/eve")
                names = ["ann", "bob", "eve"]
                assert sorted(db_session.scalars(select(User.name))) == names
                assert sorted(await async_db_session.scalars(select(User.name))) == names
        """
    )
    project.run_apart().assert_passed(1)


@both
def test_sync_and_async_tests_may_alternate(project: Project, kind: str) -> None:
    """In one file, without a row or a loop passing from one to the next."""
    project.app(kind).ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            def test_one(client):
                client.post("/users/ann")
                assert client.get("/users").json() == ["ann"]

            async def test_two(async_client):
                assert (await async_client.get("/users")).json() == []
                await async_client.post("/users/ann")

            def test_three(client):
                assert client.get("/users").json() == []
                client.post("/users/ann")

            async def test_four(async_client):
                assert (await async_client.get("/users")).json() == []
        """
    )
    project.run_apart().assert_passed(4)


def test_a_synchronous_client_in_an_asynchronous_test_works_or_is_refused_with_the_remedy(project: Project) -> None:
    """It never hangs: either it answers, or it names `async_client`."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            async def test_shop(client):
                assert client.post("/users/ann").status_code == 201
        """
    )
    result = project.run_apart()
    if not result.passed:
        result.assert_says("async_client")


@both
def test_eight_gathered_requests_succeed_and_roll_back(project: Project, kind: str) -> None:
    """Requests of one test that overlap take turns on the one connection."""
    project.app(kind).ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            import asyncio
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            async def test_gather(async_client, again):
                found = await asyncio.gather(*(async_client.post(f"/users/u{number}") for number in range(8)))
                assert [response.status_code for response in found] == [201] * 8
                twice = await asyncio.gather(*(async_client.post(f"/users/u{number}") for number in range(8)))
                assert [response.status_code for response in twice] == [409] * 8
                assert len((await async_client.get("/users")).json()) == 8
        """
    )
    project.run_apart().assert_passed(2)


@both
def test_twelve_threaded_requests_succeed_and_roll_back(project: Project, kind: str) -> None:
    """Threads that share the client, and threads that have clients of their own."""
    project.app(kind).ini("harness_app = shop.main:app").write(
        test_it="""
            from concurrent.futures import ThreadPoolExecutor
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import app

            @pytest.mark.parametrize("again", [False, True])
            @pytest.mark.parametrize("own", [False, True])
            def test_threads(client, own, again):
                def post(number):
                    sender = TestClient(app) if own else client
                    return sender.post(f"/users/u{number}").status_code

                with ThreadPoolExecutor(12) as pool:
                    assert list(pool.map(post, range(12))) == [201] * 12
                assert len(client.get("/users").json()) == 12
        """
    )
    project.run_apart().assert_passed(4)


def test_gathered_sessions_of_the_test_itself_take_turns(project: Project) -> None:
    """Tasks that the test starts, each with a session of the app's own factory, all succeed."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        test_it="""
            import asyncio
            from sqlalchemy import func, select
            from shop.main import SessionLocal
            from shop.models import User

            async def add(number):
                async with SessionLocal() as session:
                    session.add(User(name=f"u{number}"))
                    await session.flush()
                    await asyncio.sleep(0.01)
                    await session.commit()

            async def test_tasks(harness):
                await asyncio.gather(*(add(number) for number in range(8)))
                async with SessionLocal() as session:
                    assert await session.scalar(select(func.count(User.id))) == 8

            async def test_next(harness):
                async with SessionLocal() as session:
                    assert await session.scalar(select(func.count(User.id))) == 0
        """
    )
    project.run_apart().assert_passed(2)
