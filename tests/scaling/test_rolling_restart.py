"""An upgrade, as patients see it: every process is replaced in turn, and nobody is turned away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
import pytest

from bench import portal, replicas
from bench.charts import Someone
from bench.portal import Portal
from bench.replicas import Replica
from deploy import processes, waiting
from deploy.installation import HOST
from libs.contracts import registry
from tests.scaling.traffic import People, Traffic
from tests.waiting import until
from tests.watch import figures

PARTS = (*registry.services(), "gateway")
EACH_SECOND = float(os.environ.get("CARESPACE_EACH_SECOND", "0"))
MORE = 1.03
"""So much more is offered, for the last answers come after the last request."""
ANSWERED = "carespace_answers_total"
ENDS_WITHIN = 40
READY_WITHIN = 60
PATIENTS = 8
PLACES = ("first", "second")

pytestmark = pytest.mark.skipif(
    not EACH_SECOND,
    reason="CARESPACE_EACH_SECOND says how many requests; it wants the machine for itself",
)


@dataclass(frozen=True, kw_only=True)
class Twice:
    """A portal with two of every part: one that is looked after, and one that we look after."""

    portal: Portal
    ours: dict[str, Replica]
    gateways: dict[str, str]
    """Where they answer now; whoever is being replaced refuses."""

    async def replace(self, part: str, place: str) -> None:
        """Told to stop, waited for, and replaced by one that is ready."""
        await (self._replace_first if place == "first" else self._replace_second)(part)

    async def _replace_first(self, part: str) -> None:
        first = self.portal.pid(part)
        os.kill(first, signal.SIGTERM)
        await until(lambda: not processes.alive(first), within=ENDS_WITHIN)
        await until(lambda: self._first_ready(part), within=READY_WITHIN)

    async def _replace_second(self, part: str) -> None:
        ours = self.ours[part].process
        ours.terminate()
        async with asyncio.timeout(ENDS_WITHIN):
            assert await ours.wait() == 0, part
        self.ours[part] = await replicas.begun(self.portal.here, part)
        if part == "gateway":
            self.gateways["second"] = self.ours[part].url

    async def _first_ready(self, part: str) -> bool:
        told_at = "gateway health" if part == "gateway" else part
        return await asyncio.to_thread(waiting.ready, HOST, self.portal.here.ports[told_at])


@pytest.fixture
async def here() -> AsyncIterator[Twice]:
    async with portal.up() as made, AsyncExitStack() as stack:
        ours: dict[str, Replica] = {}
        for part in PARTS:
            ours[part] = await replicas.begun(made.here, part)
            stack.push_async_callback(_ended, ours, part)
        gateways = {"first": made.here.url, "second": ours["gateway"].url}
        yield Twice(portal=made, ours=ours, gateways=gateways)


async def _ended(ours: dict[str, Replica], part: str) -> None:
    await portal.ended(ours[part].process)


@asynccontextmanager
async def busy(here: Twice) -> AsyncIterator[Traffic]:
    """Patients look and write for as long as this is open."""
    people = [Someone(number=number) for number in range(PATIENTS)]
    patients = await here.portal.registered(people)
    await here.portal.bring_in(people, dates=1, documents=1)
    sessions = [(str(one.id), await here.portal.session(one)) for one in patients]
    async with here.portal.nurse() as nurse:
        traffic = Traffic(here.gateways, People(patients=sessions, nurse=nurse.cookies))
    enough = asyncio.Event()
    flowing = asyncio.create_task(traffic.flow(each_second=EACH_SECOND * MORE, until=enough))
    try:
        yield traffic
    finally:
        enough.set()
        await flowing


async def busy_again(traffic: Traffic) -> None:
    """Both gateways answer; whoever heard a no from the one before has asked the other by then."""
    before, more = traffic.answered.copy(), traffic.under_way + 1
    await until(
        lambda: all(traffic.answered[place] >= before[place] + more for place in PLACES),
        within=READY_WITHIN,
    )


async def stored(here: Twice) -> dict[str, int]:
    """Messages of each patient, counted in the database."""
    db = await asyncpg.connect(here.portal.here.database_url("admin"))
    try:
        rows = await db.fetch(
            "SELECT patient_id, count(*) FROM messaging.message WHERE NOT from_practice GROUP BY 1"
        )
    finally:
        await db.close()
    return {str(patient): count for patient, count in rows}


async def processes_asked(here: Twice) -> list[float]:
    """How many requests each process of a service has answered since it took another's place."""
    ports = [
        port
        for part in registry.services()
        for port in (here.portal.here.ports[part], urlsplit(here.ours[part].url).port)
    ]
    told = [await figures.read(f"http://{HOST}:{port}/metrics") for port in ports]
    return [one.value(ANSWERED, outcome="ok") for one in told]


def warnings(here: Twice) -> list[str]:
    """What any process found worth a warning, with who said it."""
    return [
        f"{log.stem}: {line}"
        for log in sorted((here.portal.here.folder / "logs").glob("*.log"))
        for line in log.read_text().splitlines()
        if '"level":"info"' not in line.replace(" ", "")
    ]


async def test_nobody_is_turned_away_while_every_process_is_replaced(here: Twice) -> None:
    async with busy(here) as traffic:
        await busy_again(traffic)
        for part in PARTS:
            for place in PLACES:
                await here.replace(part, place)
                await busy_again(traffic)
    took, answered = sorted(traffic.took), len(traffic.took) / traffic.seconds
    print(
        f"\n{traffic.offered} requests in {traffic.seconds:.0f} s, "
        f"{EACH_SECOND * MORE:.0f} a second offered, {answered:.1f} answered, "
        f"{traffic.sent.total()} messages; {2 * len(PARTS)} processes replaced; "
        f"half within {took[len(took) // 2] * 1000:.0f} ms, "
        f"99 of 100 within {took[len(took) * 99 // 100] * 1000:.0f} ms, "
        f"all within {took[-1] * 1000:.0f} ms; {len(traffic.failed)} failed"
    )
    assert not traffic.failed, "\n".join([*traffic.failed, *warnings(here)])
    assert answered >= EACH_SECOND
    assert all(await processes_asked(here))
    assert await stored(here) == traffic.sent
