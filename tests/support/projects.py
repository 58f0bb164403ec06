"""Tiny FastAPI projects for the pytest that runs inside a test; each has an engine that must never connect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

# What a run in this process imports first is forgotten after it, and these register functions when they are imported.
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.postgresql  # noqa: F401 - for its effect

import harness.errors  # noqa: F401 - a module that is forgotten must not raise what one that is not does not know

#: Every warning is an error, but for what the lowest supported FastAPI and Starlette cause by themselves.
STRICT = """filterwarnings =
    error
    ignore:Please use `import python_multipart`:PendingDeprecationWarning
    ignore:The anyio.abc.BlockingPortal alias:DeprecationWarning
    ignore:Unclosed <MemoryObject:ResourceWarning"""

#: What every application here is configured with; that it never appears is checked after each test.
PRODUCTION = "production.db"

_MODELS = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(unique=True)
"""

SYNC_APP = """
    from collections.abc import AsyncIterator, Iterator
    from contextlib import asynccontextmanager
    from typing import Any

    from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
    from sqlalchemy import create_engine, select
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import Session, sessionmaker

    from shop.models import Base, User

    engine = create_engine("sqlite:///production.db")
    SessionLocal = sessionmaker(engine)
    lives: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        lives.append("up")
        yield {"born": "in lifespan"}
        lives.append("down")

    app = FastAPI(lifespan=lifespan)

    def get_db() -> Iterator[Session]:
        with SessionLocal() as session:
            yield session

    @app.post("/users/{name}", status_code=201)
    def add(name: str, db: Session = Depends(get_db)) -> None:
        db.add(User(name=name))
        try:
            db.commit()
        except IntegrityError:
            db.rollback()
            raise HTTPException(409)

    @app.post("/forgetful/{name}")
    def forget(name: str, db: Session = Depends(get_db)) -> None:  # harness: allow[H201] tests show that it is lost
        db.add(User(name=name))
        db.flush()

    @app.get("/users")
    def names(db: Session = Depends(get_db)) -> list[str]:
        return sorted(db.scalars(select(User.name)))

    def later(name: str) -> None:
        with SessionLocal() as session:
            session.add(User(name=name))
            session.commit()

    @app.post("/later/{name}")
    def add_later(name: str, tasks: BackgroundTasks) -> None:
        tasks.add_task(later, name)

    @app.get("/born")
    def born(request: Request) -> str:
        return str(request.state.born)
"""

ASYNC_APP = """
    from collections.abc import AsyncIterator
    from contextlib import asynccontextmanager
    from typing import Any

    from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
    from sqlalchemy import select
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

    from shop.models import Base, User

    engine = create_async_engine("sqlite+aiosqlite:///production.db")
    SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
    lives: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        lives.append("up")
        yield {"born": "in lifespan"}
        lives.append("down")

    app = FastAPI(lifespan=lifespan)

    async def get_db() -> AsyncIterator[AsyncSession]:
        async with SessionLocal() as session:
            yield session

    @app.post("/users/{name}", status_code=201)
    async def add(name: str, db: AsyncSession = Depends(get_db)) -> None:
        db.add(User(name=name))
        try:
            await db.commit()
        except IntegrityError:
            await db.rollback()
            raise HTTPException(409)

    @app.post("/forgetful/{name}")
    async def forget(name: str, db: AsyncSession = Depends(get_db)) -> None:  # harness: allow[H201] tests show it
        db.add(User(name=name))
        await db.flush()

    @app.get("/users")
    async def names(db: AsyncSession = Depends(get_db)) -> list[str]:
        return sorted(await db.scalars(select(User.name)))

    async def later(name: str) -> None:
        async with SessionLocal() as session:
            session.add(User(name=name))
            await session.commit()

    @app.post("/later/{name}")
    async def add_later(name: str, tasks: BackgroundTasks) -> None:
        tasks.add_task(later, name)

    @app.get("/born")
    async def born(request: Request) -> str:
        return str(request.state.born)
"""

APPS = {"sync": SYNC_APP, "async": ASYNC_APP}

_INI = """
    [pytest]
    pythonpath = .
    asyncio_default_fixture_loop_scope = function
"""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run inside a test ended; `text` is everything it printed, without colours."""

    code: int
    passed: int
    failed: int
    errors: int
    text: str

    def assert_passed(self, passed: int) -> None:
        """Assert that this many tests passed and that nothing else happened; show the run's output if not."""
        assert (self.passed, self.failed, self.errors, self.code) == (passed, 0, 0, 0), self.text

    def assert_usage_error(self, *fragments: str) -> None:
        """Assert that the run was refused before any test, with a message that holds all the fragments."""
        assert (self.code, self.passed, self.failed, self.errors) == (4, 0, 0, 0), self.text
        self.assert_says(*fragments)

    def assert_says(self, *fragments: str) -> None:
        """Assert that the output holds all the fragments, in one message without a traceback of pytest's own."""
        assert [fragment for fragment in fragments if fragment not in self.text] == [], self.text
        assert "INTERNALERROR" not in self.text, self.text

    @property
    def header(self) -> str:
        """The lines that harness adds to the report's header, as one."""
        return "\n".join(line for line in self.text.splitlines() if line.startswith("harness: "))


@dataclass(frozen=True, slots=True)
class Project:
    """A project in a directory of its own, and ways to run pytest there."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        """The project's root."""
        return self.pytester.path

    def write(self, **sources: str) -> Project:
        """Write modules; `shop__main` is `shop/main.py`."""
        for name, source in sources.items():
            path = self.path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(source).lstrip("\n"))
        return self

    def app(self, kind: str = "sync") -> Project:
        """Write the package `shop`: its models, and its application, `sync` or `async`."""
        self.write(shop__models=_MODELS, shop__main=APPS[kind])
        (self.path / "shop/__init__.py").touch()
        return self

    def ini(self, *lines: str, base: str = _INI) -> Project:
        """Write pytest.ini with further lines."""
        (self.path / "pytest.ini").write_text("\n".join((dedent(base).strip(), *lines)) + "\n")
        return self

    def run(self, *arguments: str, plugin: bool = True) -> Result:
        """Run pytest in this process."""
        return _result(self.pytester.runpytest_inprocess(*_arguments(plugin), *_QUICK, *arguments))

    def run_apart(self, *arguments: str, plugin: bool = True) -> Result:
        """Run pytest in a process of its own: for event loops, crashes and imports."""
        return _result(self.pytester.runpytest_subprocess(*_arguments(plugin), *arguments, timeout=180))


def new_project(pytester: pytest.Pytester) -> Project:
    """Return a project that has a configuration file and nothing else."""
    return Project(pytester).ini()


#: Before pytest 9, each run ends with five collections of all that the process holds: most of the time of such runs.
_QUICK = ("-p", "no:unraisableexception") if pytest.version_tuple < (9,) else ()


def _arguments(plugin: bool) -> list[str]:
    # A fixed order, as many projects show what one test leaves to the next; and no plugin that is slow to import.
    unwanted = (
        *("randomly", "cacheprovider", "hypothesispytest", "schemathesis", "faker", "pytest-factoryboy", "xdist"),
    )
    return [*(("-p", "harness") if plugin else ()), *(part for name in unwanted for part in ("-p", f"no:{name}"))]


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def _result(result: pytest.RunResult) -> Result:
    text = _COLOURS.sub("", f"{result.stdout.str()}\n{result.stderr.str()}")
    try:
        outcomes = result.parseoutcomes()
    except ValueError:  # a run that was refused has no summary
        outcomes = {}
    return Result(
        code=int(result.ret),
        passed=outcomes.get("passed", 0),
        failed=outcomes.get("failed", 0),
        errors=outcomes.get("errors", 0),
        text=text,
    )
