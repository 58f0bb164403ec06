"""Properties on every driver: 500 examples that each insert what must be unique, and none sees another's rows."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import URL

from tests.support.projects import APPS, Project, new_project
from tests.support.properties import IMPORTS

_URLS = {
    "sqlite3": ("sync", "sqlite:///production.db"),
    "aiosqlite": ("async", "sqlite+aiosqlite:///production.db"),
    "psycopg": ("sync", "postgresql+psycopg://nobody@production.invalid/shop"),
    "psycopg_async": ("async", "postgresql+psycopg://nobody@production.invalid/shop"),
    "asyncpg": ("async", "postgresql+asyncpg://nobody@production.invalid/shop"),
}

_SYNC = """
slow = settings(max_examples=500, database=None, derandomize=True)
ran = []

@slow
@given(name=st.text("ab", min_size=1))
def test_carries_nothing(db_session, name):
    ran.append(name)
    assert db_session.scalars(select(User.id)).all() == []
    user = User(name=name)
    db_session.add(user)
    db_session.commit()
    assert user.id == 1
    with SessionLocal() as session, pytest.raises(IntegrityError):
        session.add(User(name=name))
        session.commit()

@slow
@given(number=st.integers(0, 1000), name=st.text("ab", min_size=1))
def test_shrinks(db_session, number, name):
    db_session.add_all([User(name=name), User(name=f"{name} {number}")])
    db_session.commit()
    assert number < 17

def test_all_of_them_ran():
    assert len(ran) == 500
"""
_ASYNC = (
    _SYNC.replace("def test_carries", "async def test_carries")
    .replace("def test_shrinks", "async def test_shrinks")
    .replace("@slow\n", "@pytest.mark.asyncio\n@slow\n")
    .replace("db_session.scalars(select(User.id)).all()", "list(await db_session.scalars(select(User.id)))")
    .replace("db_session", "async_db_session")
    .replace("async_db_session.commit()", "await async_db_session.commit()")
    .replace(
        "    with SessionLocal() as session, pytest.raises(IntegrityError):\n",
        "    async with SessionLocal() as session:\n",
    )
    .replace("        session.add(", "        with pytest.raises(IntegrityError):\n            session.add(")
    .replace("        session.commit()", "            await session.commit()")
)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """An empty project."""
    return new_project(pytester)


@pytest.mark.parametrize("driver", _URLS)
def test_500_examples_carry_no_row_to_the_next(project: Project, request: pytest.FixtureRequest, driver: str) -> None:
    """Ids start anew in each, an IntegrityError disturbs no other, and what fails shrinks to the smallest number."""
    kind, url = _URLS[driver]
    selected = request.config.getoption("db")
    backend = "sqlite" if url.startswith("sqlite") else "postgres"
    if selected and backend not in selected:
        pytest.skip(reason=f"--db selects {', '.join(selected)} only")
    original = "sqlite:///production.db" if kind == "sync" else "sqlite+aiosqlite:///production.db"
    project.app(kind).write(
        shop__main=APPS[kind].replace(original, url), test_it=IMPORTS + (_SYNC if kind == "sync" else _ASYNC)
    )
    lines = ["harness_app = shop.main:app"]
    if backend == "postgres":
        server: URL = request.getfixturevalue("postgres_url")
        lines.append(f"harness_database = {server.render_as_string(hide_password=False)}")
    result = project.ini(*lines).run_apart("-p", "hypothesispytest")

    assert (2, 1) == (result.passed, result.failed), result.text
    result.assert_says("assert 17 < 17", "number = 17, name = 'a'")
