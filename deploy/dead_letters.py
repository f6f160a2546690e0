"""Events that a follower could not do, however often it tried, or could not read at all.

NATS tells of each in an advisory, which the stream `dead` keeps. The event itself stays in its own
stream, so that it can be looked at, and published again once the cause is gone. That brings it to
all its followers; the inbox of those who have done it already lets it pass.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from deploy.nats_config import DEAD
from deploy.problem import SaidNo

WHY = {
    "io.nats.jetstream.advisory.v1.max_deliver": "failed too often",
    "io.nats.jetstream.advisory.v1.terminated": "could not be read",
}


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """An event that one follower has not done."""

    number: int
    """Its place among the dead letters."""
    why: str
    at: datetime
    follower: str
    deliveries: int
    stream: str
    sequence: int
    """Its place in its own stream."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """The event itself. It holds ids only, and nothing personal."""

    subject: str
    body: bytes


async def waiting(jetstream: JetStreamContext) -> AsyncIterator[DeadLetter]:
    """Every dead letter, oldest first."""
    state = (await jetstream.stream_info(DEAD)).state
    # A stream that has never held anything says its first is 0, which NATS refuses to look for.
    for number in range(max(state.first_seq, 1), state.last_seq + 1):
        try:
            yield await find(jetstream, number)
        except SaidNo:
            continue


async def find(jetstream: JetStreamContext, number: int) -> DeadLetter:
    """One of them, or a no."""
    try:
        kept = await jetstream.get_msg(DEAD, number)
    except NotFoundError:
        raise SaidNo(f"There is no dead letter {number}.") from None
    told = json.loads(kept.data or b"{}")
    return DeadLetter(
        number=number,
        why=WHY.get(told["type"], told["type"]),
        at=datetime.fromisoformat(told["timestamp"]),
        follower=told["consumer"].split("-")[0],
        deliveries=told["deliveries"],
        stream=told["stream"],
        sequence=told["stream_seq"],
    )


async def content(jetstream: JetStreamContext, letter: DeadLetter) -> Content:
    """What it was about; a no if its stream has let it go, after 14 days."""
    try:
        kept = await jetstream.get_msg(letter.stream, letter.sequence)
    except NotFoundError:
        raise SaidNo(f"The event of dead letter {letter.number} is kept no longer.") from None
    return Content(subject=kept.subject or "", body=kept.data or b"")


async def replay(jetstream: JetStreamContext, letter: DeadLetter) -> None:
    """Publish the event again; only when it is stored is the dead letter gone."""
    event = await content(jetstream, letter)
    await jetstream.publish(event.subject, event.body, stream=letter.stream, timeout=10)
    await drop(jetstream, letter)


async def drop(jetstream: JetStreamContext, letter: DeadLetter) -> None:
    """Let it go undone."""
    await jetstream.delete_msg(DEAD, letter.number)
