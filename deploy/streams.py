"""Streams and consumers, made and kept as the contracts want them; no service makes its own."""

from dataclasses import replace

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from deploy.nats_config import DEAD
from libs.contracts import registry
from libs.contracts.base import owner, phrase

KEPT = 14 * 24 * 3600
"""Seconds an event stays, followed or not."""
DUPLICATES = 24 * 3600
"""Seconds in which the same event published again is dropped; the inbox guards beyond that."""
ACK_WAIT = 30
"""Seconds a follower has for one event; its handlers take milliseconds."""
MAX_DELIVER = 12
"""Tries before an event is a dead letter: with growing pauses, about an hour and a half."""


def streams(*, replicas: int = 1) -> list[StreamConfig]:
    """One stream for each service's events, and one for dead letters."""
    kept = StreamConfig(
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=KEPT,
        max_bytes=512 * 1024 * 1024,
        max_msg_size=64 * 1024,
        duplicate_window=DUPLICATES,
        num_replicas=replicas,
    )
    dead = replace(
        kept,
        name=DEAD,
        subjects=[
            "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
            "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
        ],
        discard=DiscardPolicy.OLD,
    )
    return [
        *(
            replace(kept, name=service, subjects=[f"event.{service}.>"])
            for service in registry.services()
        ),
        dead,
    ]


def consumers() -> list[tuple[str, ConsumerConfig]]:
    """One durable consumer for each follower of each event, with the stream that it reads."""
    return [
        (
            owner(event),
            ConsumerConfig(
                durable_name=f"{follower}-{phrase(event)}",
                filter_subject=event.subject,
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT,
                max_deliver=MAX_DELIVER,
                max_ack_pending=1000,
            ),
        )
        for event in registry.events()
        for follower in event.followers
    ]


async def provision(jetstream: JetStreamContext, *, replicas: int = 1) -> None:
    """Make what is missing and change what differs. Nothing is ever deleted."""
    for stream in streams(replicas=replicas):
        try:
            await jetstream.stream_info(stream.name or "")
            await jetstream.update_stream(stream)
        except NotFoundError:
            await jetstream.add_stream(stream)
    for name, consumer in consumers():
        await jetstream.add_consumer(name, consumer)
