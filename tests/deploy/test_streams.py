"""Streams and consumers as the contracts want them, and what is done about what they can't bear."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.errors import APIError

from deploy import dead_letters, streams
from deploy.nats_config import DEAD
from deploy.problem import Problem, SaidNo
from libs.contracts import registry
from libs.contracts.identity.registration import PatientRegistered
from tests.servers import Servers
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def jetstream(servers: Servers) -> AsyncIterator[JetStreamContext]:
    async with streams.provisioner(servers.nats_url, servers.credentials("provisioner")) as made:
        yield made


async def test_a_second_time_changes_nothing(jetstream: JetStreamContext) -> None:
    await streams.provision(jetstream)
    before = [info.created for info in await jetstream.streams_info()]
    await streams.provision(jetstream)
    assert [info.created for info in await jetstream.streams_info()] == before
    assert await streams.drift(jetstream) == []


async def test_what_somebody_changed_is_seen_and_put_right(jetstream: JetStreamContext) -> None:
    wanted = next(stream for stream in streams.streams() if stream.name == "messaging")
    await jetstream.update_stream(replace(wanted, max_age=60, duplicate_window=60))
    (name, consumer), *_ = streams.consumers()
    await jetstream.add_consumer(name, replace(consumer, max_deliver=3))
    found = await streams.drift(jetstream)
    assert len(found) == 3
    assert any(said.startswith("max_age of the stream messaging is ") for said in found)
    assert any(
        said.startswith(f"max_deliver of the consumer {consumer.durable_name} ") for said in found
    )
    await streams.provision(jetstream)
    assert await streams.drift(jetstream) == []


async def test_what_somebody_deleted_is_seen_and_made_again(jetstream: JetStreamContext) -> None:
    (name, consumer), *_ = streams.consumers()
    await jetstream.delete_consumer(name, consumer.durable_name or "")
    await jetstream.delete_stream("delegation")
    lost = [(name, consumer), *(each for each in streams.consumers() if each[0] == "delegation")]
    assert await streams.drift(jetstream) == [
        "The stream delegation is missing.",
        *(f"The consumer {one.durable_name} of the stream {of} is missing." for of, one in lost),
    ]
    await streams.provision(jetstream)
    assert await streams.drift(jetstream) == []


async def test_a_full_stream_refuses_what_is_new_and_keeps_what_it_has(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    wanted = next(stream for stream in streams.streams() if stream.name == "messaging")
    await jetstream.purge_stream("messaging")
    await jetstream.update_stream(replace(wanted, max_msgs=1))
    try:
        await jetstream.publish("event.messaging.tried", b"1")
        with pytest.raises(APIError):
            await jetstream.publish("event.messaging.tried", b"2")
        assert (await jetstream.get_last_msg("messaging", "event.messaging.tried")).data == b"1"
    finally:
        await jetstream.purge_stream("messaging")
        await streams.provision(jetstream)


async def test_every_stream_is_on_the_disk_and_forgets_after_two_weeks(
    jetstream: JetStreamContext,
) -> None:
    there = {info.config.name: info.config for info in await jetstream.streams_info()}
    assert set(there) >= {*registry.services(), DEAD}
    for service in registry.services():
        config = there[service]
        assert config.storage == "file"
        assert config.discard == "new"
        assert config.max_age == 14 * 24 * 3600
        assert config.subjects == [f"event.{service}.>"]


def test_a_cluster_keeps_every_stream_three_times() -> None:
    assert {stream.num_replicas for stream in streams.streams(replicas=3)} == {3}


async def test_without_nats_there_is_one_sentence(servers: Servers) -> None:
    with pytest.raises(Problem, match="NATS does not answer at"):
        async with streams.provisioner(
            "nats://127.0.0.1:1", servers.credentials("provisioner"), patience=0
        ):
            pass


# Dead letters


@pytest.fixture
async def no_dead_letters(jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream(DEAD)


def carespace(servers: Servers, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {
        "CARESPACE_NATS_URL": servers.nats_url,
        "CARESPACE_NATS_CREDENTIALS": servers.credentials("provisioner"),
    }
    return subprocess.run(
        [sys.executable, "-m", "deploy", *words],
        check=False,
        cwd=ROOT,
        env=dict(os.environ) | environ,
        capture_output=True,
        text=True,
    )


async def terminated(servers: Servers, jetstream: JetStreamContext) -> PatientRegistered:
    """An event that delegation set aside as unreadable."""
    await jetstream.purge_stream("identity")
    event = PatientRegistered(
        practice_id=uuid4(), patient_id=uuid4(), account_id=uuid4(), invitation_id=uuid4()
    )
    await jetstream.publish(event.subject, event.model_dump_json().encode())
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("delegation"),
        inbox_prefix=b"_INBOX_delegation",
    )
    consumer = "delegation-patient_registered"
    pulled = await client.jetstream().pull_subscribe_bind(consumer, stream="identity")
    (message,) = await pulled.fetch(1, timeout=5)
    await message.term()
    await client.flush()
    await client.close()
    return event


async def letters(jetstream: JetStreamContext) -> list[dead_letters.DeadLetter]:
    return [letter async for letter in dead_letters.waiting(jetstream)]


async def test_a_new_installation_has_no_dead_letters(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await jetstream.delete_stream(DEAD)
    await streams.provision(jetstream)
    listed = await asyncio.to_thread(carespace, servers, "dead-letters", "list")
    assert (listed.returncode, listed.stdout) == (0, "There are no dead letters.\n"), listed.stderr


@pytest.mark.usefixtures("no_dead_letters")
async def test_an_event_set_aside_is_listed_shown_and_published_again(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    event = await terminated(servers, jetstream)
    (letter,) = await until(lambda: letters(jetstream))
    assert (letter.follower, letter.stream) == ("delegation", "identity")
    assert letter.why == "could not be read"

    listed = await asyncio.to_thread(carespace, servers, "dead-letters", "list", "--json")
    (told,) = json.loads(listed.stdout)
    number = str(told["number"])
    shown = await asyncio.to_thread(carespace, servers, "dead-letters", "show", number)
    assert str(event.id) in shown.stdout
    replayed = await asyncio.to_thread(carespace, servers, "dead-letters", "replay", number)
    assert replayed.returncode == 0, replayed.stderr

    assert await letters(jetstream) == []
    again = await jetstream.get_last_msg("identity", event.subject)
    assert again.seq == letter.sequence + 1
    assert PatientRegistered.model_validate_json(again.data or b"") == event


@pytest.mark.usefixtures("no_dead_letters")
async def test_an_event_that_failed_too_often_is_among_them(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    name, consumer = next(
        each
        for each in streams.consumers()
        if each[1].durable_name == "delegation-patient_registered"
    )
    await jetstream.add_consumer(name, replace(consumer, max_deliver=1, ack_wait=0.2))
    try:
        await failing(servers, jetstream)
        (letter,) = await until(lambda: letters(jetstream))
        assert (letter.why, letter.deliveries) == ("failed too often", 1)
    finally:
        await streams.provision(jetstream)


async def failing(servers: Servers, jetstream: JetStreamContext) -> None:
    await jetstream.purge_stream("identity")
    await jetstream.publish(PatientRegistered.subject, b"{}")
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("delegation"),
        inbox_prefix=b"_INBOX_delegation",
    )
    consumer = "delegation-patient_registered"
    pulled = await client.jetstream().pull_subscribe_bind(consumer, stream="identity")
    await pulled.fetch(1, timeout=5)
    with pytest.raises(nats.errors.TimeoutError):
        await pulled.fetch(1, timeout=1)
    await client.close()


@pytest.mark.usefixtures("no_dead_letters")
async def test_one_can_be_dropped_and_what_is_not_there_is_a_no(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await terminated(servers, jetstream)
    await until(lambda: letters(jetstream))
    dropped = await asyncio.to_thread(carespace, servers, "dead-letters", "drop", "--all")
    assert dropped.returncode == 0, dropped.stderr
    assert await letters(jetstream) == []
    shown = await asyncio.to_thread(carespace, servers, "dead-letters", "show", "999999")
    assert (shown.returncode, shown.stderr) == (1, "There is no dead letter 999999.\n")
    unsaid = await asyncio.to_thread(carespace, servers, "dead-letters", "drop")
    assert unsaid.returncode == 2


@pytest.mark.usefixtures("no_dead_letters")
async def test_an_event_kept_no_longer_is_a_no(
    servers: Servers, jetstream: JetStreamContext
) -> None:
    await terminated(servers, jetstream)
    (letter,) = await until(lambda: letters(jetstream))
    await jetstream.purge_stream("identity")
    with pytest.raises(SaidNo, match="kept no longer"):
        await dead_letters.replay(jetstream, letter)
    assert await letters(jetstream) == [letter]
