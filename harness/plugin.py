"""What pytest sees: hooks only. Imports no third party but pytest, so that having harness installed costs nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import edge
from harness.run import coroutines
from harness.run.life import TestLife, life_key, life_of, told_plainly

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = (
    "harness.fixtures.decisions",
    "harness.fixtures.database",
    "harness.fixtures.client",
    "harness.fixtures.handle",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    edge.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest.py: an application imported there must already find its engines captured.
    _start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    edge.declare_marker(config)
    _start(config)


def _start(config: pytest.Config) -> None:
    if life_key not in config.stash:
        config.stash[life_key] = TestLife.from_pytest(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if life_key in config.stash:
        config.stash[life_key].close()


def pytest_report_header(config: pytest.Config, start_path: Path) -> list[str]:
    return life_of(config).header()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    coroutines.adopt(collector, name, obj)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    life_of(config).collected(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    with told_plainly():
        life_of(item.config).before_setup(item)
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    life = life_of(request.config)
    if fixturedef.scope == "function":
        life.end_with(request.node)
        return (yield)
    with life.fixture_scope(fixturedef.scope, request.node):
        value = yield
    life.decided(fixturedef, value)
    return value


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    life = life_of(pyfuncitem.config)
    life.end_with(pyfuncitem)
    with life.calling(pyfuncitem):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    life = life_of(item.config)
    with told_plainly():
        life.before_teardown()
        try:
            result = yield
        finally:
            problems = life.after_teardown()
        if problems:
            raise problems[0]
        return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for note in life_of(config).run.notes:
        terminalreporter.write_line(f"harness: {note}")
