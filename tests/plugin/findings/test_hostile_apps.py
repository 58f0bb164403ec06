"""Applications and plugins that reach into the same places as harness: nothing breaks, and nothing wrong is said."""

from __future__ import annotations

import pytest

from tests.support.guilty import ERROR, NOTHING, each_test, found, guilty
from tests.support.projects import Project


def silent(project: Project) -> bool:
    """Whether nothing was found but what is read in the source for information."""
    return {code for code, _ in found(project)} <= {"H408", "H305"}


def appended(project: Project, source: str) -> Project:
    """Add lines to the application."""
    main = project.path / "shop/main.py"
    main.write_text(main.read_text() + source)
    return project


_REPLACED = """
import sqlalchemy.orm as orm

_original = orm.Session.close

def _close(self):
    closed.append(1)
    return _original(self)

closed = []
orm.Session.close = _close
"""

_TESTS = """
    from shop.main import closed
    from sqlalchemy.orm import Session

    def test_one(client):
        client.post("/users/ann")
        assert closed

    def test_two(client):
        assert client.get("/users").json() == []
        client.post("/lose/ann")

    def test_who_replaces_stays():
        assert Session.close.__name__ == "_close"
"""


def test_an_app_that_patches_a_method_of_session(project: Project) -> None:
    """Its replacement stays, it is called, and what is wrong is found through it."""
    guilty(project).write(test_it=_TESTS)
    result = appended(project, _REPLACED).run_apart()

    assert (1, 2, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says("FAILED test_it.py::test_two - Failed: harness: 1 finding in this test: H201")
    assert "H902" not in {code for code, _ in found(project)}


def test_an_app_that_replaces_the_class_session(project: Project) -> None:
    """By one of its own, under its name."""
    guilty(project)
    main = project.path / "shop/main.py"
    replaced = "import sqlalchemy.orm\nclass Own(sqlalchemy.orm.Session): ...\nsqlalchemy.orm.Session = Own\n"
    main.write_text(replaced + main.read_text().replace("sessionmaker(engine)", "sessionmaker(engine, class_=Own)"))
    result = each_test(project, good=NOTHING, bad='client.post("/lose/ann")').run_apart()

    assert (1, 1, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says("FAILED test_it.py::test_bad - Failed: harness: 1 finding in this test: H201")
    assert "H902" not in {code for code, _ in found(project)}


def test_an_app_that_puts_back_what_it_found_takes_nothing_of_ours_along(project: Project) -> None:
    """A test's own patch, made and undone with `monkeypatch`, while harness's stands underneath."""
    guilty(project).write(
        test_it=f"""
            from sqlalchemy.orm import Session

            def test_one(client, monkeypatch):
                original = Session.close
                monkeypatch.setattr(Session, "close", lambda self: original(self))
                {NOTHING}

            def test_two(client):
                client.post("/lose/ann")
        """
    )
    result = project.run_apart()

    assert (1, 1, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says("test_two - Failed: harness: 1 finding in this test: H201")


@pytest.mark.parametrize(
    "does",
    [
        "with contextlib.suppress(RuntimeError): asyncio.get_running_loop().close()",  # asyncio refuses while it runs
        "asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())",
        "asyncio.set_event_loop(asyncio.new_event_loop())",
        "asyncio.new_event_loop().close()",
    ],
)
@pytest.mark.parametrize("kind", ["client", "async_client"])
def test_an_app_that_meddles_with_event_loops(project: Project, does: str, kind: str) -> None:
    """In the middle of a request: the next ones work, and nothing is blamed for it."""
    project.app("async").ini("harness_app = shop.main:app", "harness_report = json:found.json")
    endpoint = f"""
import asyncio
import contextlib
import warnings

@app.get("/meddle")
async def meddle(db: AsyncSession = Depends(get_db)) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        {does}
    return len((await db.scalars(select(User.name))).all())
"""
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("  # harness: allow[H201] tests show it", "") + endpoint)
    wait = "await " if kind == "async_client" else ""
    test = f"""
import pytest

@pytest.mark.parametrize("again", [False, True])
{"@pytest.mark.asyncio" if wait else ""}
{"async " if wait else ""}def test_it({kind}, again):
    assert ({wait}{kind}.post("/users/ann")).status_code == 201
    assert ({wait}{kind}.get("/meddle")).json() == 1
    assert ({wait}{kind}.get("/users")).json() == ["ann"]
"""
    (project.path / "test_it.py").write_text(test)

    project.run_apart("-W", "ignore").assert_passed(2)
    assert silent(project), found(project)


@pytest.mark.parametrize("when", ["asyncio.get_running_loop().stop()", "asyncio.get_running_loop().call_soon(stop)"])
def test_an_app_that_stops_its_event_loop(project: Project, when: str) -> None:
    """The loop of the blocking client goes on: the request is answered, and so are the next ones."""
    project.app("async").ini("harness_app = shop.main:app", "harness_report = json:found.json")
    endpoint = f"""
import asyncio

def stop() -> None:
    asyncio.get_event_loop().stop()

@app.get("/stop")
async def stopping(db: AsyncSession = Depends(get_db)) -> int:
    {when}
    return len((await db.scalars(select(User.name))).all())
"""
    main = project.path / "shop/main.py"
    main.write_text(main.read_text().replace("  # harness: allow[H201] tests show it", "") + endpoint)
    project.write(
        test_it="""
            import pytest

            @pytest.mark.parametrize("again", [False, True])
            def test_it(client, again):
                assert client.post("/users/ann").status_code == 201
                assert client.get("/stop").json() == 1
                assert client.get("/users").json() == ["ann"]
        """
    ).run_apart().assert_passed(2)
    assert silent(project), found(project)


def test_a_test_that_closes_its_event_loop(project: Project) -> None:
    """A run of its own in a new loop, closed at its end, between requests of ordinary tests."""
    project.app("async").ini("harness_app = shop.main:app", "harness_report = json:found.json").write(
        test_it="""
            import asyncio

            def test_one(client):
                assert client.post("/users/ann").status_code == 201

            def test_closes():
                from shop.main import SessionLocal, User

                async def work():
                    async with SessionLocal() as session:
                        session.add(User(name="bob"))
                        await session.commit()

                loop = asyncio.new_event_loop()
                loop.run_until_complete(work())
                loop.close()

            def test_two(client):
                assert client.get("/users").json() == []
        """
    )
    project.run_apart().assert_passed(3)

    assert {code for code, _ in found(project)} <= {"H408", "H305", "H901"}, found(project)


_BLOCKBUSTER = """
    import pytest
    from blockbuster import blockbuster_ctx

    @pytest.fixture(autouse=True)
    def guard():
        with blockbuster_ctx() as blockbuster:
            yield blockbuster
"""

#: As plugins do that count statements and look for N+1, such as pytest-queryguard.
_COUNTER = """
    import pytest
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

    @pytest.fixture(autouse=True)
    def counted():
        seen = []

        def sent(conn, cursor, statement, parameters, context, executemany):
            seen.append(statement)
            return statement, parameters

        def executing(state):
            seen.append(state.is_select)

        event.listen(Engine, "before_cursor_execute", sent, retval=True)
        event.listen(Session, "do_orm_execute", executing)
        yield seen
        event.remove(Session, "do_orm_execute", executing)
        event.remove(Engine, "before_cursor_execute", sent)
        assert seen
"""


@pytest.mark.parametrize("conftest", [_BLOCKBUSTER, _COUNTER], ids=["blockbuster", "counter"])
def test_another_plugin_that_listens_too(project: Project, conftest: str) -> None:
    """Both do their work: a pitfall is found, and a right test passes."""
    guilty(project).write(conftest=conftest)
    tests = {"good": NOTHING, "bad": ERROR, "more": 'client.get("/users")'}
    result = each_test(project, **tests).run_apart()

    assert (1, 2, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says("test_bad - Failed: harness: 1 finding in this test: H201")
    assert "H902" not in {code for code, _ in found(project)}


def test_blockbuster_finds_the_call_that_blocks(project: Project) -> None:
    """Harness does not stand between it and the application: both tell of the same endpoint."""
    guilty(project).write(conftest=_BLOCKBUSTER)
    main = project.path / "shop/main.py"
    main.write_text(
        main.read_text() + "import time\n\n@app.get('/slow')\nasync def slow() -> None:\n    time.sleep(0.01)\n"
    )
    result = each_test(project, slow='client.get("/slow")').run_apart()

    assert (1, 0, 1) == (result.code, result.passed, result.failed), result.text
    result.assert_says("BlockingError: Blocking call to time.sleep")
