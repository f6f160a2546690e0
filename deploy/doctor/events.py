"""What can be wrong with NATS: streams, consumers, who follows, and what no follower could do."""

import asyncio

from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from deploy import dead_letters, streams
from deploy.doctor.finding import Finding

BEHIND = 1000
"""Events that one follower may have before it."""
NEARLY_FULL = 0.8
LOOKS = 5
PAUSE = 0.3
"""A follower that is there asks for events again as soon as it has got some."""


async def examined(jetstream: JetStreamContext, *, replicas: int) -> list[Finding]:
    """What differs from the contracts first; the rest where it is there."""
    found = [
        Finding(about="streams", what=what, remedy="Run `carespace migrate`.")
        for what in await streams.drift(jetstream, replicas=replicas)
    ]
    found += await _full(jetstream)
    found += await _dead(jetstream)
    looks = (
        _follower(jetstream, stream, consumer.durable_name or "")
        for stream, consumer in streams.consumers()
    )
    return found + [each for told in await asyncio.gather(*looks) for each in told]


async def _full(jetstream: JetStreamContext) -> list[Finding]:
    found = []
    for stream in await jetstream.streams_info():
        most = stream.config.max_bytes or 0
        if most > 0 and stream.state.bytes > NEARLY_FULL * most:
            share = 100 * stream.state.bytes // most
            found.append(
                Finding(
                    about="streams",
                    what=f"The stream {stream.config.name} is {share} % full. When it is full, it "
                    "takes nothing new, and events wait in the database.",
                    remedy="Look who announces so much; what is older than 14 days goes by itself.",
                )
            )
    return found


async def _dead(jetstream: JetStreamContext) -> list[Finding]:
    try:
        letters = [letter async for letter in dead_letters.waiting(jetstream)]
    except NotFoundError:
        return []
    if not letters:
        return []
    followers = ", ".join(sorted({letter.follower for letter in letters}))
    return [
        Finding(
            about="dead letters",
            what=f"{len(letters)} events could not be done, however often it was tried, by "
            f"{followers}.",
            remedy="See `carespace dead-letters list`; once the cause is gone, `carespace "
            "dead-letters replay --all`.",
        )
    ]


async def _follower(jetstream: JetStreamContext, stream: str, name: str) -> list[Finding]:
    service = name.split("-", maxsplit=1)[0]
    try:
        info = await jetstream.consumer_info(stream, name)
    except NotFoundError:
        return []  # said by the drift
    if (info.num_pending or 0) > BEHIND:
        return [
            Finding(
                about="followers",
                what=f"{service} is {info.num_pending} events of {stream} behind ({name}).",
                remedy=f"Look what the log of {service} says, or run more of it.",
            )
        ]
    if await _is_followed(jetstream, stream, name, info):
        return []
    return [
        Finding(
            about="followers",
            what=f"Nobody takes the events of {name}: {service} does not run, or can't reach NATS.",
            remedy=f"Start {service}, and look what its log says.",
        )
    ]


async def _is_followed(
    jetstream: JetStreamContext, stream: str, name: str, info: ConsumerInfo
) -> bool:
    for _ in range(LOOKS):
        if info.num_waiting or info.num_ack_pending:
            return True
        await asyncio.sleep(PAUSE)
        info = await jetstream.consumer_info(stream, name)
    return False
