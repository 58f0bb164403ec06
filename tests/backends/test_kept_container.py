"""`--harness-keep-failed` with a database in a container: the container stays, until the user removes it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

import pytest

from harness.database.engine import remove, sweep
from tests.backends.test_own_database import _BY_PARAMETER, _FAILS
from tests.support.projects import Project, new_project


@pytest.fixture
def project(pytester: pytest.Pytester, postgres_url: object, request: pytest.FixtureRequest) -> Project:
    """An empty project, where containers run."""
    if (selected := request.config.getoption("db")) and "postgres" not in selected:
        pytest.skip(reason="--db leaves servers out")
    return new_project(pytester)


def test_a_container_stays_with_the_databases_of_failed_tests(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed commands open them without a password, and remove it; no later run does."""
    if image := os.environ.get("HARNESS_TEST_IMAGE"):
        monkeypatch.setenv("HARNESS_IMAGE", image)
    project.app().ini("harness_app = shop.main:app").write(test_it=_FAILS, conftest=_BY_PARAMETER)
    result = project.run_apart("--harness-database=postgres", "--harness-keep-failed")

    assert 3 == result.failed, result.text
    commands = re.findall(r"open +docker exec -it (.+)", result.text)
    (removal,) = set(re.findall(r"remove +docker rm -f -v (\S+)", result.text))
    try:
        sweep(print)  # the run that owned it is over
        found = []
        for command in commands:
            asked = ["docker", "exec", *shlex.split(command), "-Atc", "SELECT name FROM users ORDER BY id"]
            done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=180)
            found.append(done.stdout.split())
        assert [["database"], ["delete"], ["rollback", "open"]] == sorted(found)
    finally:
        remove(removal)
