"""Passwords under argon2id, off the event loop, never more at a time than there are cores.

Each hash takes the same memory and time, whoever it is for; a queue that is full says so at once,
so that a storm of log-ins slows nobody else's page.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Annotated, TypeVar, TypeVarTuple

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.context import Context
from services.identity import watch
from services.identity.domain.password import LONGEST, prepared

A = TypeVarTuple("A")
T = TypeVar("T")

QUEUE = 50
"""Log-ins that may wait for a core; one more is told to come again."""
ASKED = 2 * QUEUE
"""Log-ins that are looked at together, more than may wait, so that one too many is told at once."""
POLITENESS = 10
"""How far hashing stands back for everything else on the machine (its nice value): about a tenth of
a core is left to it where all cores are wanted."""


class Hashing:
    """The one place where passwords become hashes."""

    def __init__(self, *, memory_kib: int, passes: int, lanes: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID
        )
        cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(
            max_workers=cores, thread_name_prefix="argon2", initializer=_stand_back
        )
        self._under_way = 0
        self._most = cores + QUEUE
        watch.HASHING_LIMIT.set(self._most)
        self._nobody = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """A new hash of a password."""
        return await self._run(self._hasher.hash, prepared(password))

    async def fits(self, known: str | None, password: str) -> bool:
        """Whether this is the password; without an account, the same work for the same no."""
        usable = len(password) <= LONGEST
        given = prepared(password) if usable else ""
        fits = await self._run(self._verify, known or self._nobody, given)
        return fits and usable and known is not None

    def expect_room(self) -> None:
        """The queue is not full; else there is no use in beginning."""
        if self._under_way >= self._most:
            watch.HASHING_REFUSED.inc()
            raise Refused(Refusal.BUSY)

    def outdated(self, known: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)

    def close(self) -> None:
        """What is under way ends, and nothing new begins."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, known: str, given: str) -> bool:
        try:
            return self._hasher.verify(known, given)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[*A], T], *given: *A) -> T:
        self.expect_room()
        self._under_way += 1
        try:
            with watch.HASHING.track_inprogress(), watch.HASHING_SECONDS.time():
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._pool, work, *given)
        finally:
            self._under_way -= 1


def _stand_back() -> None:
    """This thread, and those that argon2 starts from it, run when nothing else wants to."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITENESS)


AtHashing = Annotated[Hashing, Context("hashing")]
"""A handler's way to hash."""
