"""An upgrade half-way: the last release and the one to come, on one NATS and one Postgres."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from bench import portal, replicas
from bench.charts import BORN, Someone
from bench.portal import PASSWORD, Patient, Portal
from deploy import keys, nats_config, streams
from deploy.demo.browser import Browser
from deploy.nats_config import DEAD
from libs.contracts import registry
from tests.upgrade import last_release
from tests.waiting import until
from tests.watch import figures

PARTS = (*registry.services(), "gateway")
DATED = {f"date_of_birth_{part}": str(getattr(BORN, part)) for part in ("year", "month", "day")}
ROUNDS = 8
"""Each request goes to either release by chance; in so many rounds each is asked everything."""

pytestmark = pytest.mark.skipif(bool(last_release.missing()), reason=last_release.missing())


@pytest.fixture
async def before(tmp_path: Path) -> AsyncIterator[Portal]:
    """The last release, as its own `migrate` made it, with a practice and its own processes."""
    async with portal.up(last_release.laid_out(tmp_path)) as running:
        yield running


def nats(here: Portal) -> tuple[str, str]:
    """Where it is, and the key of whoever makes streams."""
    url = f"nats://127.0.0.1:{here.here.ports['nats']}"
    return url, str(keys.seed_file(here.here.folder / "keys", "provisioner"))


def told_of_rights(here: Portal) -> None:
    """The first step of an upgrade: NATS reads what each part of the release to come may say."""
    folder = here.here.folder / "nats"
    config = nats_config.render(
        here.here.keys.nats_public(),
        host="127.0.0.1",
        port=here.here.ports["nats"],
        store=str(folder / "store"),
    )
    (folder / "nats.conf").write_text(config)
    os.kill(here.pid("nats"), signal.SIGHUP)


def upgraded(here: Portal) -> None:
    """The second: what is new in the databases and streams."""
    url, seed = nats(here)
    told = {
        "CARESPACE_DATABASE_URL": here.here.database_url("admin"),
        "CARESPACE_NATS_URL": url,
        "CARESPACE_NATS_CREDENTIALS": seed,
    }
    for words in (["migrate"], ["migrate", "--check"]):
        subprocess.run(
            [sys.executable, "-m", "deploy", *words],
            check=True,
            cwd=last_release.ROOT,
            env=dict(os.environ) | told,
            capture_output=True,
        )


@asynccontextmanager
async def beside(here: Portal) -> AsyncIterator[dict[str, str]]:
    """Each part once more, of the release to come; where they answer."""
    async with AsyncExitStack() as stack:
        yield {
            part: await stack.enter_async_context(replicas.another(here.here, part))
            for part in PARTS
        }


@asynccontextmanager
async def logged_in(url: str, who: Patient) -> AsyncIterator[Browser]:
    async with Browser(url) as browser:
        await browser.send("/login", {"email": who.who.email, "password": PASSWORD} | DATED)
        yield browser


@asynccontextmanager
async def also_at(url: str, browser: Browser) -> AsyncIterator[Browser]:
    """The same session at another gateway."""
    async with Browser(url) as other:
        other._cookies |= browser._cookies
        yield other


async def writes(browser: Browser, page: str, subject: str) -> None:
    typed = {"category": "rx", "subject": subject, "body": "It is all gone.", "do": "send"}
    await browser.send(page, typed)


async def invites(browser: Browser, patient_id: UUID, email: str) -> None:
    users = f"/p/{patient_id}/users"
    fields = {"email": email, "access": "full", "proof_password": PASSWORD} | DATED
    await browser.send(users, fields, to=f"{users}/invite")
    assert email in await browser.see(users)


async def sees_everything(browser: Browser, patient_id: UUID, subject: str) -> None:
    """What somebody with a record sees of each service's."""
    record = f"/p/{patient_id}"
    assert "Carbon dioxide" in await browser.see(f"{record}/health")
    assert "Visit 1" in await browser.see(f"{record}/health/documents")
    assert subject in await browser.see(f"{record}/messages/sent")
    for page in (f"{record}/users", f"{record}/activity", "/account"):
        status, _ = await browser.ask("GET", page)
        assert status == 200, page


async def visited(nurse: Browser, patients: list[Patient], gateways: tuple[str, str]) -> None:
    """A nurse, at both gateways, finds what was written and writes to each patient."""
    for number, patient in enumerate(patients):
        async with also_at(gateways[number % 2], nurse) as browser:
            assert "At the other" in await browser.see("/staff/messages")
            assert patient.who.email in await browser.see("/staff/emails")
            await writes(browser, f"/staff/patients/{patient.id}/messages/new", "From the nurse")


async def letters_came(here: Portal, to: set[str]) -> None:
    async def came() -> bool:
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"{here.here.url}/mailbox.json") as answer,
        ):
            return {letter["to"] for letter in await answer.json()} >= to

    await until(came, within=60)


async def answered(url: str) -> float:
    """How many requests this process has answered."""
    told = await figures.read(f"http://127.0.0.1:{urlsplit(url).port}/metrics")
    return told.value("carespace_answers_total", outcome="ok")


async def nothing_left_undone(here: Portal) -> None:
    """Every event was carried and followed, none was set aside, and no log tells of a failure."""
    db = await asyncpg.connect(here.here.database_url("admin"))
    outboxes = " + ".join(f"(SELECT count(*) FROM {one}.outbox)" for one in registry.services())
    try:
        await until(lambda: carried(db, outboxes), within=60)
    finally:
        await db.close()
    url, seed = nats(here)
    async with streams.provisioner(url, seed) as jetstream:
        assert (await jetstream.stream_info(DEAD)).state.messages == 0
    for log in (here.here.folder / "logs").glob("*.log"):
        assert '"level": "error"' not in log.read_text(), log.name


async def carried(db: asyncpg.Connection, outboxes: str) -> bool:
    return bool(await db.fetchval(f"SELECT {outboxes} = 0"))


async def test_two_releases_run_side_by_side_on_one_nats_and_one_postgres(before: Portal) -> None:
    pids = {part: before.pid(part) for part in PARTS}
    (rosa,) = await before.registered([Someone(number=0)])
    await before.bring_in([rosa.who], dates=1, documents=1)
    async with logged_in(before.here.url, rosa) as browser:
        await writes(browser, f"/p/{rosa.id}/messages/compose", "Before")
        told_of_rights(before)
        await asyncio.to_thread(upgraded, before)
        await sees_everything(browser, rosa.id, "Before")
    async with beside(before) as urls, before.nurse() as nurse:
        gateways = (before.here.url, urls["gateway"])
        people = [Someone(number=1 + number) for number in range(ROUNDS)]
        patients = await before.registered(people)
        await before.bring_in(people, dates=1, documents=1)
        for number, patient in enumerate(patients):
            one, other = gateways[number % 2], gateways[1 - number % 2]
            async with logged_in(one, patient) as at_one, also_at(other, at_one) as at_other:
                compose = f"/p/{patient.id}/messages/compose"
                await writes(at_one, compose, "At the one")
                await writes(at_other, compose, "At the other")
                await invites(at_other, patient.id, f"ana{number}@example.com")
                await sees_everything(at_one, patient.id, "At the other")
                await sees_everything(at_other, patient.id, "At the one")
        await visited(nurse, patients, gateways)
        async with logged_in(urls["gateway"], rosa) as browser:
            await sees_everything(browser, rosa.id, "Before")
        async with logged_in(before.here.url, patients[0]) as browser:
            inbox = f"/p/{patients[0].id}/messages"
            assert "From the nurse" in await browser.see(inbox)
        await letters_came(before, {f"ana{number}@example.com" for number in range(ROUNDS)})
        shares = {part: await answered(urls[part]) for part in registry.services()}
        await nothing_left_undone(before)
    print(f"\nanswered by the release to come: {shares}")
    assert all(shares.values())
    assert {part: before.pid(part) for part in PARTS} == pids
