"""How a service follows: everything, once, in order; later where it fails; aside where it can't."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from uuid import UUID, uuid4

import asyncpg
import nats
import pytest
from aiohttp import web
from faststream.nats import NatsRouter
from nats.js import JetStreamContext

from deploy.nats_config import DEAD
from libs.contracts.records.patients import InvitationWanted
from libs.runtime import broker, database, inbox, lifeline
from libs.runtime.broker import follows
from libs.runtime.database import Database, transaction
from tests import parts
from tests.runtime.announcing import announce, waiting
from tests.servers import Servers
from tests.waiting import until


def wanted(version: int = 1) -> InvitationWanted:
    return InvitationWanted(practice_id=uuid4(), patient_id=uuid4(), version=version)


def following(
    servers: Servers, hear: Callable[[InvitationWanted], Awaitable[None]]
) -> web.Application:
    """A stand-in for identity."""
    router = NatsRouter()

    async def heard(heard: InvitationWanted) -> None:
        await hear(heard)

    follows(router, InvitationWanted, by="identity")(heard)
    app = web.Application()
    app.cleanup_ctx.append(
        broker.connected("identity", servers.nats_url, servers.credentials("identity"), router)
    )
    return app


@asynccontextmanager
async def provisioner(servers: Servers) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials("provisioner"),
        inbox_prefix=b"_INBOX_provisioner",
    )
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def dead(servers: Servers) -> int:
    async with provisioner(servers) as jetstream:
        return int((await jetstream.stream_info(DEAD)).state.messages)


async def test_every_event_arrives_in_the_order_of_its_announcement(clean: Servers) -> None:
    heard: list[UUID] = []

    async def hear(event: InvitationWanted) -> None:
        heard.append(event.id)

    events = [wanted() for _ in range(150)]
    async with parts.running(following(clean, hear), parts.relay(clean, "records")):
        await announce(clean, *events)
        await until(lambda: len(heard) == len(events))
    assert heard == [event.id for event in events]


async def test_an_event_that_fails_comes_again_after_a_pause_that_grows(
    clean: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSES", (0.2, 0.5, 1.0))
    at: list[float] = []

    async def hear(_: InvitationWanted) -> None:
        at.append(time.monotonic())
        if len(at) < 4:
            raise RuntimeError

    async with parts.running(following(clean, hear), parts.relay(clean, "records")):
        await announce(clean, wanted())
        await until(lambda: len(at) == 4)
        await asyncio.sleep(1.5)
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert len(at) == 4
    for gap, pause in zip(gaps, (0.2, 0.5, 1.0), strict=True):
        assert pause <= gap < pause + 1.5


async def test_one_that_always_fails_is_set_aside_and_the_others_go_on(
    clean: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "PAUSES", (0.01,))
    poison, good = wanted(), [wanted() for _ in range(5)]
    heard: list[UUID] = []

    async def hear(event: InvitationWanted) -> None:
        heard.append(event.id)
        if event.id == poison.id:
            raise RuntimeError

    before = await dead(clean)
    async with parts.running(following(clean, hear), parts.relay(clean, "records")):
        await announce(clean, poison, *good)
        await until(lambda: {event.id for event in good} <= set(heard))
        await until(lambda: _grown(clean, before))
    assert 2 <= heard.count(poison.id) <= 12


async def _grown(servers: Servers, before: int) -> bool:
    return await dead(servers) == before + 1


async def test_one_that_cannot_be_read_is_set_aside_at_once(clean: Servers) -> None:
    heard: list[UUID] = []

    async def hear(event: InvitationWanted) -> None:
        heard.append(event.id)

    good, before = wanted(), await dead(clean)
    async with parts.running(following(clean, hear), parts.relay(clean, "records")):
        async with provisioner(clean) as jetstream:
            await jetstream.publish(InvitationWanted.subject, b'{"version": "x"}')
        await announce(clean, good)
        await until(lambda: heard)
        await until(lambda: _grown(clean, before))
    assert heard == [good.id]


async def test_nothing_is_published_without_a_confirmation(clean: Servers) -> None:
    async with provisioner(clean) as jetstream:
        config = (await jetstream.stream_info("records")).config
        await jetstream.delete_stream("records")
        async with parts.running(parts.relay(clean, "records")):
            await announce(clean, wanted())
            await asyncio.sleep(1)
            assert await waiting(clean, "records") == 1
            await jetstream.add_stream(config)
            await until(lambda: _carried(clean))
            assert (await jetstream.stream_info("records")).state.messages == 1
        from deploy import streams

        await streams.provision(jetstream)


async def _carried(servers: Servers) -> bool:
    return await waiting(servers, "records") == 0


async def test_a_service_whose_consumer_is_missing_is_not_ready(clean: Servers) -> None:
    async def hear(_: InvitationWanted) -> None: ...

    app = following(clean, hear)
    async with parts.running(app):
        line = app[lifeline.LINE]
        await line.try_out()
        async with provisioner(clean) as jetstream:
            await jetstream.delete_consumer("records", "identity-invitation_wanted")
            with pytest.raises(Exception, match="consumer not found"):
                await line.try_out()
            from deploy import streams

            await streams.provision(jetstream)
        await line.try_out()


async def test_two_relays_never_change_the_order(clean: Servers) -> None:
    events = [wanted() for _ in range(300)]
    async with parts.running(parts.relay(clean, "records"), parts.relay(clean, "records")):
        for start in range(0, len(events), 10):
            await announce(clean, *events[start : start + 10])
        await until(lambda: _carried(clean))
    async with provisioner(clean) as jetstream:
        state = (await jetstream.stream_info("records")).state
        stored = [
            (await jetstream.get_msg("records", seq=number)).data
            for number in range(state.first_seq, state.last_seq + 1)
        ]
    assert [InvitationWanted.model_validate_json(data or b"").id for data in stored] == [
        event.id for event in events
    ]


async def test_the_same_event_does_what_it_does_once(clean: Servers) -> None:
    event = wanted()
    pool = await asyncpg.create_pool(
        clean.database_url("identity"), server_settings={"search_path": "identity"}
    )
    async with pool:
        done = 0

        async def do(pool: Database) -> None:
            nonlocal done
            async with transaction(pool) as db:
                if await inbox.first_time(db, event, by="identity"):
                    await asyncio.sleep(0.05)
                    done += 1

        await asyncio.gather(*(do(pool) for _ in range(10)))
        assert done == 1

        with pytest.raises(ZeroDivisionError):
            async with transaction(pool) as db:
                other = wanted()
                assert await inbox.first_time(db, other, by="identity")
                raise ZeroDivisionError
        async with transaction(pool) as db:
            assert await inbox.first_time(db, other, by="identity")
    assert database.POOL_SIZE >= 10
