"""Tasks beside everything else end when they are told to, in whatever moment that is."""

import asyncio
from contextlib import suppress

import pytest

from libs.runtime import background


async def test_what_happens_in_time_is_seen_and_what_does_not_is_not_waited_for() -> None:
    event = asyncio.Event()
    assert not await background.happens(event, within=0.01)
    event.set()
    assert await background.happens(event, within=0.01)


async def test_a_cancellation_that_comes_as_the_event_happens_is_heeded() -> None:
    event = asyncio.Event()

    async def wait_for_ever() -> None:
        while True:
            await background.happens(event, within=60)
            event.clear()

    task = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.cancelled()


async def test_a_task_that_misses_the_first_word_hears_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "AGAIN_AFTER", 0.01)
    told = 0

    async def hard_of_hearing() -> None:
        nonlocal told
        while told < 2:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            told += 1

    task = asyncio.create_task(hard_of_hearing())
    await asyncio.sleep(0)
    await background.end(task)
    assert told == 2


async def test_what_a_task_failed_with_is_raised_once_all_have_ended() -> None:
    async def fail() -> None:
        raise ValueError("lost")

    failed, other = asyncio.create_task(fail()), asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="lost"):
        await background.end(failed, other)
    assert other.cancelled()
