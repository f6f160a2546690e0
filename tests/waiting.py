"""Waiting for a condition, under a deadline, instead of for a while."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any


async def until(condition: Callable[[], Any], *, within: float = 15) -> Any:
    """The first true thing that the condition says, at once or when awaited."""
    async with asyncio.timeout(within):
        while True:
            said = condition()
            value = await said if inspect.isawaitable(said) else said
            if value:
                return value
            await asyncio.sleep(0.02)


def until_now(condition: Callable[[], Any], *, within: float = 15) -> Any:
    """The same, for a test without a loop."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return value
