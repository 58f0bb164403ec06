"""The messages about containers, read."""

from __future__ import annotations

import pytest

from harness.database import complaints, engine
from harness.errors import MissingExtra


def test_no_engine_names_what_was_tried_and_three_ways_out() -> None:
    """Start one, point to one, or do without."""
    assert str(complaints.no_engine("unix:///nowhere (DOCKER_HOST)", "no such file")) == (
        "no container engine answers, and a database in a container needs one\n"
        "  where unix:///nowhere (DOCKER_HOST)\n"
        "  why   the attempt to reach it ended with: no such file\n"
        "  fix   start Docker (systemctl start docker, or Docker Desktop), Podman's socket, Colima …\n"
        "        or point DOCKER_HOST at the engine (docker context ls shows where it is)\n"
        "        or do without containers: --harness-database=sqlite, or give a server's URL: "
        "--harness-database=postgresql://user:password@host/app_test"
    )


def test_no_image_lists_those_that_are_there() -> None:
    """One of them may do."""
    text = str(complaints.no_image("postgres:17", "no such host", ["postgres:15", "postgres:16"]))

    assert "the image postgres:17 is not on this machine and cannot be pulled" in text
    assert "the engine says: no such host" in text
    assert "docker pull postgres:17" in text
    assert "harness_image = postgres:15 or postgres:16" in text


def test_a_server_that_is_not_ready_shows_the_end_of_its_log() -> None:
    """The reason is nearly always there."""
    text = str(complaints.not_ready("postgres:17", "stopped with exit code 1", None, "one\ntwo"))

    assert "postgres:17 cannot be used: stopped with exit code 1" in text
    assert "        the end of its log:\n          one\n          two\n" in text.replace("  why   ", "        ")


def test_the_tail_of_a_log_is_its_last_lines() -> None:
    """However long it is, and whatever bytes are in it."""
    assert complaints.tail(b"0\n1\n2\xff\n\n", lines=2) == "1\n2�"


def test_missing_testcontainers_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command can be copied."""
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as missing, engine.reach():
        pass

    assert str(missing.value) == (
        "testcontainers is not installed, and a database in a container needs it\n"
        '  fix   pip install "pytest-fastapi-harness[containers]"'
    )
