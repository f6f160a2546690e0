"""How much memory processes take, looked at while they work."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

MEGABYTE = 1024 * 1024
LOOK_EVERY = 0.02
"""Seconds between two looks."""


class Watch:
    """How much memory a process and all under it took at most, while this is open."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.most = 0.0

    def __enter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            self.most = max(self.most, taken(self._pid))
            await asyncio.sleep(LOOK_EVERY)


class Growth:
    """By how much one of several processes, or one that comes of them, grew at most meanwhile."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = pids
        self._before = self._now()
        self._most: dict[int, int] = {}

    @property
    def most(self) -> float:
        """Of the one that grew most; a new one with all that it took."""
        grown = (most - self._before.get(pid, 0) for pid, most in self._most.items())
        return max(grown, default=0) / MEGABYTE

    def __enter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    def __exit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            for pid, size in self._now().items():
                self._most[pid] = max(self._most.get(pid, 0), size)
            await asyncio.sleep(LOOK_EVERY * 5)

    def _now(self) -> dict[int, int]:
        return {one: _resident(one) for pid in self._pids for one in _under(pid)}


def taken(pid: int) -> float:
    """Megabytes of a process and all under it, now."""
    return sum(map(_resident, _under(pid))) / MEGABYTE


def _under(pid: int) -> Iterator[int]:
    """A process, and every one that comes of it."""
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _under(int(child))


def _resident(pid: int) -> int:
    """Bytes of a process's own: what it shares with others is there once, whoever reads what."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
