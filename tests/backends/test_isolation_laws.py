"""What holds for everything that an application does with its engine, on every driver."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from harness.errors import IsolationError, OverlapError
from tests.backends.conftest import Backend
from tests.support.tables import Part, Thing


def names(session: Session) -> list[str]:
    return sorted(session.scalars(sa.select(Thing.v)))


def add(engine: sa.Engine, name: str) -> None:
    with Session(engine) as session:
        session.add(Thing(v=name))
        session.commit()


def test_a_commit_is_seen_by_later_sessions_and_undone_after_the_test(backend: Backend) -> None:
    """A commit lasts until the end of the test, no longer."""

    def law() -> None:
        add(backend.engine, "kept")
        with Session(backend.engine) as session:
            assert names(session) == ["kept"]

    with backend.test() as problems:
        backend.run(law)

    assert backend.rows() == []
    assert problems == []


def test_a_rollback_undoes_its_own_transaction_only(backend: Backend) -> None:
    """What another transaction has committed before survives a rollback."""

    def law() -> None:
        add(backend.engine, "before")
        with Session(backend.engine) as session:
            session.add(Thing(v="undone"))
            session.flush()
            session.rollback()
            assert names(session) == ["before"]

    with backend.test():
        backend.run(law)


def test_closing_without_commit_loses_the_work(backend: Backend) -> None:
    """A forgotten commit is visible as lost data, as in production."""

    def law() -> None:
        with Session(backend.engine) as session:
            session.add(Thing(v="forgotten"))
            session.flush()
        with Session(backend.engine) as session:
            assert names(session) == []

    with backend.test():
        backend.run(law)


def test_an_integrity_error_leaves_the_rest_of_the_test_usable(backend: Backend) -> None:
    """After an IntegrityError and a rollback, the session and all others work."""

    def law() -> None:
        add(backend.engine, "ann")
        with Session(backend.engine) as session:
            session.add(Thing(v="ann"))
            with pytest.raises(IntegrityError):
                session.commit()
            session.rollback()
            session.add(Thing(v="bob"))
            session.commit()
        with Session(backend.engine) as session:
            assert names(session) == ["ann", "bob"]

    with backend.test():
        backend.run(law)


def test_a_failed_read_does_not_poison_what_was_committed(backend: Backend) -> None:
    """A statement that fails in a session that has only read costs nobody anything."""

    def law() -> None:
        add(backend.engine, "ann")
        with Session(backend.engine) as reader:
            with pytest.raises(sa.exc.DBAPIError):
                reader.execute(sa.text("SELECT nothing_like_this FROM thing"))
            add(backend.engine, "bob")
        with Session(backend.engine) as session:
            assert names(session) == ["ann", "bob"]

    with backend.test():
        backend.run(law)


def test_an_aborted_transaction_refuses_statements_until_its_rollback(backend: Backend) -> None:
    """PostgreSQL refuses what follows an error in the same transaction, also after others have worked in between."""
    if not backend.postgres:
        pytest.skip(reason="only PostgreSQL aborts a transaction at an error")

    def law() -> None:
        with backend.engine.connect() as first:
            first.execute(sa.insert(Thing).values(v="lost"))
            with pytest.raises(sa.exc.DBAPIError):
                first.execute(sa.text("SELECT nothing_like_this"))
            with backend.engine.connect() as second:
                assert second.scalar(sa.text("SELECT 1")) == 1
            with pytest.raises(sa.exc.DBAPIError, match="aborted"):
                first.execute(sa.text("SELECT 1"))
            first.rollback()
            assert first.scalar(sa.select(sa.func.count()).select_from(Thing)) == 0

    with backend.test() as problems:
        backend.run(law)

    assert problems == []


def test_engine_begin_core_and_nested_transactions_are_inside(backend: Backend) -> None:
    """Core transactions and the application's own savepoints behave as they do in production."""

    def law() -> None:
        with backend.engine.begin() as connection:
            connection.execute(sa.insert(Thing).values(v="core"))
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(sa.insert(Thing).values(v="core"))
            with connection.begin_nested():
                connection.execute(sa.insert(Thing).values(v="nested"))
        with Session(backend.engine) as session:
            assert names(session) == ["core", "nested"]

    with backend.test():
        backend.run(law)

    assert backend.rows() == []


def test_raw_commit_and_autocommit_end_nothing_but_their_own_transaction(backend: Backend) -> None:
    """COMMIT sent as text, `raw_connection().commit()` and AUTOCOMMIT are kept inside the test's transaction."""

    def law() -> None:
        with backend.engine.connect() as connection:
            connection.execute(sa.insert(Thing).values(v="text"))
            connection.exec_driver_sql("COMMIT")
        raw = backend.engine.raw_connection()
        cursor = raw.cursor()
        cursor.execute("INSERT INTO thing (v) VALUES ('raw')")
        raw.commit()
        raw.close()
        with backend.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.insert(Thing).values(v="auto"))
        with Session(backend.engine) as session:
            assert names(session) == ["auto", "raw", "text"]

    with backend.test() as problems:
        backend.run(law)

    assert backend.rows() == []
    assert problems == []


def test_sessions_that_overlap_in_one_flow_nest(backend: Backend) -> None:
    """Two open sessions of one flow may commit in any order."""

    def law() -> None:
        first, second = Session(backend.engine), Session(backend.engine)
        first.add(Thing(v="first"))
        first.flush()
        second.add(Thing(v="second"))
        second.flush()
        first.commit()
        second.commit()
        first.close()
        second.close()
        with Session(backend.engine) as session:
            assert names(session) == ["first", "second"]

    with backend.test() as problems:
        backend.run(law)

    assert problems == []
    assert backend.rows() == []


def test_a_rollback_that_would_undo_another_commit_is_refused(backend: Backend) -> None:
    """It names both parties, and the guilty test hears of it again at its end."""

    def law() -> None:
        outer = Session(backend.engine)
        outer.add(Thing(v="outer"))
        outer.flush()
        add(backend.engine, "inner")
        with pytest.raises(OverlapError, match="would undo work that another transaction has done since") as caught:
            outer.rollback()
        assert "would be lost: " in str(caught.value)

    with backend.test() as problems:
        backend.run(law)

    assert [type(problem) for problem in problems] == [OverlapError]
    assert backend.rows() == []


def test_sessionmaker_and_scoped_session_and_dispose_are_captured(backend: Backend) -> None:
    """However a session is made, and whatever becomes of the pool, it is on the test's transaction."""

    def law() -> None:
        with sessionmaker(backend.engine)() as session:
            session.add(Thing(v="maker"))
            session.commit()
        backend.engine.dispose()
        registry = scoped_session(sessionmaker(backend.engine))
        registry.add(Thing(v="scoped"))
        registry.commit()
        registry.remove()
        with Session(backend.engine) as session:
            assert names(session) == ["maker", "scoped"]

    with backend.test():
        backend.run(law)

    assert backend.rows() == []


def test_deferred_constraints_are_checked_at_commit(backend: Backend) -> None:
    """A violated deferred foreign key fails the application's commit, as in production; valid data still commits."""
    if backend.mariadb:
        pytest.skip(reason="MySQL and MariaDB have no deferrable constraints")

    def law() -> None:
        with Session(backend.engine) as session:
            session.add(Part(thing_id=404))
            with pytest.raises(IntegrityError):
                session.commit()
            session.rollback()
            session.add(Part(thing_id=7))
            session.flush()
            session.add(Thing(id=7, v="late"))
            session.commit()
            assert names(session) == ["late"]

    with backend.test():
        backend.run(law)


def test_a_savepoint_rolled_back_inside_a_kept_transaction(backend: Backend) -> None:
    """ROLLBACK TO the application's own savepoint undoes what came after it, and no more."""

    def law() -> None:
        with Session(backend.engine) as session:
            session.add(Thing(v="kept"))
            session.flush()
            nested = session.begin_nested()
            session.add(Thing(v="undone"))
            session.flush()
            nested.rollback()
            session.commit()
        with Session(backend.engine) as session:
            assert names(session) == ["kept"]

    with backend.test():
        backend.run(law)


def test_a_test_without_statements_opens_nothing(backend: Backend) -> None:
    """A level costs nothing until the first statement."""
    with backend.test():
        assert not backend.target.pinned.level.opened


def test_threads_take_turns(backend: Backend) -> None:
    """Twelve threads that write at once all succeed and are all undone."""
    if backend.asynchronous:
        pytest.skip(reason="threads belong to synchronous engines; tasks are tested beside this")
    barrier = threading.Barrier(12)

    def work(number: int) -> None:
        barrier.wait()
        with Session(backend.engine) as session:
            session.add(Thing(v=f"t{number}"))
            session.flush()
            if number % 3 == 0:
                session.rollback()
            else:
                session.commit()

    with backend.test() as problems:
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(work, range(12)))
        with Session(backend.engine) as session:
            assert len(names(session)) == 8

    assert problems == []
    assert backend.rows() == []


def test_a_function_is_made_between_statements(backend: Backend) -> None:
    """SQLAlchemy makes one for each connection, and SQLite refuses it in the middle of another thread's statement."""
    if backend.target.backend != "sqlite" or backend.asynchronous:
        pytest.skip(reason="only threads on SQLite meet it")
    with backend.test() as problems, ThreadPoolExecutor(1) as pool, backend.engine.connect() as connection:
        raw: Any = connection.connection
        with backend.target.pinned.lock:  # as a statement holds it
            made = pool.submit(raw.create_function, "one", 0, lambda: 1)
            with pytest.raises(TimeoutError):
                made.result(timeout=0.2)
        made.result(timeout=30)
        assert connection.scalar(sa.text("SELECT one()")) == 1

    assert problems == []


def test_threads_read_their_own_rows(backend: Backend) -> None:
    """Twelve threads that send the same statement over and over, each for a row of its own."""
    if backend.asynchronous:
        pytest.skip(reason="threads belong to synchronous engines; tasks are tested beside this")
    statement = sa.select(Thing.v).where(Thing.v == sa.bindparam("v"))

    def read(number: int) -> list[str | None]:
        seen = []
        for _ in range(200):
            with backend.engine.connect() as connection:
                seen.append(connection.execute(statement, {"v": f"t{number}"}).scalar_one_or_none())
        return seen

    with backend.test():
        with Session(backend.engine) as session:
            session.add_all(Thing(v=f"t{number}") for number in range(12))
            session.commit()
        with ThreadPoolExecutor(12) as pool:
            assert [[f"t{number}"] * 200 for number in range(12)] == list(pool.map(read, range(12)))


def test_a_result_is_as_it_was_when_it_was_asked_for(backend: Backend) -> None:
    """Rows that somebody else writes while they are fetched, are not among them."""

    def law() -> None:
        with Session(backend.engine) as session, Session(backend.engine) as other:
            session.add_all(Thing(v=f"t{number}") for number in range(3))
            session.commit()
            rows = session.connection().execute(sa.select(Thing.v).order_by(Thing.id)).scalars()
            first = rows.fetchmany(1)
            other.add(Thing(v="later"))
            other.flush()
            left = rows.all()
            other.rollback()
            session.rollback()
            assert [*first, *left] == ["t0", "t1", "t2"]

    with backend.test():
        backend.run(law)


def test_gathered_tasks_take_turns(backend: Backend) -> None:
    """Eight tasks that write at once, some rolling back, all succeed and are all undone."""
    if not backend.asynchronous:
        pytest.skip(reason="tasks belong to asynchronous engines; threads are tested beside this")
    make = async_sessionmaker(backend.async_engine)

    async def work(number: int) -> None:
        async with make() as session:
            session.add(Thing(v=f"c{number}"))
            await session.flush()
            await asyncio.sleep(0.005)
            if number % 4 == 0:
                await session.rollback()
            else:
                await session.commit()

    async def law() -> list[str]:
        await asyncio.gather(*(work(number) for number in range(8)))
        async with AsyncSession(backend.async_engine) as session:
            return sorted(await session.scalars(sa.select(Thing.v)))

    with backend.test() as problems:
        assert asyncio.run(law()) == ["c1", "c2", "c3", "c5", "c6", "c7"]

    assert problems == []
    assert backend.rows() == []


def test_a_wait_for_a_sibling_is_bounded_and_explained(backend: Backend) -> None:
    """A task that waits for a transaction which never ends is told who holds it, and where that first wrote."""
    if not backend.asynchronous:
        pytest.skip(reason="tasks belong to asynchronous engines")
    backend.target.pinned.wait_seconds = 0.2
    make = async_sessionmaker(backend.async_engine)

    async def law() -> None:
        wrote, done = asyncio.Event(), asyncio.Event()

        async def holder() -> None:
            async with make() as session:
                session.add(Thing(v="held"))
                await session.flush()
                wrote.set()
                await done.wait()

        async def waiter() -> None:
            await wrote.wait()
            try:
                async with make() as session:
                    session.add(Thing(v="waits"))
                    await session.commit()
            finally:
                done.set()

        first = asyncio.create_task(holder(), name="holder")
        with pytest.raises(OverlapError, match=r"waited 0\.2 s") as caught:
            await asyncio.create_task(waiter(), name="waiter")
        await first
        assert "holding: task 'holder' (" in str(caught.value)
        assert "test_isolation_laws.py" in str(caught.value)

    with backend.test():
        asyncio.run(law())


def test_lazy_io_outside_of_a_greenlet_is_refused_as_in_production(backend: Backend) -> None:
    """An async engine used without awaiting raises MissingGreenlet."""
    if not backend.asynchronous:
        pytest.skip(reason="only asynchronous engines need a greenlet")
    with backend.test(), pytest.raises(MissingGreenlet), Session(backend.engine) as session:
        names(session)


def test_statements_that_no_transaction_can_contain_are_explained(backend: Backend) -> None:
    """VACUUM and its like say why they cannot run, and what to do."""

    def law() -> None:
        with backend.engine.connect() as connection:
            with pytest.raises(IsolationError, match="cannot run inside a transaction") as caught:
                connection.exec_driver_sql("VACUUM")
            assert 'isolation="database"' in str(caught.value)

    with backend.test():
        backend.run(law)


def test_an_escaped_commit_fails_the_guilty_test_and_the_next_is_clean(backend: Backend) -> None:
    """If something ends the outer transaction on the driver's own connection, the test that did it hears of it."""

    def law() -> None:
        add(backend.engine, "escaped")
        backend.target.pinned.physical.script("COMMIT")

    with backend.test() as problems:
        backend.run(law)

    assert len(problems) == 1
    assert "was ended by something that harness cannot intercept" in str(problems[0])
    with backend.test() as after:
        backend.run(lambda: add(backend.engine, "next"))
    assert after == []
    assert backend.rows() == ["escaped"]


def test_levels_nest(backend: Backend) -> None:
    """What a wider level did is there in each test and undone at the wider level's end."""
    from harness.isolation.level import Level

    wide = Level("module fixtures")
    backend.target.pinned.enter(wide)
    backend.run(lambda: add(backend.engine, "seed"))
    for name in ("one", "two"):
        with backend.test() as problems:

            def law(name: str = name) -> list[str]:
                add(backend.engine, name)
                with Session(backend.engine) as session:
                    return names(session)

            assert backend.run(law) == sorted([name, "seed"])
        assert problems == []
    assert backend.target.pinned.leave(wide) == []
    assert backend.rows() == []


def test_the_engine_is_given_back_as_it_was(backend: Backend) -> None:
    """After the capture an engine has its own pool, dialect and URL."""
    pool, dialect = backend.engine.pool, backend.engine.dialect
    backend.run(lambda: add(backend.engine, "kept"))

    backend.registry.restore()

    pool.dispose()
    assert backend.engine.pool is not pool
    assert (backend.engine.dialect is dialect) is (backend.driver in ("sqlite3", "psycopg", "asyncpg", "pymysql"))
    assert "production" in str(backend.engine.url)
    backend.registry.add(backend.engine)


def test_pre_ping_works_on_every_loop(backend: Backend) -> None:
    """A pool that pings its connections works at each checkout, also when the test brings a new event loop."""
    pinging = create_engine_like(backend)

    with backend.test() as problems:
        for name in ("one", "two"):
            backend.run(lambda name=name: add(pinging, name))  # type: ignore[misc]  # mypy loses the default

    assert problems == []


def create_engine_like(backend: Backend) -> sa.Engine:
    url = backend.registry.engines[backend.engine].url
    if backend.asynchronous:
        return create_async_engine(url, pool_pre_ping=True).sync_engine
    return sa.create_engine(url, pool_pre_ping=True)


def test_ids_start_anew_in_each_test(backend: Backend) -> None:
    """Sequences, which a rollback does not touch, are put back: the first id is the same in every test."""

    def law() -> list[int]:
        with Session(backend.engine) as session:
            session.add_all([Thing(v="one"), Thing(v="two")])
            session.commit()
            return sorted(session.scalars(sa.select(Thing.id)))

    for _ in range(2):
        with backend.test() as problems:
            assert backend.run(law) == [1, 2]
        assert problems == []


def test_every_way_to_execute_of_the_asyncio_extension(backend: Backend) -> None:
    """Core and ORM, buffered and streamed, through AsyncConnection and AsyncSession."""
    if not backend.asynchronous:
        pytest.skip(reason="the asyncio extension is for asynchronous engines")

    async def law() -> None:
        async with backend.async_engine.begin() as connection:
            await connection.execute(sa.insert(Thing), [{"v": "one"}, {"v": "two"}])
            assert (await connection.execute(sa.select(Thing.v).order_by(Thing.v))).scalars().all() == ["one", "two"]
            assert await connection.scalar(sa.select(sa.func.count()).select_from(Thing)) == 2
            streamed = await connection.stream(sa.select(Thing.v).order_by(Thing.v))
            assert [row.v async for row in streamed] == ["one", "two"]
            raw = await connection.exec_driver_sql("SELECT v FROM thing ORDER BY v")
            assert raw.first() == ("one",)
        async with AsyncSession(backend.async_engine) as session:
            assert (await session.execute(sa.select(Thing.v).order_by(Thing.v))).first() == ("one",)
            assert (await session.execute(sa.text("SELECT count(*) FROM thing"))).scalar_one() == 2
            things = await session.stream_scalars(sa.select(Thing).order_by(Thing.v))
            assert [thing.v async for thing in things] == ["one", "two"]
            assert (await session.get_one(Thing, 1)).v == "one"
            added = await session.scalar(sa.insert(Thing).values(v="three").returning(Thing.v))
            assert added == "three"

    with backend.test() as problems:
        asyncio.run(law())

    assert problems == []
    assert backend.rows() == []
