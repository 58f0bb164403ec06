"""factory-boy's factories, declared as always, without a session in their Meta."""

from __future__ import annotations

import pytest

from tests.support.factories import shop
from tests.support.projects import Project

both = pytest.mark.parametrize("kind", ["sync", "async"])


@both
def test_a_request_sees_what_a_factory_made(project: Project, kind: str) -> None:
    """SubFactory, RelatedFactoryList, create_batch and get-or-create; and the next test does not see it."""
    shop(project, kind).write(
        test_it="""
            import pytest
            from factories import BuyerFactory, OrderFactory, SameFactory, UserFactory

            @pytest.mark.parametrize("again", [False, True])
            def test_it(client, db_session, again):
                ann = BuyerFactory(name="ann")
                assert ann in db_session
                assert [order.user for order in ann.orders] == [ann, ann]
                assert OrderFactory(user__name="bob").user.name == "bob"
                assert len(OrderFactory.create_batch(2, user=ann)) == 2
                assert SameFactory(name="ann") is ann
                assert client.get("/users").json() == ["ann", "bob"]
        """
    )
    project.run_apart().assert_passed(2)


@both
@pytest.mark.parametrize("fixtures", ["async_client, async_db_session", "async_client"])
def test_a_plain_call_in_an_asynchronous_test(project: Project, kind: str, fixtures: str) -> None:
    """Is no different; what it made is attached to the session that the test holds."""
    shop(project, kind).write(
        test_it=f"""
            import pytest
            from factories import BuyerFactory

            @pytest.mark.parametrize("again", [False, True])
            async def test_it({fixtures}, again):
                ann = BuyerFactory(name="ann")
                assert (await async_client.get("/users")).json() == ["ann"]
                if "async_db_session" in locals():
                    assert ann in async_db_session
                    await async_db_session.refresh(ann, ["orders"])
                assert len(ann.orders) == 2
        """
    )
    project.run_apart().assert_passed(2)


@both
@pytest.mark.parametrize("handle", ["harness", "import"])
def test_an_awaited_call(project: Project, kind: str, handle: str) -> None:
    """Stores through the test's AsyncSession; the same by the fixture's method and the module's function."""
    shop(project, kind).write(
        test_it=f"""
            {"import harness" if handle == "import" else ""}
            from factories import BuyerFactory, OrderFactory

            async def test_it(async_client, async_db_session{", harness" if handle == "harness" else ""}):
                ann = await harness.create(BuyerFactory, name="ann")
                assert ann in async_db_session
                orders = await harness.create_batch(OrderFactory, 3, user=ann)
                assert [order.user for order in orders] == [ann] * 3
                assert (await async_client.get("/users")).json() == ["ann"]
        """
    )
    project.run_apart().assert_passed(1)


def test_an_awaited_call_under_anyio_and_without_a_session_fixture(project: Project) -> None:
    """The session is made when it is needed."""
    shop(project, "async").write(
        conftest="import pytest\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n",
        test_it="""
            import pytest
            from factories import OrderFactory, UserFactory

            @pytest.mark.anyio
            async def test_it(async_client, harness):
                ann = await harness.create(UserFactory, name="ann")
                assert (await harness.create(OrderFactory, user=ann)).user is ann
                assert OrderFactory(user=ann).user is ann
                assert (await async_client.get("/users")).json() == ["ann"]
        """,
    )
    project.ini("harness_app = shop.main:app").run_apart().assert_passed(1)


@pytest.mark.parametrize("persistence", [None, "flush", "commit"])
def test_every_persistence_is_visible_and_undone(project: Project, persistence: str | None) -> None:
    """None flushes here: a request has a session of its own, so an object that is only added would not be seen."""
    shop(project).write(
        test_it=f"""
            import pytest
            from factories import UserFactory

            class Persistent(UserFactory):
                class Meta:
                    sqlalchemy_session_persistence = {persistence!r}

            @pytest.mark.parametrize("again", [False, True])
            def test_it(client, again):
                Persistent(name="ann")
                assert client.get("/users").json() == ["ann"]
        """
    )
    project.run().assert_passed(2)


def test_what_completes_an_object_comes_before_it_is_sent(project: Project) -> None:
    """A post-generation hook may set what must not be NULL, as it may with factory-boy alone."""
    shop(project).write(
        test_it="""
            import factory
            from factories import UserFactory

            class Hashed(UserFactory):
                password = None

                @factory.post_generation
                def hash(user, create, extracted, **more):
                    user.password = f"hash of {extracted}"

            def test_it(client, db_session):
                user = Hashed(name="ann", hash="x")
                db_session.refresh(user)
                assert user.password == "hash of x"
        """
    )
    project.run().assert_passed(1)


def test_a_factory_may_be_imported_early_and_declared_late(project: Project) -> None:
    """In a conftest before harness knows the application, or in the middle of a test."""
    shop(project).write(
        conftest="from factories import UserFactory\n",
        test_it="""
            from conftest import UserFactory

            def test_it(client):
                UserFactory()

                class Late(UserFactory):
                    name = "late"

                assert vars(Late._meta)["sqlalchemy_session"] is None
                Late()
                assert "late" in client.get("/users").json()
        """,
    )
    project.run().assert_passed(1)


def test_each_worker_of_xdist_has_its_own(project: Project) -> None:
    """Nothing is shared but the source."""
    shop(project).write(
        test_it="""
            import pytest
            from factories import UserFactory

            @pytest.mark.parametrize("number", range(4))
            def test_it(client, number):
                UserFactory(name="ann")
                assert client.get("/users").json() == ["ann"]
        """
    )
    text = project.pytester.runpytest_subprocess("-p", "harness", "-n", "2", "-p", "no:randomly", timeout=180)
    text.assert_outcomes(passed=4)


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_what_a_wider_fixture_makes_is_seed_data(project: Project, scope: str) -> None:
    """Its tests see the rows and hold the objects; what one test changes or makes does not reach the next."""
    shop(project).write(
        test_it=f"""
            import pytest
            from factories import OrderFactory, UserFactory

            @pytest.fixture(scope="{scope}")
            def ann():
                return UserFactory(name="ann")

            class TestOrders:
                @pytest.mark.parametrize("again", [False, True])
                def test_it(self, ann, client, db_session, again):
                    assert (list(db_session), ann.name) == ([ann], "ann")
                    assert OrderFactory(user=ann) in ann.orders
                    UserFactory(name="bob")
                    assert client.get("/users").json() == ["ann", "bob"]
                    ann.name = "anna"
                    db_session.commit()
                    assert client.get("/users").json() == ["anna", "bob"]

                @pytest.mark.parametrize("again", [False, True])
                def test_without_a_session(self, ann, client, again):
                    assert OrderFactory(user=ann).user_id == ann.id
                    assert (ann.name, len(ann.orders)) == ("ann", 1)
                    ann.name = "anna"
        """
    )
    project.run().assert_passed(4)


@pytest.mark.parametrize("make", ["UserFactory", "await harness.create"])
def test_an_asynchronous_wider_fixture_makes_seed_data(project: Project, make: str) -> None:
    """Through the session of its scope; the objects are in the test's AsyncSession."""
    call = 'UserFactory(name="ann")' if make == "UserFactory" else 'await library.create(UserFactory, name="ann")'
    shop(project, "async").write(
        test_it=f"""
            import pytest, pytest_asyncio
            import harness as library
            from factories import OrderFactory, UserFactory

            @pytest_asyncio.fixture(scope="module", loop_scope="module")
            async def ann():
                return {call}

            @pytest.mark.parametrize("again", [False, True])
            @pytest.mark.asyncio(loop_scope="module")
            async def test_it(ann, async_client, async_db_session, again):
                assert (list(async_db_session), ann.name) == ([ann], "ann")
                order = await library.create(OrderFactory, user=ann)
                assert order.user_id == ann.id
                assert OrderFactory(user=ann).user_id == ann.id
                ann.name = "anna"
                await async_db_session.commit()
                assert (await async_client.get("/users")).json() == ["anna"]
        """
    )
    project.run_apart().assert_passed(2)


def test_a_users_own_db_session_is_the_factories_too(project: Project) -> None:
    """A fixture of that name wins, as everywhere; also if it gives an AsyncSession."""
    shop(project, "async").write(
        conftest="""
            import pytest_asyncio
            from shop.main import SessionLocal

            @pytest_asyncio.fixture
            async def db_session():
                async with SessionLocal() as session:
                    yield session
        """,
        test_it="""
            from factories import UserFactory

            async def test_it(db_session, async_client):
                assert UserFactory(name="ann") in db_session
                assert (await async_client.get("/users")).json() == ["ann"]
        """,
    )
    project.run_apart().assert_passed(1)


def test_without_harness_a_factory_is_factory_boys_alone(project: Project) -> None:
    """Nothing is replaced in a run that is not harness's."""
    shop(project).write(
        test_it="""
            import pytest
            from factories import UserFactory

            def test_it():
                with pytest.raises(RuntimeError, match="No session provided"):
                    UserFactory()
        """
    )
    project.run_apart("-p", "no:harness", plugin=False).assert_passed(1)
