"""`harness_server`: where a server comes from."""

from __future__ import annotations

import pytest

from tests.support.options import OptionLaws
from tests.support.projects import Project


class TestServer(OptionLaws):
    """The laws of every option."""

    name = "server"
    first = "container"
    second = "local"
    default = "auto"


@pytest.fixture
def idle(project: Project) -> Project:
    """A project whose only test uses no database, so that no server is started."""
    project.write(test_it="def test_it(): pass")
    return project


def test_an_unknown_value_lists_the_valid_ones(idle: Project) -> None:
    """Before any test runs."""
    idle.run("--harness-server=docker").assert_usage_error(
        "harness_server does not know 'docker'", "valid: auto, container, local"
    )


def test_the_header_shows_what_will_be_tried(idle: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, whoever chose it; an image that was chosen is not replaced by what happens to be installed."""
    monkeypatch.setattr("harness.database.binaries.directory", lambda: "/pg/bin")
    tried = {
        (): "database container postgres:17, else local server (/pg/bin) (",
        ("--harness-server=container",): "database container postgres:17 (",
        ("--harness-server=local",): "database local server (/pg/bin) (",
        ("--harness-reuse",): "database reusable server, else container postgres:17, else local server (/pg/bin) (",
        ("--harness-image=postgres:15",): "database container postgres:15 (",
    }
    for arguments, told in tried.items():
        result = idle.run("--harness-database=postgres", *arguments)
        assert told in result.header, result.text


def test_there_is_no_local_mariadb(idle: Project) -> None:
    """Told before any test, with what to do instead."""
    idle.run("--harness-database=mariadb", "--harness-server=local").assert_usage_error(
        "harness_server 'local' cannot be used with mariadb", "for PostgreSQL only", "harness_server = container"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--harness-database=sqlite", "--harness-server=local"), "--harness-server=local has no use with"),
        (
            ("--harness-database=postgres", "--harness-server=local", "--harness-image=postgres:15"),
            "--harness-image=postgres:15 has no use with --harness-server=local",
        ),
        (("--harness-fresh",), "--harness-fresh has nothing to forget"),
    ],
)
def test_what_contradicts_itself_is_refused(idle: Project, arguments: tuple[str, ...], told: str) -> None:
    """Rather than one of the two being ignored."""
    idle.run(*arguments).assert_usage_error(told)
