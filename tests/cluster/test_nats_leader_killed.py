"""The leader of a stream is killed ten times while a front desk writes: nothing is lost."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from faststream.nats import NatsBroker

from deploy import reach, streams
from deploy.problem import Problem
from libs.runtime import broker, lifeline
from tests.cluster import outcome, processes, three, writing
from tests.cluster.three import Three
from tests.servers import Servers
from tests.waiting import until

KILLS = 10
BETWEEN = 20
"""Patients acknowledged before a kill, and again under the new leader before the old is back."""
STREAMS = ("records", "identity")
WRITES_WITHIN = 45
"""Seconds in which a write is acknowledged again; the last resort of a part is at 60."""

pytestmark = [
    pytest.mark.timeout(420),
    pytest.mark.filterwarnings(  # nats-py leaves the writer of a line that was cut
        "ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"
    ),
]


@pytest.fixture
async def cluster(clean: Servers) -> AsyncIterator[Three]:
    with three.running(clean) as made:
        await three.migrated(made)
        yield made


@pytest.fixture
async def gateway(cluster: Three) -> AsyncIterator[NatsBroker]:
    app, servers = web.Application(), cluster.servers
    app.cleanup_ctx.append(
        broker.connected(
            "gateway", cluster.url, servers.credentials("gateway"), ca=cluster.authority.believed
        )
    )
    async with TestServer(app):
        await until(lambda: app[lifeline.LINE].ready)
        yield app[broker.BROKER]


async def test_nothing_acknowledged_is_lost_and_nothing_done_twice(
    cluster: Three, gateway: NatsBroker
) -> None:
    servers = cluster.servers
    operator = reach.Reach(
        nats_url=cluster.url,
        nats_credentials=servers.credentials("operator"),
        nats_ca=cluster.authority.believed,
    )
    async with (
        processes.serving(servers, "identity", cluster.environment("identity")) as identity,
        processes.serving(servers, "records", cluster.environment("records")) as records,
    ):
        killed: list[str] = []
        async with writing.writing(servers, gateway, await writing.opened(operator)) as load:
            for number in range(KILLS):
                await load.more(BETWEEN, within=WRITES_WITHIN)
                stream = STREAMS[number % len(STREAMS)]
                killed.append(await cluster.leader(stream))
                cluster.kill(killed[-1])
                assert await cluster.leader(stream, but=killed[-1])
                await load.more(BETWEEN, within=WRITES_WITHIN)
                cluster.start(killed[-1])
                await cluster.whole()
        await outcome.followed(servers, load.acknowledged)
        identity.assert_going_on()
        records.assert_going_on()
    async with cluster.provisioner() as jetstream:
        await outcome.assert_each_once(servers, jetstream, load.acknowledged)
    print(
        f"\n{len(killed)} leaders killed ({', '.join(killed)}): {load.told}; longest pause "
        f"between two events at their follower {await outcome.longest_pause(servers):.2f} s"
    )


async def test_one_server_of_three_does_nothing_alone_and_says_so(servers: Servers) -> None:
    with (
        three.running(servers, ["nats-1"]) as made,
        pytest.raises(Problem, match="nobody leads its streams"),
    ):
        async with streams.provisioner(
            made.url, servers.credentials("provisioner"), ca=made.authority.believed
        ):
            pass
