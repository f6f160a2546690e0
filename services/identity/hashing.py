"""Passwords under argon2id, off the event loop, never more at a time than there are cores.

Each hash takes the same memory and time, whoever it is for; a queue that is full says so at once,
so that a storm of log-ins slows nobody else's page.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypeVar, TypeVarTuple

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from faststream import Context

from libs.contracts.base import Refused
from libs.contracts.identity import Refusal
from services.identity.domain.password import LONGEST, prepared

A = TypeVarTuple("A")
T = TypeVar("T")

QUEUE = 50
"""Log-ins that may wait for a core; one more is told to come again."""


LAST = 19
"""The lowest priority (nice) there is, on Linux a thread's own."""


class Hashing:
    """The one place where passwords become hashes."""

    def __init__(self, *, memory_kib: int, passes: int, lanes: int) -> None:
        self._hasher = PasswordHasher(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID
        )
        cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(
            max_workers=cores, thread_name_prefix="argon2", initializer=_give_way
        )
        self._under_way = 0
        self._most = cores + QUEUE
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

    def outdated(self, known: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)

    def _verify(self, known: str, given: str) -> bool:
        try:
            return self._hasher.verify(known, given)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[*A], T], *given: *A) -> T:
        if self._under_way >= self._most:
            raise Refused(Refusal.BUSY)
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work, *given)
        finally:
            self._under_way -= 1


def _give_way() -> None:
    """Whatever else this machine has to do goes first; argon2's own threads inherit that."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LAST)


AtHashing = Annotated[Hashing, Context("hashing")]
"""A handler's way to hash."""
