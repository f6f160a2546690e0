"""What checking a password costs everybody else."""

import asyncio
import os
import threading

import pytest

from services.identity.hashing import Hashing


async def test_whatever_else_the_machine_has_to_do_goes_before_passwords() -> None:
    hashing = Hashing(memory_kib=8, passes=1, lanes=1)

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    at_work = await asyncio.gather(*(hashing._run(priority) for _ in range(4)))

    assert min(at_work) > priority()


async def test_nobodys_password_costs_as_much_as_somebodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without an account is hashed for all the same, and refused."""
    hashing, verified = Hashing(memory_kib=8, passes=1, lanes=1), list[str]()

    def verify(known: str, given: str) -> bool:
        verified.append(known)
        return True

    monkeypatch.setattr(hashing, "_verify", verify)
    assert not await hashing.fits(None, "Quiet-Harbor-72")
    assert await hashing.fits("known", "Quiet-Harbor-72")
    assert len(verified) == 2
