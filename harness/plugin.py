"""What pytest sees: hooks only. Imports no third party but pytest, so that having harness installed costs nothing."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.config import edge
from harness.errors import ConfigError
from harness.run import coroutines
from harness.run.life import TestLife, life_key, life_of, told_plainly
from harness.run.scope_mismatch import explained

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = (
    "harness.fixtures.decisions",
    "harness.fixtures.database",
    "harness.fixtures.seeds",
    "harness.fixtures.client",
    "harness.fixtures.handle",
    "harness.fixtures.queries",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    edge.declare(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # Before any conftest.py: an application imported there must already find its engines captured.
    _start(early_config)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if wanted := edge.to_explain(config):
        from harness.detectors.catalogue import all_rules
        from harness.report.explain import explain

        try:
            text = explain(wanted, all_rules())
        except ConfigError as error:
            raise pytest.UsageError(f"harness: {error}") from None
        print(text, end="")  # noqa: T201 - instead of a run, as `pytest --version` does
        return 0
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    edge.declare_marker(config)
    _start(config)
    life = life_of(config)
    config.pluginmanager.register(Reports(life), "harness-reports")
    if life.run.settings.migrations:
        from harness.run.asked_tests import AskedTests

        config.pluginmanager.register(AskedTests(life.run), "harness-migrations")


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


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    life = life_of(metafunc.config)
    if len(life.run.settings.databases) > 1:
        life.databases.parametrize(metafunc)
    if "migration_revision" in metafunc.fixturenames:
        from harness.run.migrating import for_each_revision

        for_each_revision(metafunc, life_of(metafunc.config).run)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    life_of(config).collected(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    life = life_of(item.config)
    if life.judging is not None:
        life.judging.begin(item)
    with told_plainly(), explained():
        life.before_setup(item)
        try:
            return (yield)
        except BaseException:
            if life.judging is not None:
                life.judging.set_up_failed(item)
            raise


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    life, passed = life_of(item.config), False
    judging = life.judging
    if judging is not None:
        judging.calling(item)
    try:
        with explained(), life.properties(item):
            result = yield
        passed = True
        return result
    finally:
        judging = judging or life.judging
        if judging is not None:
            judging.called(item, passed=passed)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    life = life_of(request.config)
    if fixturedef.scope == "function":
        life.end_with(request.node)
        value = yield
        life.made(fixturedef.argname, value)
        return value
    with life.fixture_scope(fixturedef, request):
        value = yield
    life.decided(fixturedef, value)
    return value


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    if fixturedef.scope != "function":
        life_of(request.config).scopes.finished(fixturedef)


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
        except BaseException:
            life.after_teardown()
            _torn_down(life, item, passed=False)
            raise
        problems = life.after_teardown()
        _torn_down(life, item, passed=not problems)
        if problems:
            raise problems[0]
        return result


def _torn_down(life: TestLife, item: pytest.Item, *, passed: bool) -> None:
    if life.judging is not None:
        life.judging.torn_down(item, passed=passed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        life_of(item.config).failed(item, report)
    if (judging := life_of(item.config).judging) is not None:
        judging.carry(item, report)
    return report


class Reports:
    """The hooks that are not given the configuration, and so belong to one run; and one that comes after another."""

    def __init__(self, life: TestLife) -> None:
        self._life = life

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._life.check_begun()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._life.judging is not None:
            self._life.judging.logged(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if self._life.judging is not None and not report.passed:
            self._life.judging.collected_less()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        if self._life.judging is not None:
            self._life.judging.deselected(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        self._life.begin_workers(len(specs))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        if self._life.judging is not None:
            self._life.judging.worker_ended(getattr(node, "workeroutput", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (judging := life_of(session.config).judging) is not None:
        judging.finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    life = life_of(config)
    if life.judging is not None:
        life.judging.show(terminalreporter)
    for note in life.run.notes:
        terminalreporter.write_line(f"harness: {note}")
