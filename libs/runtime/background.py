"""Tasks that go on beside everything else: how they wait, and how they end."""

import asyncio
from typing import Any

AGAIN_AFTER = 2.0
"""Seconds after which a task that is still there is cancelled once more."""


async def happens(event: asyncio.Event, *, within: float) -> bool:
    """Whether it happened before so many seconds were over. A cancellation is always heeded.

    `asyncio.wait_for` forgets one that comes as the event happens (Python before 3.12).
    """
    try:
        async with asyncio.timeout(within):
            return await event.wait()
    except TimeoutError:
        return False


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel them until they have ended; what one of them had failed with is raised.

    Libraries below us wait with `asyncio.wait_for`, so once is not always enough.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=AGAIN_AFTER)
    for task in tasks:
        if not task.cancelled():
            task.result()
