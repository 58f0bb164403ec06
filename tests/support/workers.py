"""Projects whose tests say which database they got, and how they are run by pytest-xdist."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import make_url

from tests.support.projects import Project

#: Arguments of a run with two workers.
TWO = ("-p", "xdist", "-n2")

_MODELS = """
    from sqlalchemy import String
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(50), unique=True)
"""
_CONFTEST = """
    import json, os
    import pytest

    @pytest.fixture
    def seen(client, db_url, db_session):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        text = db_url.render_as_string(hide_password=False)
        with open("seen.jsonl", "a") as file:
            file.write(json.dumps({"worker": worker, "url": text, "pid": os.getpid(), "parent": os.getppid()}) + "\\n")
"""
_TESTS = """
    import os, signal, time
    import pytest

    @pytest.mark.parametrize("number", range(8))
    def test_it(client, seen, number):
        assert "HARNESS_OF_CONTROLLER" not in os.environ
        assert client.post("/users/ann").status_code == 201
        assert client.get("/users").json() == ["ann"]
"""


def observed(project: Project, *lines: str, tests: str = "") -> Project:
    """Write an application, eight tests, further `tests`, and the lines of the configuration."""
    from textwrap import dedent

    project.app().write(shop__models=_MODELS, conftest=_CONFTEST, test_it=dedent(_TESTS) + dedent(tests))
    return project.ini("harness_app = shop.main:app", *lines)


def seen(project: Project) -> list[dict[str, Any]]:
    """What the tests have said so far: worker, URL, process and its parent."""
    path = project.path / "seen.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def names(project: Project) -> dict[str, str]:
    """The name of the database that each worker had."""
    return {line["worker"]: str(make_url(line["url"]).database) for line in seen(project)}


@contextmanager
def going_on(project: Project, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run in the background; killed at the end, with its workers, if it still goes on."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    unwanted = [part for name in ("randomly", "cacheprovider", "hypothesispytest") for part in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "-p", "harness", *unwanted, *arguments]
    process = subprocess.Popen(
        command, cwd=project.path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=120)


def until(true: Callable[[], object], seconds: float = 120) -> None:
    """Look again and again; an AssertionError if it never becomes true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def kill(pid: int) -> None:
    """End a process at once, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
