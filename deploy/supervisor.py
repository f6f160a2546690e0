"""Processes that are kept running: one that ends is started again, after a pause that grows.

Services are forked from this process, which has imported what they share: they come up sooner, and
memory that is the same in all of them is there once. So nothing here starts a thread or a loop.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, Self

import setproctitle

PAUSES = (0.5, 1, 2, 4, 8, 15, 30)
"""Seconds before a process that ended is started again."""
STEADY = 60
"""Seconds after which a process counts as running well, and its pauses begin anew."""
STOP_WITHIN = 30
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One process, and how to start it."""

    name: str
    start: Callable[[], int]
    """Starts it, and returns its process id."""
    stop_signal: signal.Signals = signal.SIGTERM
    pid: int = 0
    started: float = 0
    restarts: int = 0
    due: float | None = None
    """When to start it again, by the monotonic clock."""


@dataclass
class Supervisor:
    """All the parts, in the order in which they start; they stop in the opposite one."""

    folder: Path
    """Where each running part's process id is written down."""
    say: Callable[[str], None]
    parts: list[Part] = field(default_factory=list)
    asked_to_stop: bool = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self.parts):
            self._stop(part)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def add(self, part: Part) -> None:
        """Start a part, and keep it running from now on."""
        self.parts.append(part)
        self._start(part)

    def watch(self, until: Callable[[], bool]) -> bool:
        """Look after the parts until the condition holds; False if we are told to stop first."""
        while not self.asked_to_stop:
            if until():
                return True
            self._look()
        return False

    def _look(self) -> None:
        """Wait a moment for a signal; take note of who ended; start who is due."""
        heard = signal.sigtimedwait(SIGNALS, 0.1)
        if heard and heard.si_signo != signal.SIGCHLD:
            self.asked_to_stop = True
            return
        now = time.monotonic()
        for part in self.parts:
            if part.pid and (status := _ended(part.pid)) is not None:
                self._note_end(part, status, now)
            if part.due is not None and now >= part.due:
                self._start(part)

    def _note_end(self, part: Part, status: int, now: float) -> None:
        part.pid = 0
        if now - part.started > STEADY:
            part.restarts = 0
        pause = PAUSES[min(part.restarts, len(PAUSES) - 1)]
        part.restarts += 1
        part.due = now + pause
        how = f"was killed by signal {-status}" if status < 0 else f"ended with code {status}"
        self.say(f"{part.name} {how}; starting it again in {pause:g} s")

    def _start(self, part: Part) -> None:
        part.due = None
        part.pid = part.start()
        part.started = time.monotonic()
        self._pid_file(part).write_text(f"{part.pid}\n")

    def _stop(self, part: Part) -> None:
        """Told to end, waited for, and killed if it doesn't."""
        part.due = None
        if part.pid:
            _tell(part.pid, part.stop_signal)
            until = time.monotonic() + STOP_WITHIN
            while _ended(part.pid) is None:
                if time.monotonic() > until:
                    self.say(f"{part.name} did not stop; killing it")
                    _tell(part.pid, signal.SIGKILL)
                    os.waitpid(part.pid, 0)
                    break
                time.sleep(0.02)
            part.pid = 0
        self._pid_file(part).unlink(missing_ok=True)

    def _pid_file(self, part: Part) -> Path:
        return self.folder / f"{part.name}.pid"


def forked(name: str, run: Callable[[], None], environ: Mapping[str, str], log: Path) -> int:
    """A process of its own that runs this, under its own name, with these settings only."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be(name, run, environ, log)
    return pid


def _be(name: str, run: Callable[[], None], environ: Mapping[str, str], log: Path) -> NoReturn:
    """In the child: nothing of the parent's terminal, signals or settings stays."""
    code = 1
    try:
        fresh()
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
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fresh() -> None:
    """A new process hears all signals, its own only, and dies with its parent (prctl(2))."""
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _ended(pid: int) -> int | None:
    """The exit code, negative for a signal, or None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if found else None


def _tell(pid: int, told: signal.Signals) -> None:
    try:
        os.kill(pid, told)
    except ProcessLookupError:
        return
