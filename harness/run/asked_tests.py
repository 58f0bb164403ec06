"""`harness_migrations`: tests of the migrations that no file of the project holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.config.options import MIGRATION_TESTS

if TYPE_CHECKING:
    from harness.run.run import Run


class AskedTests:
    """Adds the tests to what was collected.

    Args:
        run: knows which are wanted.
    """

    def __init__(self, run: Run) -> None:
        wanted = run.settings.migrations
        self._names = [name for name in MIGRATION_TESTS if name in wanted or "all" in wanted]
        self._always = run.settings.source("migrations").startswith("--")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        if not self._always and not _everything(config):
            return
        collector = MigrationTests.from_parent(_home(session, items), path=_file(), nodeid="harness::migrations")
        collector.wanted = [f"test_{name}" for name in self._names]
        items.extend(session.genitems(collector))


class MigrationTests(pytest.Module):
    """The tests of `harness/migrations/tests.py`, as if they were in a file of the project's."""

    wanted: Iterable[str] = ()

    def _getobj(self) -> object:
        from harness.migrations import tests

        return tests

    def funcnamefilter(self, name: str) -> bool:
        """Take what was asked for, whatever the project's tests are called."""
        return name in self.wanted


def _file() -> Path:
    return Path(__file__).parent.parent / "migrations/tests.py"


def _everything(config: pytest.Config) -> bool:
    """Tell whether whole directories were asked for, rather than files or single tests."""
    return all(
        "::" not in argument and Path(config.invocation_params.dir, argument).is_dir() for argument in config.args
    )


def _home(session: pytest.Session, items: list[pytest.Item]) -> pytest.Collector:
    """Return the directory that all tests are in, so that the fixtures of its conftest are for these, too."""
    common: list[pytest.Collector] = [session]
    chains = [[node for node in item.listchain() if isinstance(node, pytest.Directory)] for item in items]
    for nodes in zip(*chains, strict=False):
        if len({node.nodeid for node in nodes}) > 1:
            break
        common.append(nodes[0])
    return common[-1]
