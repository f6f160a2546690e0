"""What becomes of a service while NATS or Postgres is away, and after."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from deploy import nats as nats_server
from deploy import nats_config, waiting
from libs.contracts.messaging.queue import CountWaiting
from libs.contracts.records.patients import InvitationWanted
from libs.runtime import broker, database, health, lifeline
from libs.runtime.broker import Unavailable, ask
from tests import parts, proxy
from tests.proxy import Proxy
from tests.runtime.announcing import announce
from tests.runtime.announcing import waiting as announced
from tests.runtime.test_answering import Queues
from tests.servers import Servers
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings(  # nats-py leaves the writer of a line that was cut
    "ignore:Exception ignored in.*StreamWriter:pytest.PytestUnraisableExceptionWarning"
)


class OwnNats:
    """A NATS server that this test may stop, with the accounts of the run."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.folder = folder
        self.port = waiting.free_port()
        self.start()

    def start(self, keys: dict[str, str] | None = None) -> None:
        config = nats_config.render(
            keys or self.servers.keys.nats_public(),
            host="127.0.0.1",
            port=self.port,
            store=str(self.folder / "store"),
        )
        self.process = nats_server.start(
            self.folder, config=config, host="127.0.0.1", port=self.port
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_nats(servers: Servers, tmp_path: Path) -> Iterator[OwnNats]:
    server = OwnNats(servers, tmp_path)
    yield server
    server.kill()


def mailboxes(servers: Servers, port: int) -> web.Application:
    app = web.Application()
    app.add_routes(health.routes)
    app.cleanup_ctx.append(
        broker.connected(
            "messaging",
            f"nats://127.0.0.1:{port}",
            servers.credentials("messaging"),
            Queues().router,
        )
    )
    return app


@asynccontextmanager
async def alive(app: web.Application) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(TestServer(app)) as client:
        yield client


def ready(app: web.Application) -> bool:
    return app[lifeline.LINE].ready


async def test_a_service_comes_up_without_nats_and_is_ready_when_it_comes(
    servers: Servers, own_nats: OwnNats
) -> None:
    own_nats.kill()
    app = mailboxes(servers, own_nats.port)
    async with alive(app) as client:
        assert (await client.get("/health/live")).status == 200
        answer = await client.get("/health/ready")
        assert (answer.status, await answer.text()) == (503, "waiting for nats")
        own_nats.start()
        await until(lambda: ready(app))
        assert (await client.get("/health/ready")).status == 200


async def test_a_server_that_restarts_is_found_again(servers: Servers, own_nats: OwnNats) -> None:
    app = mailboxes(servers, own_nats.port)
    async with alive(app) as client:
        await until(lambda: ready(app))
        for _ in range(3):
            own_nats.kill()
            await until(lambda: not ready(app))
            with pytest.raises(Unavailable):
                await ask(app[broker.BROKER], CountWaiting(visa="x"))
            assert (await client.get("/health/live")).status == 200
            own_nats.start()
            await until(lambda: ready(app))


async def test_a_refused_key_that_is_right_again_needs_no_restart(
    servers: Servers, own_nats: OwnNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(
        "libs.runtime.lifeline.leave", lambda: ended.append(lifeline.SOFTWARE_FAILURE)
    )
    app = mailboxes(servers, own_nats.port)
    async with alive(app):
        await until(lambda: ready(app))
        own_nats.kill()
        keys = servers.keys.nats_public()
        own_nats.start(keys | {"messaging": keys["operator"], "operator": keys["messaging"]})
        await asyncio.sleep(3)
        own_nats.kill()
        own_nats.start()
        await until(lambda: ready(app))
    assert ended == []


async def test_a_partition_is_noticed_and_a_hanging_line_torn_down(
    servers: Servers, own_nats: OwnNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifeline, "STUCK", 2)
    async with proxy.between(own_nats.port) as line:
        app = mailboxes(servers, line.port)
        async with alive(app) as client:
            await until(lambda: ready(app))
            line.hold()
            await until(lambda: not ready(app), within=25)
            assert (await client.get("/health/live")).status == 200
            line.mend()
            await until(lambda: ready(app), within=25)


async def test_a_client_that_is_lost_though_the_server_is_there_ends_the_process(
    servers: Servers, own_nats: OwnNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    app = mailboxes(servers, own_nats.port)
    async with alive(app):
        await until(lambda: ready(app))
        client = lifeline.connection(app[broker.BROKER])
        assert client
        monkeypatch.setattr(lifeline, "LOST", 0.1)
        monkeypatch.setattr(
            "libs.runtime.lifeline.leave", lambda: ended.append(lifeline.SOFTWARE_FAILURE)
        )
        monkeypatch.setattr(type(client), "is_connected", property(lambda _: False))
        await until(lambda: ended)
        monkeypatch.undo()
    assert set(ended) == {lifeline.SOFTWARE_FAILURE}


async def test_what_was_announced_while_nats_was_away_arrives_once_and_in_order(
    clean: Servers,
) -> None:
    async with proxy.between(clean.nats_port) as line:
        through = parts.relay(clean, "records", nats_port=line.port)
        events = [
            InvitationWanted(practice_id=uuid4(), patient_id=uuid4(), version=number)
            for number in range(40)
        ]
        async with parts.running(through):
            await announce(clean, *events[:10])
            await until(lambda: _carried(clean))
            line.cut()
            await announce(clean, *events[10:30])
            await asyncio.sleep(1.5)
            assert await announced(clean, "records") == 20
            line.mend()
            await announce(clean, *events[30:])
            await until(lambda: _carried(clean), within=30)
    assert await parts.stored(clean, InvitationWanted) == events


async def _carried(servers: Servers) -> bool:
    return await announced(servers, "records") == 0


async def test_the_relay_outlives_its_connection_to_postgres(clean: Servers) -> None:
    async with proxy.between(clean.postgres_port) as line:
        through = parts.relay(clean, "records", postgres_port=line.port)
        async with parts.running(through):
            for _ in range(3):
                event = InvitationWanted(practice_id=uuid4(), patient_id=uuid4(), version=1)
                line.cut()
                await announce(clean, event)
                line.mend()
                await until(lambda: _carried(clean), within=30)
    assert len(await parts.stored(clean, InvitationWanted)) == 3


@asynccontextmanager
async def pooled(
    clean: Servers,
) -> AsyncIterator[tuple[Proxy, TestClient[web.Request, web.Application]]]:
    """A part with nothing but a pool, and the line from it to Postgres."""
    async with proxy.between(clean.postgres_port) as line:
        url = clean.database_url("messaging").replace(str(clean.postgres_port), str(line.port))
        app = web.Application()
        app.add_routes(health.routes)
        app.cleanup_ctx.append(database.connected(url, schema="messaging"))
        async with alive(app) as client:
            yield line, client


async def test_a_pool_outlives_a_lost_postgres_and_says_so_meanwhile(clean: Servers) -> None:
    async with pooled(clean) as (line, client):
        assert (await client.get("/health/ready")).status == 200
        line.cut()
        answer = await client.get("/health/ready")
        assert (answer.status, await answer.text()) == (503, "waiting for postgres")
        line.mend()
        await until(lambda: _well(client))


async def test_a_part_says_within_moments_that_postgres_is_silent(clean: Servers) -> None:
    """Who asks does not wait for as long as a connection may take to come about."""
    async with pooled(clean) as (line, client):
        line.hold()
        async with asyncio.timeout(health.WITHIN + 1):
            answer = await client.get("/health/ready")
        assert (answer.status, await answer.text()) == (503, "waiting for postgres")
        line.mend()
        await until(lambda: _well(client))


async def _well(client: TestClient[web.Request, web.Application]) -> bool:
    return (await client.get("/health/ready")).status == 200
