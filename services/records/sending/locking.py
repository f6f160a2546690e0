"""Keys out of passwords, off the event loop, and never more at a time than there are cores."""

import asyncio
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from argon2.low_level import Type, hash_secret_raw

from libs.contracts.base import Refused
from libs.contracts.records.refusals import Refusal
from libs.runtime.context import Context
from services.records.domain.sending import Cost

QUEUE = 20
"""That may wait for a core; one more is told to come again."""


class Locks:
    """The one place where a password becomes a key."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="argon2")
        self._under_way = 0
        self._most = cores + QUEUE

    async def key(self, password: str, salt: bytes, cost: Cost) -> bytes:
        """32 bytes that nobody finds without the password (argon2id, RFC 9106)."""
        if self._under_way >= self._most:
            raise Refused(Refusal.BUSY)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, _derived, password, salt, cost
            )
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """What is under way ends, and nothing new begins."""
        self._pool.shutdown(wait=False, cancel_futures=True)


AtLocks = Annotated[Locks, Context("locks")]


def _derived(password: str, salt: bytes, cost: Cost) -> bytes:
    return hash_secret_raw(
        unicodedata.normalize("NFKC", password).encode(),
        salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=32,
        type=Type.ID,
    )
