"""Records gets a Postgres of its own while the portal stays up for the rest: docs/operating.md."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from deploy import databases, streams
from deploy.administrator import Administrator
from deploy.doctor import examination, walls
from deploy.problem import Problem, SaidNo
from libs.contracts import registry
from libs.contracts.records.health import Health, ShowHealth
from libs.runtime.broker import ask
from tests.cluster import apart
from tests.cluster.apart import Apart
from tests.messaging import ward
from tests.messaging.ward import Someone
from tests.records import office
from tests.records.bundles import bundle, patient, result
from tests.records.office import Office
from tests.servers import Servers

LETTER = b"Dear Rosa, " * 60_000
GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"
REST = tuple(service for service in registry.services() if service != "records")


@pytest.fixture
async def two(clean: Servers) -> AsyncIterator[Apart]:
    async with apart.running(clean) as made:
        yield made


async def health(practice: Office, rosa: UUID) -> Health:
    return await ask(practice.broker, ShowHealth(visa=practice.patient(rosa), patient_id=rosa))


async def writes(patient: Someone, enough: asyncio.Event) -> int:
    """How many messages went, of somebody who does not wait for records."""
    sent = 0
    while not enough.is_set():
        await patient.sends(f"Question {sent}")
        sent += 1
    return sent


async def test_a_schema_moves_with_every_row_and_all_goes_on_as_before(
    two: Apart, tmp_path: Path
) -> None:
    brought = (patient(), result("r1", "3.1"), result("r2", "3.4"))
    async with ward.open_ward(two.first) as messages:
        async with office.opened(two.first) as practice:
            rosa = await practice.add_patient()
            letter = await practice.file(rosa, LETTER, dated=date(2026, 3, 1))
            assert (await practice.bring(bundle(*brought))).subjects[0].results_taken == 2
            before = await health(practice, rosa)
        kept = await apart.rows(two.first, "records")
        assert "records/0000_outbox.sql is applied" in await two.says("migrate")
        enough = asyncio.Event()
        writing = asyncio.create_task(writes(messages.patient(), enough))
        moved = json.loads(await two.says("move", "records", "--json"))
        enough.set()
        assert await writing
        assert moved["rows"] == sum(len(rows) for rows in kept.values())
        assert await apart.rows(two.second, "records") == kept
        assert moved["bytes"] > len(LETTER)

        async with office.opened(two.second) as beside:
            again = replace(practice, servers=two.second, broker=beside.broker)
            assert await health(again, rosa) == before
            assert await again.content(rosa, letter) == LETTER
            assert (await again.bring(bundle(*brought, of=1))).subjects[0].results_unchanged == 2
            newer = bundle(patient(), result("r3", "3.3"))
            assert (await again.bring(newer)).subjects[0].results_taken == 1
        await messages.patient().sends("Thank you.")

    assert "All hold: 1 logs" in await two.says("activity", "verify")
    (key,) = json.loads(await two.says("keys", "list", "--json"))
    assert key["rows"]["records.data_key"]
    assert key["rows"]["messaging.data_key"]
    await comes_back(two, tmp_path)
    await is_told_where_it_is(two)
    await can_be_taken_from_where_it_was(two)


async def comes_back(two: Apart, tmp_path: Path) -> None:
    """A backup has both, of one moment, and a restore brings them back to where they belong."""
    backup = str(tmp_path / "backup")
    of_records = await apart.rows(two.second, "records")
    of_messages = await apart.rows(two.first, "messaging")
    await two.says("backup", backup)
    await apart.emptied(two.first, *REST)
    await apart.emptied(two.second, "records")
    credentials = two.first.credentials("provisioner")
    async with streams.provisioner(two.first.nats_url, credentials) as jetstream:
        for service in registry.services():
            await jetstream.purge_stream(service)
    assert "1 activity logs and " in await two.says("restore", backup)
    for before, after in (
        (of_records, await apart.rows(two.second, "records")),
        (of_messages, await apart.rows(two.first, "messaging")),
    ):
        for name in ("inbox", "answered"):  # they count as heard just now
            assert len(before.pop(name)) == len(after.pop(name))
        assert after == before


async def is_told_where_it_is(two: Apart) -> None:
    """Whoever forgets the setting is not shown what lies where nobody writes any more."""
    for words in (["keys", "rotate"], ["activity", "verify"], ["migrate"]):
        with pytest.raises(Problem, match="set CARESPACE_RECORDS_DATABASE_URL to where it is"):
            await two.says(*words, there=two.together)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        async with apart.connected(two.first, "records"):
            pass
    assert await moved(two.apart) == []
    (told,) = await moved(two.together)
    assert told.startswith("records may not log in: its schema was moved away from here")
    async with apart.connected(two.first) as db:
        await db.execute("ALTER ROLE records LOGIN")
        (told,) = await moved(two.apart)
        assert told.startswith(
            "records may still log in here, though CARESPACE_RECORDS_DATABASE_URL says"
        )
        await db.execute("ALTER ROLE records NOLOGIN")


async def test_who_looks_between_preparing_and_moving_is_not_shown_the_empty_tables(
    two: Apart, tmp_path: Path
) -> None:
    """Last night's backup would lack them; and the doctor does not send anybody to shut them out."""
    async with office.opened(two.first) as practice:
        await practice.add_patient()
    await two.says("migrate")
    for words in (["backup", str(tmp_path / "backup")], ["keys", "list"]):
        with pytest.raises(Problem, match="If it is yet to be moved: `carespace move records`"):
            await two.says(*words)
    (told,) = await moved(two.apart)
    assert told.startswith("records may still log in here")
    assert "All is as it should be." in await two.says("migrate")
    await two.says("move", "records")
    assert "Written: " in await two.says("backup", str(tmp_path / "backup"))


async def moved(there: Administrator) -> list[str]:
    """What the doctor has to say, but that nobody runs who would follow events."""
    found = await examination.examine(there, replicas=1)
    return [each.what for each in found if each.about != "followers"]


async def can_be_taken_from_where_it_was(two: Apart) -> None:
    """As the guide has it; nothing that is looked at misses it."""
    (dropping,) = re.findall(r"DROP SCHEMA records CASCADE;[^`]+", GUIDE.read_text())
    async with apart.connected(two.first) as db:
        await db.execute(dropping)
        assert await walls.examined(db, REST) == []
    async with apart.connected(two.second) as db:
        assert await walls.examined(db, ["records"]) == []
    assert "All is as it should be." in await two.says("migrate")
    assert "All is as it should be." in await two.says("migrate", "--check")


async def test_the_walls_stand_where_the_schema_went(two: Apart) -> None:
    async with office.opened(two.first) as practice:
        await practice.add_patient()
    await two.says("migrate")
    await two.says("move", "records")
    async with apart.connected(two.second, "records") as db:
        await db.execute("SET search_path TO records")
        for practice_id, seen in ((practice.practice_id, 1), (uuid4(), 0)):
            await db.execute("SELECT set_config('app.practice', $1, false)", str(practice_id))
            assert await db.fetchval("SELECT count(*) FROM patient") == seen
        for forbidden in (
            "UPDATE activity SET act = ''",
            "DELETE FROM activity",
            "ALTER TABLE patient NO FORCE ROW LEVEL SECURITY",
            "SET ROLE records_owner",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(forbidden)
        own = await db.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'messaging'")
        assert own == 0


async def test_a_move_that_does_not_fit_changes_nothing(two: Apart) -> None:
    """Who is still at work, what is not empty, what is not ready, and nowhere to go."""
    with pytest.raises(Problem, match="CARESPACE_RECORDS_DATABASE_URL is not set"):
        await two.says("move", "records", there=two.together)
    with pytest.raises(Problem, match="run `carespace migrate`"):
        await two.says("move", "records")
    itself = replace(two.together, records_database_url=two.together.database_url)
    with pytest.raises(Problem, match="names the Postgres that records is in"):
        await two.says("move", "records", there=itself)
    await two.says("migrate")
    async with apart.connected(two.first, "records"):
        with pytest.raises(SaidNo, match="Stop records first"):
            await two.says("move", "records")
    async with apart.connected(two.first) as db:
        assert await databases.shut_out(db, ["records"]) == []
    async with apart.connected(two.first) as db, db.transaction():
        await db.execute("INSERT INTO records.inbox VALUES ('y', gen_random_uuid(), now())")
        with pytest.raises(SaidNo, match="Another command is changing what should go"):
            await two.says("move", "records")
    async with apart.connected(two.second) as db:
        await db.execute("INSERT INTO records.inbox VALUES ('x', gen_random_uuid(), now())")
    with pytest.raises(SaidNo, match=r"records\.inbox holds something already"):
        await two.says("move", "records")
    async with apart.connected(two.first, "records"):
        pass  # it goes on where it was
