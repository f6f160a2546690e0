"""How a handler learns the time."""

import threading
from datetime import UTC, datetime, timedelta

from fast_depends import inject

from libs.runtime.clock import Now


async def test_the_time_is_told_without_going_to_another_thread() -> None:
    """A plain function as a dependency would: each request would wait for a thread's turn."""

    @inject
    async def handler(now: Now) -> datetime:
        return now

    before = threading.active_count()
    told = await handler()  # type: ignore[call-arg]

    assert datetime.now(UTC) - told < timedelta(seconds=5)
    assert threading.active_count() == before
