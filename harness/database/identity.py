"""Who owns a container? One run of one process on one machine, told apart from a later one that reuses its number."""

from __future__ import annotations

import os
import platform
import secrets
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN, PID, HOST, BORN = "harness.run", "harness.pid", "harness.host", "harness.born"

#: The label of what belongs to no run, but serves one after the other.
REUSED = "harness.reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """One run.

    Attributes:
        run_id: short, random, lower-case hexadecimal: fit for the name of a database or a container.
        pid: the process that owns what the run starts.
        host_token: the machine since its last start, and the process namespace: where `pid` means anything.
        born: when the process started, so that a reused `pid` is not taken for it; empty if unknown.
        worker: which of several processes of the run this is; empty in the one that owns what they share. A worker has
            the other fields of its owner, so what it leaves belongs to that one.
    """

    run_id: str
    pid: int
    host_token: str
    born: str = ""
    worker: str = ""

    def labels(self) -> dict[str, str]:
        """Return the labels that mark a container as this run's."""
        return {RUN: self.run_id, PID: str(self.pid), HOST: self.host_token, BORN: self.born}


def current() -> RunIdentity:
    """Return a new identity for a run of this process."""
    pid = os.getpid()
    return RunIdentity(run_id=secrets.token_hex(4), pid=pid, host_token=host_token(), born=_born(pid) or "")


def host_token() -> str:
    """Name this machine, its current uptime and this process namespace.

    Machines may share a container engine, and cloned ones their name; the kernel's boot id differs between all of
    them. A restart changes it too: what an earlier uptime left is then nobody's, which is a leak, but never a
    container pulled away from under somebody.
    """
    boot = _read("/proc/sys/kernel/random/boot_id") or f"{uuid.getnode():x}"
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = platform.system()
    return "/".join((platform.node() or "unnamed", boot, namespace))


def alive(labels: Mapping[str, str]) -> bool:
    """Tell whether the owner that a container's labels name may still run. In doubt it does."""
    pid = labels.get(PID, "")
    if labels.get(HOST) != host_token() or not pid.isdigit():
        return True
    born = labels.get(BORN, "")
    now = _born(int(pid))
    if now is None:
        return not _is_gone(int(pid))
    return not born or now == born


def _born(pid: int) -> str | None:
    """Return the start time of a process in whatever unit the system has, or None if it is gone or unknown."""
    if platform.system() == "Linux":
        stat = _read(f"/proc/{pid}/stat")
        # The second field is the command in parentheses and may itself contain spaces and parentheses.
        fields = stat.rpartition(")")[2].split() if stat else []
        return None if len(fields) < 20 or fields[0] in "ZX" else fields[19]
    if platform.system() == "Windows":
        return None
    command = ("ps", "-o", "lstart=", "-p", str(pid))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=5, env={**os.environ, "LC_ALL": "C"}, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _is_gone(pid: int) -> bool:
    stat = _read(f"/proc/{pid}/stat")
    if stat is not None:
        return stat.rpartition(")")[2].split()[0] in "ZX"  # killed, and not yet waited for by its parent
    if platform.system() == "Windows":
        return False  # there, signal 0 is not a question: it ends the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's process, hidden from us
    return False


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
