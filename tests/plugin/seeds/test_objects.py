"""Objects that a wider fixture returns: ordinary objects of the test's own session, and the same again for the next.

Each inner test is one law, and runs twice: what its first run does to the seeds, the second must not see.
"""

from __future__ import annotations

from tests.plugin.seeds.conftest import Shop

_SEEDS = """
    import pytest
    from shop.models import Item, User

    @pytest.fixture(scope="session")
    def tenant(session_db_session):
        user = User(name="tenant")
        session_db_session.add(user)
        return user

    @pytest.fixture(scope="module")
    def catalogue(module_db_session, tenant):
        items = [Item(name=name, owner=tenant, tags={"a": 1}, notes=[1]) for name in ("pen", "ink", "pad")]
        module_db_session.add_all(items)
        return items
"""
_AS_MADE = """
    @pytest.fixture(autouse=True)
    def as_they_were_made(catalogue, tenant):
        def check():
            assert [item.name for item in catalogue] == ["pen", "ink", "pad"]
            assert [item.tags for item in catalogue] == [{"a": 1}] * 3
            assert [item.notes for item in catalogue] == [[1]] * 3
            assert [item.id for item in catalogue] == [1, 2, 3]
            assert tenant.name == "tenant"
            assert tenant.made is not None
        check()
        return check
"""

_SYNC = """
    import pytest
    from sqlalchemy import select, text
    from sqlalchemy.exc import IntegrityError
    from shop.main import SessionLocal
    from shop.models import Item, User

    @pytest.fixture(params=[1, 2], autouse=True)
    def twice(request):
        pass

    def test_a_change_that_is_committed(catalogue, db_session):
        catalogue[0].name = "changed"
        db_session.commit()
        assert db_session.execute(text("SELECT name FROM items WHERE id = 1")).scalar() == "changed"

    def test_a_change_that_autoflush_sends(catalogue, db_session):
        catalogue[1].name = "changed"
        assert db_session.scalars(select(Item).where(Item.name == "changed")).one() is catalogue[1]

    def test_a_change_that_nobody_sends(catalogue, client):
        catalogue[1].name = "changed"
        assert client.get("/users").json() == ["tenant"]

    def test_a_change_inside_of_a_value(catalogue, db_session):
        catalogue[0].tags["a"] = 2
        catalogue[0].notes.append(2)
        db_session.commit()
        assert db_session.scalars(select(Item.tags).where(Item.id == 1)).one() == {"a": 2}

    def test_a_new_row_that_refers_to_a_seed(tenant, db_session):
        new = Item(name="new", owner=tenant)
        db_session.add(new)
        db_session.commit()
        assert new.id == 4
        assert len(tenant.items) == 4

    def test_a_lazy_load(catalogue, tenant, db_session):
        assert tenant.items == catalogue

    def test_add_and_merge(catalogue, db_session):
        db_session.add(catalogue[0])
        assert db_session.merge(catalogue[0]) is catalogue[0]

    def test_a_deletion(catalogue, db_session):
        db_session.delete(catalogue[2])
        db_session.commit()
        assert db_session.scalars(select(Item).order_by(Item.id)).all() == catalogue[:2]

    def test_a_rollback_after_an_error(tenant, db_session):
        db_session.add(User(name="tenant"))
        with pytest.raises(IntegrityError):
            db_session.flush()
        db_session.rollback()
        assert tenant.name == "tenant"

    def test_what_others_change_shows_after_a_refresh(tenant, db_session):
        with SessionLocal.begin() as other:
            other.get(User, tenant.id).name = "renamed"
        db_session.refresh(tenant)
        assert tenant.name == "renamed"

    def test_a_transaction_of_the_tests_own(tenant, db_session):
        with db_session.begin():
            db_session.add(Item(name="new", owner=tenant))

    def test_the_session_that_made_them(catalogue, module_db_session):
        module_db_session.refresh(catalogue[0])
        catalogue[0].name = "changed"
        module_db_session.add(User(name="ann"))
        module_db_session.commit()
        module_db_session.close()

    def test_left_dirty_in_the_session_that_made_them(catalogue, module_db_session):
        catalogue[0].name = "changed"
        module_db_session.add(User(name="ann"))

    def test_a_session_of_the_apps_own(catalogue):
        with SessionLocal() as session:
            session.add(catalogue[0])
            assert catalogue[0].owner.name == "tenant"
            catalogue[0].name = "changed"
            session.commit()

    def test_ids_go_on_after_the_seeds(db_session, tenant):
        user = User(name="ann")
        db_session.add(user)
        db_session.commit()
        assert user.id == tenant.id + 1
"""

_ASYNC = """
    import pytest
    from sqlalchemy import select, text
    from sqlalchemy.exc import IntegrityError
    from shop.main import SessionLocal
    from shop.models import Item, User

    pytestmark = pytest.mark.asyncio

    @pytest.fixture(params=[1, 2], autouse=True)
    def twice(request):
        pass

    async def test_a_change_that_is_committed(catalogue, async_db_session):
        catalogue[0].name = "changed"
        await async_db_session.commit()
        assert (await async_db_session.execute(text("SELECT name FROM items WHERE id = 1"))).scalar() == "changed"

    async def test_a_change_that_nobody_sends(catalogue, async_client):
        catalogue[1].name = "changed"
        catalogue[1].notes.append(2)
        assert (await async_client.get("/users")).json() == ["tenant"]

    async def test_a_new_row_that_refers_to_a_seed(tenant, async_db_session):
        new = Item(name="new", owner=tenant)
        async_db_session.add(new)
        await async_db_session.commit()
        assert new.id == 4

    async def test_a_deletion(catalogue, async_db_session):
        await async_db_session.delete(catalogue[2])
        await async_db_session.commit()
        assert (await async_db_session.scalars(select(Item).order_by(Item.id))).all() == catalogue[:2]

    async def test_a_rollback_expires_and_the_next_test_reads(tenant, async_db_session):
        async_db_session.add(User(name="tenant"))
        with pytest.raises(IntegrityError):
            await async_db_session.flush()
        await async_db_session.rollback()
        await async_db_session.refresh(tenant)
        assert tenant.name == "tenant"

    async def test_left_expired(catalogue, tenant, async_db_session):
        async_db_session.expire_all()

    async def test_what_a_request_changes_shows_after_a_refresh(tenant, async_db_session):
        async with SessionLocal.begin() as other:
            (await other.get(User, tenant.id)).name = "renamed"
        await async_db_session.refresh(tenant)
        assert tenant.name == "renamed"

    async def test_a_session_of_the_apps_own(catalogue):
        async with SessionLocal() as session:
            session.add(catalogue[0])
            catalogue[0].name = "changed"
            await session.commit()
"""


def test_sync(shop: Shop) -> None:
    """Made and used with sessions that block."""
    shop.write(conftest=_SEEDS, test_it=_SYNC + _AS_MADE)
    shop.run("-W", "error", "-W", "ignore::PendingDeprecationWarning").assert_passed(30)  # of FastAPI 0.115


def test_made_sync_and_used_async(shop: Shop) -> None:
    """Rows that a plain fixture made belong to an async test's session as well."""
    shop.app("async").write(conftest=_SEEDS, test_it=_ASYNC + _AS_MADE)
    shop.run_apart().assert_passed(16)


def test_made_async(shop: Shop) -> None:
    """Made with an `AsyncSession`, nothing of a seed is left to be loaded where nobody awaits it."""
    seeds = (
        _SEEDS.replace("session_db_session", "session_async_db_session")
        .replace("module_db_session", "module_async_db_session")
        .replace("    def tenant", "    async def tenant")
        .replace("    def catalogue", "    async def catalogue")
        .replace("import pytest\n", "import pytest\n    import pytest_asyncio\n")
        .replace("@pytest.fixture(", "@pytest_asyncio.fixture(loop_scope='session', ")
    )
    shop.app("async").write(conftest=seeds, test_it=_ASYNC + _AS_MADE)
    shop.run_apart().assert_passed(16)


def test_made_and_used_under_anyio(shop: Shop) -> None:
    """The same with anyio's runner and its backend fixture."""
    seeds = (
        _SEEDS.replace("session_db_session", "session_async_db_session")
        .replace("module_db_session", "module_async_db_session")
        .replace("    def tenant(", "    async def tenant(anyio_backend, ")
        .replace("    def catalogue(", "    async def catalogue(anyio_backend, ")
    )
    backend = """
    @pytest.fixture(scope="session")
    def anyio_backend():
        return "asyncio"
"""
    tests = _ASYNC.replace("pytest.mark.asyncio", "pytest.mark.anyio")
    shop.app("async").write(conftest=seeds + backend, test_it=tests + _AS_MADE)
    shop.run_apart("-p", "no:asyncio", "-W", "ignore::pytest.PytestConfigWarning").assert_passed(16)


def test_objects_of_a_session_that_stays_open(shop: Shop) -> None:
    """A seed held by a session of the user's own goes back to that session as it was, and what a test added is not."""
    shop.write(
        test_it="""
            import pytest
            from shop.main import SessionLocal
            from shop.models import Item, User

            @pytest.fixture(scope="module")
            def session():
                with SessionLocal() as session:
                    yield session

            @pytest.fixture(scope="module")
            def tenant(session):
                user = User(name="tenant")
                session.add(user)
                session.commit()
                return user

            @pytest.mark.parametrize("n", [1, 2])
            def test_it(session, tenant, n):
                assert tenant.name == "tenant"
                assert tenant.items == []
                assert not session.new and not session.dirty
                tenant.name = "changed"
                session.add(Item(name="new", owner=tenant))
                if n == 1:
                    session.commit()
        """
    )
    shop.run().assert_passed(2)
