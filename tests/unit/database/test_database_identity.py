"""Does the owner of a container still run?"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

import pytest

from harness.database import identity
from harness.database.identity import BORN, HOST, PID, RUN, alive, current


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def _labels_of(pid: int) -> dict[str, str]:
    return current().labels() | {PID: str(pid), BORN: identity._born(pid) or ""}


def test_this_run_is_alive() -> None:
    """A sweep never takes the containers of the run that sweeps."""
    assert alive(current().labels())


def test_another_process_is_alive_until_it_is_killed() -> None:
    """Also while its parent has not waited for it yet."""
    process = _sleeper()
    labels = _labels_of(process.pid)
    running = alive(labels)
    process.kill()
    time.sleep(0.2)
    zombie = alive(labels)
    process.wait()

    assert (running, zombie, alive(labels)) == (True, False, False)


def test_a_process_that_reuses_the_number_is_not_the_owner() -> None:
    """The start time tells them apart."""
    assert not alive(current().labels() | {BORN: "1"})


@pytest.mark.parametrize("host", ["elsewhere", ""])
def test_the_owner_on_another_machine_counts_as_alive(host: str) -> None:
    """Its process cannot be seen from here, whatever runs here under the same number."""
    assert alive(current().labels() | {HOST: host, BORN: "1"})


@pytest.mark.parametrize("pid", ["", "x", "-1"])
def test_labels_that_make_no_sense_count_as_alive(pid: str) -> None:
    """In doubt, nothing is removed."""
    assert alive(current().labels() | {PID: pid})


def test_a_hidden_process_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """With /proc hidden, a signal is refused to somebody else's process, and only missing for none at all."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(identity, "_read", lambda path: None)
    monkeypatch.setattr(os, "kill", refuse)

    assert alive({HOST: identity.host_token(), PID: "4242", BORN: "7"})


def test_without_proc_the_start_time_comes_from_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    process = _sleeper()
    labels = _labels_of(process.pid)
    running = alive(labels)
    process.kill()
    process.wait()

    assert labels[BORN]
    assert (running, alive(labels)) == (True, False)


def test_each_run_has_its_own_name() -> None:
    """Two runs of one process do not share databases; the name is fit for one."""
    one, two = current(), current()

    assert one.run_id != two.run_id
    assert one.run_id.isalnum()
    assert one.run_id.islower() or one.run_id.isdigit()
    assert set(one.labels()) == {RUN, PID, HOST, BORN}
