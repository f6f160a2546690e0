"""Processes that are kept running: one that ends is started again, after a pause that grows.

Services are forked from this process, which has imported what they share: they come up sooner, and
memory that is the same in all of them is there once. So nothing here starts a thread or a loop.
"""

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from deploy import processes

PAUSES = (0.5, 1, 2, 4, 8, 15, 30)
"""Seconds before a process that ended is started again."""
STEADY = 60
"""Seconds after which a process counts as running well, and its pauses begin anew."""
STOP_WITHIN = 30
SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}


@dataclass
class Part:
    """One process, and how to start it."""

    name: str
    start: Callable[[], int]
    """Starts it without waiting for it, and returns its process id."""
    floor: int = 0
    """What is on a higher floor needs what is below: it stops first."""
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    once: bool = False
    """It does its work and ends; it is not started again."""
    on_restart: Callable[[], None] = lambda: None
    pid: int = 0
    started: float = 0
    restarts: int = 0
    due: float | None = None
    """When to start it again, by the monotonic clock."""
    ended_with: int | None = None


@dataclass
class Supervisor:
    """All the parts. They start in the order in which they are added, and stop from the top."""

    folder: Path
    """Where each running part's process is written down, for a run that comes after a crash."""
    say: Callable[[str], None]
    parts: list[Part] = field(default_factory=list)
    asked_to_stop: bool = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        processes.end_noted(self.folder, within=STOP_WITHIN)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        return self

    def __exit__(self, *_: object) -> None:
        for floor in sorted({part.floor for part in self.parts}, reverse=True):
            self._stop([part for part in self.parts if part.floor == floor])
        while signal.sigtimedwait(SIGNALS, 0):
            pass
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def add(self, part: Part) -> None:
        """Start a part, and keep it running from now on."""
        self.parts.append(part)
        self._start(part)

    def watch(self, until: Callable[[], bool], *, within: float = float("inf")) -> bool:
        """Look after the parts until the condition holds; False if it doesn't in time.

        False as well, with `asked_to_stop`, as soon as somebody tells us to stop.
        """
        deadline = time.monotonic() + within
        while not self.asked_to_stop and time.monotonic() < deadline:
            if until():
                return True
            self._look()
        return False

    def _look(self) -> None:
        """Wait a moment for a signal; take note of who ended; start who is due."""
        heard = signal.sigtimedwait(SIGNALS, 0.05)
        if heard and heard.si_signo != signal.SIGCHLD:
            self.asked_to_stop = True
            return
        now = time.monotonic()
        for part in list(self.parts):
            if part.pid and (status := processes.ended(part.pid)) is not None:
                self._note_end(part, status, now)
            if part.due is not None and now >= part.due:
                self._start(part)
                part.on_restart()

    def _note_end(self, part: Part, status: int, now: float) -> None:
        part.pid = 0
        processes.forget(self.folder, part.name)
        part.ended_with = status
        if part.once:
            self.parts.remove(part)
            return
        if now - part.started > STEADY:
            part.restarts = 0
        how = f"was killed by signal {-status}" if status < 0 else f"ended with code {status}"
        self._again_later(part, how)

    def _again_later(self, part: Part, how: str) -> None:
        pause = PAUSES[min(part.restarts, len(PAUSES) - 1)]
        part.restarts += 1
        part.due = time.monotonic() + pause
        self.say(f"{part.name} {how}; starting it again in {pause:g} s")

    def _start(self, part: Part) -> None:
        part.due = None
        part.started = time.monotonic()
        try:
            part.pid = part.start()
        except OSError as error:
            if not part.restarts:
                raise
            self._again_later(part, f"could not be started ({error.strerror})")
        else:
            processes.note(self.folder, part.name, part.pid, part.stop_signal)

    def _stop(self, parts: Iterable[Part]) -> None:
        """Told to end, waited for, and killed if they don't, or if somebody is in a hurry."""
        running = [part for part in parts if part.pid]
        for part in running:
            processes.tell(part.pid, part.stop_signal)
        until = time.monotonic() + STOP_WITHIN
        hurried = False
        while running:
            heard = signal.sigtimedwait(SIGNALS, 0.02)
            late = time.monotonic() > until
            if not hurried and (late or (heard and heard.si_signo == signal.SIGINT)):
                hurried = True
                for part in running:
                    self.say(f"{part.name} is still running; ending it at once")
                    processes.tell(part.pid, part.hurry_signal)
            for part in list(running):
                if processes.ended(part.pid) is not None:
                    running.remove(part)
        for part in parts:
            part.pid, part.due = 0, None
            processes.forget(self.folder, part.name)
