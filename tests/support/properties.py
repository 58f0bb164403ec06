"""Projects whose tests are properties."""

from __future__ import annotations

from textwrap import dedent

from tests.support.projects import Project, Result

_CONFTEST = """
    from hypothesis import settings
    settings.register_profile("here", max_examples=25, database=None, derandomize=True)
    settings.load_profile("here")
"""

IMPORTS = """
import pytest
from hypothesis import HealthCheck, assume, example, find, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from shop.main import SessionLocal, app
from shop.models import User

names = st.sampled_from(["ann", "bob"])
"""

_SYNC = """
def count():
    with SessionLocal() as session:
        return session.scalar(select(func.count(User.id)))

def store(name):
    with SessionLocal() as session:
        session.add(User(name=name))
        session.commit()
    return name
"""

_ASYNC = """
async def count():
    async with SessionLocal() as session:
        return await session.scalar(select(func.count(User.id)))

async def store(name):
    async with SessionLocal() as session:
        session.add(User(name=name))
        await session.commit()
    return name
"""


def write_properties(project: Project, source: str, kind: str = "sync") -> Project:
    """Write the application `sync` or `async`, and tests that can use hypothesis, `count()` and `store(name)`.

    hypothesis is told to be quick, and to remember nothing from other runs.
    """
    helpers = _SYNC if kind == "sync" else _ASYNC
    return project.app(kind).write(conftest=_CONFTEST, test_it=IMPORTS + helpers + dedent(source))


def run_properties(project: Project, source: str, *arguments: str, kind: str = "sync") -> Result:
    """Run such tests with hypothesis' own plugin, which other runs leave out."""
    write_properties(project, source, kind).ini("harness_app = shop.main:app")
    run = project.run_apart if "async def" in source else project.run
    return run("-p", "hypothesispytest", *arguments)
