"""`harness_keep_dir` and `--harness-keep-failed`: what a failed test leaves to look into."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project

_FAILS = """
    import pytest
    from shop.models import User

    @pytest.mark.harness(isolation="{isolation}")
    def test_it(client, db_session):
        client.post("/users/ann")
        db_session.add(User(name="unsaved"))
        db_session.flush()
        assert client is None

    def test_right(client):
        client.post("/users/bob")

    def test_idle():
        raise ValueError("before the database")
"""


class TestKeepDir(OptionLaws):
    """The laws of every option."""

    name = "keep_dir"
    first = "kept"
    second = "elsewhere"
    default = "harness-kept"


def rows(path: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM users ORDER BY id")]


@pytest.mark.parametrize(
    ("isolation", "found"), [("rollback", ["ann", "unsaved"]), ("database", ["ann"]), ("delete", ["ann"])]
)
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_failed_test_leaves_its_database(project: Project, kind: str, isolation: str, found: list[str]) -> None:
    """As the test's connections saw it, in a file; and its report says how to open it. Other tests leave none.

    A rollback test has one connection, whose open transaction belongs to it; with real ones, it is nobody else's.
    """
    project.app(kind).ini("harness_app = shop.main:app").write(test_it=_FAILS.format(isolation=isolation))
    result = project.run("--harness-keep-failed")

    assert (1, 2) == (result.passed, result.failed), result.text
    result.assert_says("kept the database of this test")
    (path,) = re.findall(r"open +sqlite3 (\S+)", result.text)
    assert [path] == [str(file) for file in (project.path / "harness-kept").iterdir()]
    assert found == rows(path)


def test_nothing_is_kept_unless_asked(project: Project) -> None:
    """Not even the directory."""
    project.app().ini("harness_app = shop.main:app").write(test_it=_FAILS.format(isolation="database"))

    assert "kept the database" not in project.run().text
    assert not (project.path / "harness-kept").exists()


def test_a_run_without_failures_makes_no_directory(project: Project) -> None:
    """It is tried out before, and made when there is something to keep."""
    project.app().ini("harness_app = shop.main:app").write(test_it="def test_it(client): pass")

    project.run("--harness-keep-failed").assert_passed(1)
    assert not (project.path / "harness-kept").exists()


def test_a_directory_that_cannot_be_written_is_told_at_the_start(project: Project) -> None:
    """Rather than after the failure."""
    (project.path / "harness-kept").write_text("a file")
    project.app().write(test_it="def test_it(): raise AssertionError('a test ran')")

    project.run("--harness-keep-failed").assert_usage_error(
        "databases of failed tests cannot be kept in", "harness-kept", "harness_keep_dir", "--harness-keep-dir=PATH"
    )
