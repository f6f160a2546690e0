"""The Postgres that takes writes is lost while a front desk writes, and the other takes over."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from deploy import reach, streams
from libs.contracts.records.patients import InvitationWanted
from libs.runtime import background, broker, database, failover, outbox, wake
from libs.runtime.database import POOL, transaction
from libs.runtime.wake import Bell
from tests import parts, proxy
from tests.cluster import outcome, processes, two, writing
from tests.cluster.two import Two
from tests.runtime.test_following import following, wanted
from tests.servers import Servers
from tests.waiting import until

BEFORE = 100
"""Patients acknowledged before the server is killed, and again by the one that took over."""
AWAY = 4
"""Seconds until somebody has noticed and promotes the other."""
WRITES_WITHIN = 60
PAGE = f"/p/{uuid4()}/health"
COOKIE = "__Host-session"
"""Whose session it is only identity's table knows."""


@pytest.fixture
async def pair(clean: Servers) -> AsyncIterator[Two]:
    async with two.running(clean) as made:
        yield made


async def test_what_was_acknowledged_outlives_the_server_that_took_it(pair: Two) -> None:
    servers = pair.servers
    operator = reach.Reach(
        nats_url=servers.nats_url, nats_credentials=servers.credentials("operator")
    )

    def both(part: str) -> dict[str, str]:
        return {"CARESPACE_DATABASE_URL": pair.url(part)}

    async with (
        processes.serving(servers, "identity", both("identity")) as identity,
        processes.serving(servers, "records", both("records")) as records,
        processes.serving(servers, "gateway", {}) as gateway,
        parts.asking(servers) as asking,
    ):
        practice_id = await writing.opened(operator)
        async with writing.writing(servers, asking, practice_id) as load:
            await load.more(BEFORE, within=WRITES_WITHIN)
            pair.kill_primary()
            told = await asyncio.gather(shown(gateway.port), asyncio.sleep(AWAY))
            await pair.promote()
            await load.more(BEFORE, within=WRITES_WITHIN)
        await outcome.followed(pair.after, load.acknowledged)
        await until(identity.ready)
        await until(records.ready)
        for part in (identity, records, gateway):
            part.assert_going_on()
    status, page = told[0]
    assert status == 503
    assert "try again" in page.lower()
    assert load.unavailable
    provisioner = servers.credentials("provisioner")
    async with streams.provisioner(servers.nats_url, provisioner) as jetstream:
        await outcome.assert_each_once(pair.after, jetstream, load.acknowledged)
    print(f"\nthe primary killed, its replica promoted {AWAY} s later: {load.told}")


async def shown(port: int) -> tuple[int, str]:
    """What a browser gets to see in between."""
    headers = {"Cookie": f"{COOKIE}={secrets.token_urlsafe(32)}"}
    async with (
        aiohttp.ClientSession(headers=headers) as browser,
        browser.get(f"http://{two.HOST}:{port}{PAGE}", allow_redirects=False) as answer,
    ):
        return answer.status, await answer.text()


async def announced(app: web.Application) -> InvitationWanted:
    """An event in the outbox, as soon as there is somebody who takes writes."""
    event = wanted()

    async def written() -> bool:
        try:
            async with asyncio.timeout(3), transaction(app[POOL]) as db:
                await outbox.announce(db, event)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True

    await until(written, within=60)
    return event


async def rings(here: Servers, bell: Bell) -> bool:
    """Whether a ring at this server is heard, and not only the next look."""
    db = await asyncpg.connect(
        here.database_url("records"), server_settings={"search_path": "records"}
    )
    try:
        bell._rung.clear()
        await wake.ring(db, "tried")
    finally:
        await db.close()
    return await background.happens(bell._rung, within=0.5)


async def goes_on(pair: Two, url: str, lose: Callable[[], Awaitable[None]]) -> None:
    """Pool, relay, bell and follower: each of them goes on at the server that took over."""
    heard: list[UUID] = []

    async def hear(event: InvitationWanted) -> None:
        heard.append(event.id)

    app = web.Application()
    app.cleanup_ctx.append(database.connected(url, schema="records"))
    app.cleanup_ctx.append(
        broker.connected("records", pair.servers.nats_url, pair.servers.credentials("records"))
    )
    app.cleanup_ctx.append(outbox.relayed("records", url))
    async with (
        parts.running(app, following(pair.servers, hear)),
        wake.listening(url, schema="records", bell="tried") as bell,
    ):
        before = await announced(app)
        await until(lambda: before.id in heard)
        await until(lambda: rings(pair.servers, bell))
        await lose()
        await pair.promote()
        after = await announced(app)
        await until(lambda: after.id in heard, within=40)
        await until(lambda: rings(pair.after, bell), within=40)
        assert await app[POOL].fetchval("SELECT inet_server_port()") == pair.standby_port
    assert heard == [before.id, after.id]


async def test_a_server_that_takes_no_more_writes_is_left(pair: Two) -> None:
    await goes_on(pair, pair.url("records"), pair.fence)


async def test_a_server_that_falls_silent_is_left(pair: Two) -> None:
    """Its machine still takes what is sent, and nobody answers any more."""
    async with proxy.between(pair.primary_port) as line:

        async def lose() -> None:
            line.hold()

        try:
            await goes_on(pair, pair.url("records", primary_port=line.port), lose)
        finally:
            line.cut()


async def test_a_machine_that_is_gone_is_noticed_in_seconds(servers: Servers) -> None:
    db = await failover.Hosts(servers.database_url("records")).connect()
    there = db._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    assert there.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert there.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
    idle, then, times = (
        there.getsockopt(socket.IPPROTO_TCP, option)
        for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    )
    assert idle + then * times <= failover.SILENT
    await db.close()


async def test_where_nobody_takes_writes_that_is_said(pair: Two) -> None:
    pair.kill_primary()
    with pytest.raises(ConnectionError, match="no host takes writes"):
        await failover.Hosts(pair.url("records")).connect()


@pytest.mark.parametrize(
    ("url", "urls"),
    [
        ("postgresql://a:b@one:1/c", ["postgresql://a:b@one:1/c"]),
        ("postgresql:///c?host=/run", ["postgresql:///c?host=/run"]),
        (
            "postgresql://a:%2C@one:1,[::1]:2/c",
            [
                "postgresql://a:%2C@one:1/c?target_session_attrs=read-write",
                "postgresql://a:%2C@[::1]:2/c?target_session_attrs=read-write",
            ],
        ),
        (
            "postgresql://a@one,two/c?sslmode=require&target_session_attrs=any",
            [
                "postgresql://a@one/c?target_session_attrs=any&sslmode=require",
                "postgresql://a@two/c?target_session_attrs=any&sslmode=require",
            ],
        ),
    ],
)
def test_each_host_has_an_address_of_its_own(url: str, urls: list[str]) -> None:
    assert failover.each(url) == urls
