"""Streams and consumers, made and kept as the contracts want them; no service makes its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import nats.errors
from nats.aio.client import Client
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
from nats.js.errors import NotFoundError, ServiceUnavailableError

from deploy.nats_config import DEAD
from deploy.problem import Problem
from libs.contracts import registry
from libs.contracts.base import TRIES, owner, phrase
from libs.runtime import trust

KEPT = 14 * 24 * 3600
"""Seconds an event stays, followed or not."""
DUPLICATES = 24 * 3600
"""Seconds in which the same event published again is dropped; the inbox guards beyond that."""
ACK_WAIT = 30
"""Seconds a follower has for one event; its handlers take milliseconds."""


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
                max_deliver=TRIES,
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


async def drift(jetstream: JetStreamContext, *, replicas: int = 1) -> list[str]:
    """What differs from what the contracts want, a sentence each; nothing if all is well."""
    found = []
    for stream in streams(replicas=replicas):
        name = stream.name or ""
        try:
            there = (await jetstream.stream_info(name)).config
        except NotFoundError:
            found.append(f"The stream {name} is missing.")
        else:
            found += _differences(f"stream {name}", stream, there)
    for name, consumer in consumers():
        durable = consumer.durable_name or ""
        try:
            has = (await jetstream.consumer_info(name, durable)).config
        except NotFoundError:
            found.append(f"The consumer {durable} of the stream {name} is missing.")
        else:
            found += _differences(f"consumer {durable} of the stream {name}", consumer, has)
    return found


def _differences(
    what: str, wanted: StreamConfig | ConsumerConfig, there: StreamConfig | ConsumerConfig
) -> list[str]:
    has = there.as_dict()
    return [
        f"{name} of the {what} is {has.get(name)}, not {value}."
        for name, value in wanted.as_dict().items()
        if has.get(name, value) != value
    ]


@asynccontextmanager
async def provisioner(
    url: str, seed: str, *, ca: str = "", patience: float = 5
) -> AsyncIterator[JetStreamContext]:
    """A connection with the rights to make streams and consumers, and to read what they hold.

    The servers of a cluster that has just come up, or has lost one, first have to agree who leads.
    """
    until = asyncio.get_running_loop().time() + patience
    client = await _connected(url, seed, ca, until)
    try:
        await _led(client, until)
        yield client.jetstream(timeout=10)
    except (nats.errors.TimeoutError, ServiceUnavailableError):
        raise Problem(
            f"NATS answers at {url}, but nobody leads its streams: is more than half of the "
            "cluster's servers up?"
        ) from None
    finally:
        await client.close()


async def _led(client: Client, until: float) -> None:
    while True:
        try:
            await client.jetstream(timeout=2).account_info()
        except (nats.errors.TimeoutError, ServiceUnavailableError):
            if asyncio.get_running_loop().time() > until:
                raise
        else:
            return
        await asyncio.sleep(0.1)


async def _connected(url: str, seed: str, ca: str, until: float) -> Client:
    while True:
        client = Client()
        try:
            await client.connect(
                url.split(","),
                nkeys_seed=seed,
                name="provisioner",
                inbox_prefix=b"_INBOX_provisioner",
                connect_timeout=5,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=_quiet,
                **trust.options(url, ca),
            )
        except (nats.errors.Error, OSError) as error:
            with suppress(TimeoutError):  # nats-py waits for ever for the end of a failed handshake
                await asyncio.wait_for(client.close(), 1)
            if asyncio.get_running_loop().time() > until:
                why = str(error) or "too late"
                raise Problem(f"NATS does not answer at {url}: {why}.") from None
        else:
            return client
        await asyncio.sleep(0.1)


async def _quiet(_: Exception) -> None:
    """What goes wrong is raised where it was asked for."""
