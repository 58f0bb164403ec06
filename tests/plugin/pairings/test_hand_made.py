"""What projects have already keeps working, and is isolated: their own clients, and their hand-made conftest."""

from __future__ import annotations

import pytest

from tests.support.projects import Project

both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
@pytest.mark.parametrize("opened", [False, True], ids=["without lifespan", "with lifespan"])
def test_a_testclient_of_the_users_own(project: Project, kind: str, opened: bool) -> None:
    """A `client` fixture of the project wins, and what its requests commit is undone."""
    body = "with TestClient(app) as made:\n        yield made" if opened else "yield TestClient(app)"
    project.app(kind).ini("harness_app = shop.main:app").write(
        conftest=f"""
import pytest
from fastapi.testclient import TestClient
from shop.main import app

@pytest.fixture
def client():
    {body}
""",
        test_it="""
            import pytest
            from fastapi.testclient import TestClient

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, again):
                assert type(client) is TestClient
                assert client.post("/users/ann").status_code == 201
                assert client.post("/users/ann").status_code == 409
                client.post("/later/eve")
                assert client.get("/users").json() == ["ann", "eve"]
        """,
    )
    project.run_apart().assert_passed(2)


@both
@pytest.mark.parametrize("plugin", ["asyncio", "anyio"])
def test_an_async_client_of_the_users_own(project: Project, kind: str, plugin: str) -> None:
    """httpx over ASGITransport, in a fixture of the project, is isolated too."""
    project.app(kind).ini("harness_app = shop.main:app").write(
        conftest=f"""
            import pytest
            import {"pytest_asyncio" if plugin == "asyncio" else "pytest as pytest_asyncio"}
            from httpx import ASGITransport, AsyncClient
            from shop.main import app

            @pytest.fixture
            def anyio_backend():
                return "asyncio"

            @pytest_asyncio.fixture
            async def ac({"anyio_backend" if plugin == "anyio" else ""}):
                async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as made:
                    yield made
        """,
        test_it=f"""
            import asyncio
            import pytest

            @pytest.mark.{plugin}
            @pytest.mark.parametrize("again", [False, True])
            async def test_add(ac, again):
                assert (await ac.post("/users/ann")).status_code == 201
                assert (await ac.post("/users/ann")).status_code == 409
                found = await asyncio.gather(*(ac.post(f"/users/u{{number}}") for number in range(8)))
                assert [response.status_code for response in found] == [201] * 8
        """,
    )
    project.run_apart().assert_passed(2)


def test_no_fixture_of_harness_at_all(project: Project) -> None:
    """A suite that knows nothing of harness is isolated by `-p harness` alone."""
    project.app().ini("harness_app = shop.main:app").write(
        test_it="""
            import unittest
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import app, SessionLocal
            from shop.models import User

            @pytest.mark.parametrize("again", [False, True])
            def test_add(again):
                client = TestClient(app)
                assert client.post("/users/ann").status_code == 201
                with SessionLocal() as session:
                    assert session.query(User).count() == 1

            class TestOld(unittest.TestCase):
                def setUp(self):
                    with SessionLocal() as session:
                        session.add(User(name="old"))
                        session.commit()

                def test_one(self):
                    assert TestClient(app).get("/users").json() == ["old"]

                def test_two(self):
                    assert TestClient(app).get("/users").json() == ["old"]
        """
    )
    project.run_apart().assert_passed(4)


def test_a_hand_made_conftest_with_an_engine_in_memory(project: Project) -> None:
    """The recipe of FastAPI's documentation: own engine, create_all, override of get_db; works, and is isolated."""
    project.app().ini("harness_app = shop.main:app").write(
        conftest="""
            import pytest
            from fastapi.testclient import TestClient
            from sqlalchemy import StaticPool, create_engine
            from sqlalchemy.orm import Session, sessionmaker
            from shop.main import app, get_db
            from shop.models import Base

            engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
            TestingSession = sessionmaker(engine)
            Base.metadata.create_all(engine)

            def override():
                with TestingSession() as session:
                    yield session

            app.dependency_overrides[get_db] = override

            @pytest.fixture
            def client():
                return TestClient(app)

            @pytest.fixture
            def session():
                with TestingSession() as session:
                    yield session
        """,
        test_it="""
            import pytest
            from shop.models import User

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, session, again):
                session.add(User(name="bob"))
                session.commit()
                assert client.post("/users/ann").status_code == 201
                assert client.get("/users").json() == ["ann", "bob"]
        """,
    )
    project.run_apart().assert_passed(2)


def test_a_hand_made_conftest_that_creates_and_drops_per_test(project: Project) -> None:
    """create_all and drop_all around every test still leave each test its tables."""
    project.app().ini("harness_app = shop.main:app").write(
        conftest="""
            import pytest
            from fastapi.testclient import TestClient
            from shop.main import app, engine
            from shop.models import Base

            @pytest.fixture(autouse=True)
            def tables():
                Base.metadata.create_all(engine)
                yield
                Base.metadata.drop_all(engine)

            @pytest.fixture
            def client():
                with TestClient(app) as made:
                    yield made
        """,
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True, 3])
            def test_add(client, again):
                assert client.post("/users/ann").status_code == 201
                assert client.get("/users").json() == ["ann"]
        """,
    )
    project.run_apart().assert_passed(3)


def test_a_hand_made_rollback_recipe(project: Project) -> None:
    """SQLAlchemy's own recipe: an outer transaction and a session in savepoints, on the app's engine."""
    project.app().ini("harness_app = shop.main:app").write(
        conftest="""
            import pytest
            from fastapi.testclient import TestClient
            from sqlalchemy.orm import Session
            from shop.main import app, engine, get_db

            @pytest.fixture
            def session():
                connection = engine.connect()
                outer = connection.begin()
                session = Session(bind=connection, join_transaction_mode="create_savepoint")
                yield session
                session.close()
                outer.rollback()
                connection.close()

            @pytest.fixture
            def client(session):
                app.dependency_overrides[get_db] = lambda: session
                yield TestClient(app)
                app.dependency_overrides.clear()
        """,
        test_it="""
            import pytest
            from shop.models import User

            @pytest.mark.parametrize("again", [False, True])
            def test_add(client, session, again):
                assert client.post("/users/ann").status_code == 201
                assert client.post("/users/ann").status_code == 409
                assert session.query(User).count() == 1
        """,
    )
    project.run_apart().assert_passed(2)


def test_a_hand_made_async_conftest(project: Project) -> None:
    """The async recipe: own engine in memory, create_all through run_sync, override of get_db."""
    project.app("async").ini("harness_app = shop.main:app", "asyncio_mode = auto").write(
        conftest="""
            import pytest_asyncio
            from httpx import ASGITransport, AsyncClient
            from sqlalchemy import StaticPool
            from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
            from shop.main import app, get_db
            from shop.models import Base

            engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
            TestingSession = async_sessionmaker(engine, expire_on_commit=False)

            @pytest_asyncio.fixture
            async def session():
                async with engine.begin() as connection:
                    await connection.run_sync(Base.metadata.create_all)
                async with TestingSession() as session:
                    yield session
                async with engine.begin() as connection:
                    await connection.run_sync(Base.metadata.drop_all)

            @pytest_asyncio.fixture
            async def ac(session):
                app.dependency_overrides[get_db] = lambda: session
                async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as made:
                    yield made
                app.dependency_overrides.clear()
        """,
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            async def test_add(ac, again):
                assert (await ac.post("/users/ann")).status_code == 201
                assert (await ac.get("/users")).json() == ["ann"]
        """,
    )
    project.run_apart().assert_passed(2)
