"""Processes of ours: how one is born, how it ends, and how a later run finds one left over."""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import setproctitle

from deploy.problem import Problem
from libs.runtime.logs import describe

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def forked(name: str, run: Callable[[], None], environ: Mapping[str, str], log: Path) -> int:
    """A process of its own that runs this, under its own name, with these settings only."""
    sys.stdout.flush()
    sys.stderr.flush()
    prepare = fresh(signal.SIGTERM)
    pid = os.fork()
    if pid == 0:
        _be(name, run, environ, log, prepare)
    return pid


def _be(
    name: str,
    run: Callable[[], None],
    environ: Mapping[str, str],
    log: Path,
    prepare: Callable[[], None],
) -> NoReturn:
    """In the child: nothing of the parent's terminal, signals or settings stays."""
    code = 1
    try:
        prepare()
        os.closerange(3, 4096)
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nowhere), (1, out), (2, out)):
            os.dup2(source, target)
        setproctitle.setproctitle(f"carespace {name}")
        os.environ.clear()
        os.environ.update(environ)
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException as error:  # noqa: BLE001  (this is where the process ends)
        why = str(error) if isinstance(error, Problem) else "ended by a failure"
        told = {"event": why, "service": name, "level": "error", **describe(error)}
        os.write(2, f"{json.dumps(told)}\n".encode())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fresh(when_orphaned: signal.Signals) -> Callable[[], None]:
    """What a new process does first: hear all signals, its own only, and never outlive us."""
    parent = os.getpid()

    def prepare() -> None:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        LIBC.prctl(PR_SET_PDEATHSIG, when_orphaned)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def ended(pid: int) -> int | None:
    """The exit code of our child, negative for a signal, or None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if found else None


def tell(pid: int, told: signal.Signals) -> None:
    """Send a signal to a process that may have ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, told)


def note(folder: Path, name: str, pid: int, stop_signal: signal.Signals) -> None:
    """Write down who runs, told apart from a later process with the same number by its birth."""
    (folder / f"{name}.process").write_text(f"{pid} {_birth(pid)} {int(stop_signal)}\n")
    (folder / f"{name}.pid").write_text(f"{pid}\n")


def forget(folder: Path, name: str) -> None:
    """It runs no more."""
    for kind in ("pid", "process"):
        (folder / f"{name}.{kind}").unlink(missing_ok=True)


def end_noted(folder: Path, *, within: float) -> list[str]:
    """End what an earlier run has noted and left; the names of what was still there."""
    left = {}
    for file in folder.glob("*.process"):
        with suppress(ValueError):
            pid, birth, stop_signal = (int(word) for word in file.read_text().split())
            if _birth(pid) == birth and alive(pid):
                left[file.stem] = pid
                tell(pid, signal.Signals(stop_signal))
    until = time.monotonic() + within
    while waited_for := [pid for pid in left.values() if alive(pid)]:
        if time.monotonic() > until:
            for pid in waited_for:
                tell(pid, signal.SIGKILL)
        time.sleep(0.02)
    for file in folder.glob("*.process"):
        forget(folder, file.stem)
    return sorted(left)


def alive(pid: int) -> bool:
    """Whether it runs; one that only waits to be collected doesn't."""
    return _state(pid)[:1] not in ([], ["Z"], ["X"])


def _birth(pid: int) -> int:
    """When the process began, in the kernel's ticks since it booted (proc(5)); 0 for none."""
    state = _state(pid)
    return int(state[19]) if state else 0


def _state(pid: int) -> list[str]:
    """The fields of /proc/PID/stat that come after the command's name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
