"""What was started is removed, however the process ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from harness.database.cleanup import guaranteed

SETUP = (
    "import os, signal, sys, time\n"
    "from harness.database.cleanup import guaranteed\n"
    "close = guaranteed(lambda: print('removed', flush=True), outlives_process=True)\n"
)


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SETUP + code], capture_output=True, text=True, timeout=99, check=False)


def test_closing_twice_removes_once() -> None:
    """A close is safe to call from everywhere."""
    calls: list[int] = []
    close = guaranteed(lambda: calls.append(1), outlives_process=False)
    close()
    close()

    assert calls == [1]


def test_a_removal_that_was_interrupted_is_tried_again() -> None:
    """It is not done before it is done."""
    calls: list[int] = []

    def remove() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt

    close = guaranteed(remove, outlives_process=False)
    with pytest.raises(KeyboardInterrupt):
        close()
    close()
    close()

    assert calls == [1, 1]


@pytest.mark.parametrize("end", ["pass", "sys.exit(3)", "raise RuntimeError", "raise KeyboardInterrupt"])
def test_the_end_of_the_interpreter_removes(end: str) -> None:
    """Whatever ended it."""
    assert _run(end).stdout == "removed\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_fatal_signal_removes_and_stays_fatal(number: signal.Signals) -> None:
    """The parent sees the same end as without harness."""
    done = _run(f"os.kill(os.getpid(), {number.value}); time.sleep(5)")

    assert (done.stdout, done.returncode) == ("removed\n", -number)


def test_a_fatal_signal_removes_everything() -> None:
    """There may be several databases."""
    second = "other = guaranteed(lambda: print('removed too', flush=True), outlives_process=True)\n"
    done = _run(second + "os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)")

    assert sorted(done.stdout.splitlines()) == ["removed", "removed too"]
    assert done.returncode == -signal.SIGTERM


def test_a_handler_of_the_users_own_stays() -> None:
    """He decides how his process ends."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        close = guaranteed(lambda: None, outlives_process=True)
        during = signal.getsignal(signal.SIGTERM)
        close()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert during is signal.SIG_IGN


def test_closing_gives_the_signals_back() -> None:
    """Nothing of harness's stays in the process."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    guaranteed(lambda: None, outlives_process=True)()

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before


def test_a_forked_child_removes_nothing() -> None:
    """Neither by closing nor by ending: what it inherited belongs to its parent."""
    done = _run(
        "pid = os.fork()\nif pid == 0:\n    close()\n    sys.exit()\nos.waitpid(pid, 0)\nprint('parent', flush=True)"
    )

    assert done.stdout == "parent\nremoved\n"


def test_closing_in_another_thread_works() -> None:
    """Signals can only be given back by the main thread; the rest is done."""
    thread = "import threading\nthread = threading.Thread(target=close)\nthread.start()\nthread.join()\n"
    done = _run(thread + "print('end', flush=True)")

    assert (done.stdout, done.returncode, done.stderr) == ("removed\nend\n", 0, "")
