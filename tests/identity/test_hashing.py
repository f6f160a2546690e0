"""What checking a password costs everybody else."""

import asyncio
import os
import threading

from services.identity.hashing import Hashing


async def test_whatever_else_the_machine_has_to_do_goes_before_passwords() -> None:
    hashing = Hashing(memory_kib=8, passes=1, lanes=1)

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    at_work = await asyncio.gather(*(hashing._run(priority) for _ in range(4)))

    assert min(at_work) > priority()
