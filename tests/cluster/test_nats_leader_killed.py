"""The leader of a stream is killed ten times while a front desk writes: nothing is lost."""

from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from faststream.nats import NatsBroker

from deploy import reach, streams
from deploy.problem import Problem
from libs.contracts.base import owner
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.identity.practices import AddPractice
from libs.runtime import broker, lifeline
from libs.runtime.broker import ask
from tests.cluster import processes, three, writing
from tests.cluster.three import Three
from tests.runtime.announcing import waiting as announced
from tests.servers import Servers
from tests.waiting import until

KILLS = 10
BETWEEN = 20
"""Patients acknowledged before a kill, and again under the new leader before the old is back."""
STREAMS = ("records", "identity")
WRITES_WITHIN = 45
"""Seconds in which a write is acknowledged again; the last resort of a part is at 60."""

PAUSES = """
    SELECT extract(epoch FROM max(pause)) AS longest
      FROM (SELECT heard_at - lag(heard_at) OVER (ORDER BY heard_at) AS pause FROM identity.inbox)
"""

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


async def opened(cluster: Three) -> UUID:
    """A practice, by the operator's own connection."""
    practice_id = uuid4()
    there = reach.Reach(
        nats_url=cluster.url,
        nats_credentials=cluster.servers.credentials("operator"),
        nats_ca=cluster.authority.believed,
    )
    async with reach.asking(there) as operator:
        asked = AddPractice(
            practice_id=practice_id,
            name="Lakeside Oncology",
            phone="1",
            address="",
            hours="",
            emergency="",
            time_zone="America/Denver",
            contact_email="desk@example.com",
        )
        await ask(operator, asked, within=15)
    return practice_id


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


async def rows(servers: Servers, statement: str) -> "list[asyncpg.Record]":
    admin = await asyncpg.connect(servers.database_url("admin"))
    try:
        return await admin.fetch(statement)
    finally:
        await admin.close()


async def letters(cluster: Three) -> Counter[UUID]:
    """How often each invitation's letter was announced, from the stream itself."""
    counted: Counter[UUID] = Counter()
    async with cluster.provisioner() as jetstream:
        stream = owner(LetterDue)
        state = (await jetstream.stream_info(stream)).state
        for number in range(state.first_seq, state.last_seq + 1):
            message = await jetstream.get_msg(stream, seq=number)
            if message.subject == LetterDue.subject:
                due = LetterDue.model_validate_json(message.data or b"")
                counted[due.reference_id] += due.kind is LetterKind.INVITATION
    return counted


async def test_nothing_acknowledged_is_lost_and_nothing_done_twice(
    cluster: Three, gateway: NatsBroker
) -> None:
    servers = cluster.servers
    async with (
        processes.serving(servers, "identity", cluster.environment("identity")) as identity,
        processes.serving(servers, "records", cluster.environment("records")) as records,
    ):
        practice_id, killed = await opened(cluster), []
        async with writing.writing(servers, gateway, practice_id) as load:
            for number in range(KILLS):
                await more(load)
                stream = STREAMS[number % len(STREAMS)]
                killed.append(await cluster.leader(stream))
                cluster.kill(killed[-1])
                assert await cluster.leader(stream, but=killed[-1])
                await more(load)
                cluster.start(killed[-1])
                await cluster.whole()
        await until(lambda: _all_followed(servers, load.acknowledged), within=60)
        identity.assert_going_on()
        records.assert_going_on()
    (heard,) = await rows(servers, PAUSES)
    print(
        f"\n{len(killed)} leaders killed ({', '.join(killed)}): {len(load.acknowledged)} writes "
        f"acknowledged in {load.at[-1] - load.at[0]:.0f} s, {load.unavailable} answered "
        f"'unavailable' and were sent again; longest write gap {load.longest_gap:.2f} s; "
        f"longest pause between two events at their follower {heard['longest']:.2f} s"
    )
    patients = await rows(servers, "SELECT id FROM records.patient")
    assert {row["id"] for row in patients} == load.acknowledged
    invited = await rows(servers, "SELECT id, patient_id, version FROM identity.invitation")
    assert Counter(row["patient_id"] for row in invited) == Counter(load.acknowledged)
    assert {row["version"] for row in invited} == {1}
    assert await letters(cluster) == Counter(row["id"] for row in invited)


async def more(load: writing.Load) -> None:
    """So many were acknowledged from now on."""
    before = len(load.acknowledged)
    await until(lambda: len(load.acknowledged) >= before + BETWEEN, within=WRITES_WITHIN)


async def _all_followed(servers: Servers, acknowledged: set[UUID]) -> bool:
    """What was written was carried, followed, and what came of it carried too."""
    for service in STREAMS:
        if await announced(servers, service):
            return False
    invited = await rows(servers, "SELECT patient_id FROM identity.invitation")
    return {row["patient_id"] for row in invited} >= acknowledged


async def test_one_server_of_three_does_nothing_alone_and_says_so(servers: Servers) -> None:
    with (
        three.running(servers, ["nats-1"]) as made,
        pytest.raises(Problem, match="nobody leads its streams"),
    ):
        async with streams.provisioner(
            made.url, servers.credentials("provisioner"), ca=made.authority.believed
        ):
            pass
