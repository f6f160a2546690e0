"""`carespace backup` and `carespace restore`: what comes back, what must not, and what is refused."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from click.testing import CliRunner
from uuid_utils.compat import uuid7

from deploy import databases, key_ring, keys, streams
from deploy.administrator import Administrator
from deploy.backup import checking, folder, restoring, tables, writing
from deploy.backup.folder import PIECE, Backup
from deploy.backup.moment import moment
from deploy.command import commands
from deploy.databases import Databases
from deploy.problem import Problem, SaidNo
from libs.contracts import registry
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.messaging.announcements import AnnouncementDue
from libs.runtime import outbox
from libs.runtime.keyring import new_data_key
from services.notifier import domain
from tests import conftest, parts
from tests.notifier import test_owed_letters as post
from tests.records import office
from tests.records.office import Office
from tests.servers import Servers
from tests.waiting import until

LETTER = b"Dear Rosa, " * 60_000
Tables = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def there(clean: Servers) -> Administrator:
    return Administrator(
        database_url=clean.database_url("admin"),
        nats_url=clean.nats_url,
        nats_credentials=clean.credentials("provisioner"),
        key_ring=clean.keys.key_ring,
    )


@asynccontextmanager
async def database(servers: Servers, **settings: str) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(servers.database_url("admin"), server_settings=settings)
    try:
        yield db
    finally:
        await db.close()


async def everything(servers: Servers) -> Tables:
    """Every row of every table."""
    async with database(servers) as db:
        return {
            f"{schema}.{name}": sorted(
                (tuple(row) for row in await db.fetch(f"SELECT * FROM {schema}.{name}")), key=repr
            )
            for schema, name in await tables.ordered(databases.only(db))
        }


async def wiped(servers: Servers) -> None:
    """An installation as `carespace migrate` leaves it: streams that have never held anything."""
    await conftest.empty(servers)
    async with streams.provisioner(
        servers.nats_url, servers.credentials("provisioner")
    ) as jetstream:
        for stream in streams.streams():
            await jetstream.delete_stream(stream.name or "")
        await streams.provision(jetstream)


async def a_practice(servers: Servers) -> tuple[Office, UUID, UUID]:
    """Records with a patient, a letter and an activity log."""
    async with office.opened(servers) as practice:
        patient_id = await practice.add_patient()
        document_id = await practice.file(patient_id, LETTER, dated=date(2026, 3, 1))
        assert await practice.content(patient_id, document_id) == LETTER
    return practice, patient_id, document_id


def told(*_: object) -> None:
    """Nobody is there to be told how far it is."""


async def written(there: Administrator, to: Path) -> Path:
    await writing.write(there, to, tell=told)
    return to


async def restored(there: Administrator, backup: Path) -> None:
    await restoring.restore(there, backup, replicas=1, tell=told)


# What comes back


async def test_an_empty_installation_becomes_what_the_backup_was_made_of(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    practice, patient_id, document_id = await a_practice(clean)
    before = await everything(clean)
    backup = await written(there, tmp_path / "backup")
    await wiped(clean)
    await restored(there, backup)
    after = await everything(clean)
    assert after.pop("notifier.restored")
    before.pop("notifier.restored")
    for name in [name for name in before if name.endswith((".inbox", ".answered"))]:
        assert [row[:-1] for row in after.pop(name)] == [row[:-1] for row in before.pop(name)]
    assert after == before
    assert before["records.activity"]
    checked = await checking.check(there, there.ring())
    assert (checked.logs, checked.files, checked.bytes, checked.bad) == (1, 1, len(LETTER), ())
    async with office.opened(clean) as beside:
        again = replace(practice, broker=beside.broker)
        assert await again.content(patient_id, document_id) == LETTER
        assert await again.file(patient_id, b"and on it goes")


async def test_the_events_that_wait_in_an_outbox_and_in_a_stream_come_back(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    carried, waiting = ([_due() for _ in range(3)] for _ in range(2))
    await _announce(clean, carried)
    async with parts.running(parts.relay(clean, "messaging")):
        await until(lambda: _no_outbox(clean))
    await _announce(clean, waiting)
    backup = await written(there, tmp_path / "backup")
    await wiped(clean)
    await restored(there, backup)
    assert [event.id for event in await parts.stored(clean, AnnouncementDue)] == [
        event.id for event in carried
    ]
    async with parts.running(parts.relay(clean, "messaging")):
        await until(lambda: _no_outbox(clean))
    assert [event.id for event in await parts.stored(clean, AnnouncementDue)] == [
        event.id for event in carried + waiting
    ]


async def _no_outbox(servers: Servers) -> bool:
    async with database(servers) as db:
        return not await db.fetchval("SELECT count(*) FROM messaging.outbox")


def _due() -> AnnouncementDue:
    return AnnouncementDue(practice_id=uuid4(), reference_id=uuid4(), at=datetime.now(UTC))


async def _announce(servers: Servers, events: list[AnnouncementDue]) -> None:
    async with database(servers, search_path="messaging") as db, db.transaction():
        await outbox.announce(db, *events)


async def test_a_moment_has_every_change_with_its_event_and_no_event_without(
    clean: Servers,
) -> None:
    """Writers and the relay go on, and still each moment is whole."""
    done = asyncio.Event()

    async def write() -> None:
        async with database(clean, search_path="messaging") as db:
            while not done.is_set():
                event = _due()
                async with db.transaction():
                    await db.execute(
                        "INSERT INTO template VALUES ($1, $2, '', '')",
                        event.practice_id,
                        event.id,
                    )
                    await outbox.announce(db, event)
                await asyncio.sleep(0.02)  # each look takes as long as there are events

    async with parts.running(parts.relay(clean, "messaging")):
        writers = [asyncio.create_task(write()) for _ in range(4)]
        try:
            seen = [await _seen(clean) for _ in range(30)]
        finally:
            done.set()
            await asyncio.gather(*writers)
    for changes, waiting, carried in seen:
        assert changes <= waiting | carried, "an event is lost"
        assert waiting | carried <= changes, "an event tells of what is not there"
    assert any(waiting for _, waiting, _ in seen)
    assert seen[-1][2]


async def _seen(servers: Servers) -> tuple[set[UUID], set[UUID], set[UUID]]:
    """Of one moment: changes, events in the outbox, events in the stream."""
    seed = servers.credentials("provisioner")
    async with (
        streams.provisioner(servers.nats_url, seed) as jetstream,
        moment(Databases(database_url=servers.database_url("admin")), jetstream) as then,
    ):
        await asyncio.sleep(0.05)  # whatever goes on meanwhile is not of this moment
        changes = await then.dbs["messaging"].fetch("SELECT id FROM messaging.template")
        waiting = await then.dbs["messaging"].fetch("SELECT id FROM messaging.outbox")
        lines = writing._events(jetstream, "messaging", then.ends["messaging"])
        carried = {UUID(json.loads(line)["id"]) async for line in lines}
    return {row["id"] for row in changes}, {row["id"] for row in waiting}, carried


# What must not happen


async def test_no_letter_is_sent_twice(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    """Sent, owed, and announced but not yet heard of: each before the backup was made."""
    sent, owed, unheard = (_letter() for _ in range(3))
    await _owed(clean, sent)
    await _owed(clean, owed)
    async with database(clean) as db:
        await db.execute(
            """
            UPDATE notifier.mail_job SET state = 'sent', due_at = NULL, sent_at = now()
             WHERE reference_id = $1
            """,
            sent.reference_id,
        )
    async with database(clean, search_path="identity") as db, db.transaction():
        await outbox.announce(db, unheard)
    backup = await written(there, tmp_path / "backup")
    await wiped(clean)
    await restored(there, backup)
    after = _letter()
    addresses = {
        each.reference_id: f"{n}@example.com" for n, each in enumerate([sent, owed, unheard, after])
    }
    async with post.working(clean) as working:
        working.addresses.update(addresses)
        async with database(clean, search_path="identity") as db, db.transaction():
            await outbox.announce(db, after)
        await until(lambda: _states(clean, after=len(addresses)))
    assert [to for to, _ in working.sink.taken] == ["3@example.com"]
    states = await _states(clean, after=4)
    assert states[sent.reference_id] == ("sent", "")
    assert states[owed.reference_id] == ("failed", restoring.HELD)
    assert states[unheard.reference_id] == ("failed", restoring.HELD)
    assert states[after.reference_id][0] == "sent"


def _letter() -> LetterDue:
    return LetterDue(
        kind=LetterKind.INVITATION, reference_id=uuid4(), version=1, practice_id=uuid4()
    )


async def _owed(servers: Servers, letter: LetterDue) -> None:
    async with database(servers) as db:
        await db.execute(
            """
            INSERT INTO notifier.mail_job
                   (practice_id, id, kind, reference_id, version, queued_at, due_at)
            VALUES ($1, $2, 'invitation', $3, 1, now(), now())
            """,
            letter.practice_id,
            uuid4(),
            letter.reference_id,
        )


async def _states(servers: Servers, *, after: int) -> dict[UUID, tuple[str, str]]:
    async with database(servers) as db:
        rows = await db.fetch("SELECT reference_id, state, answer FROM notifier.mail_job")
    settled = [row for row in rows if row["state"] not in ("queued", "retrying")]
    if len(settled) < after:
        return {}
    return {
        row["reference_id"]: (row["state"], row["answer"] if row["state"] == "failed" else "")
        for row in rows
    }


def test_an_events_id_says_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = domain.announced_at(uuid7())
    assert abs(made - before) < timedelta(seconds=1)


async def test_nobody_is_logged_in_after_it_and_open_links_are_void(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    account_id = uuid4()
    async with database(clean, search_path="identity") as db:
        await db.execute(
            """
            INSERT INTO account (id, email, name, date_of_birth, password_hash, password_set_at,
                                 terms_version, terms_at, created_at)
            VALUES ($1, 'a@example.com', 'A', '1980-01-01', '', now(), '1', now(), now())
            """,
            account_id,
        )
        await db.execute(
            """
            INSERT INTO session (id, account_id, token_hash, device, source, started_at, last_seen_at)
            VALUES ($1, $2, '\\x01', '', '', now(), now())
            """,
            uuid4(),
            account_id,
        )
        await db.execute(
            "INSERT INTO reset VALUES ($1, $2, false, now(), now() + interval '1 hour')",
            uuid4(),
            account_id,
        )
    backup = await written(there, tmp_path / "backup")
    await wiped(clean)
    await restored(there, backup)
    async with database(clean, search_path="identity") as db:
        assert await db.fetchval("SELECT count(*) FROM account") == 1
        assert await db.fetchval("SELECT count(*) FROM session") == 0
        assert await db.fetchval("SELECT void FROM reset")


async def test_what_services_heard_counts_as_heard_just_now(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    """Or the relay would forget it before the stream does, and it would be done twice."""
    async with database(clean) as db:
        await db.execute(
            "INSERT INTO notifier.inbox VALUES ('x', $1, now() - interval '20 days')", uuid4()
        )
    backup = await written(there, tmp_path / "backup")
    await wiped(clean)
    await restored(there, backup)
    async with database(clean) as db:
        assert await db.fetchval(
            "SELECT now() - heard_at < interval '1 minute' FROM notifier.inbox"
        )


# What is refused


async def refuses(there: Administrator, backup: Path, words: str) -> None:
    with pytest.raises(SaidNo, match=words):
        await restored(there, backup)


async def test_an_installation_that_is_not_empty_or_not_at_rest_is_left_alone(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    await a_practice(clean)
    backup = await written(there, tmp_path / "backup")
    before = await everything(clean)
    await refuses(there, backup, r"This installation is not empty: \w+\.\w+ holds something")
    assert await everything(clean) == before
    await wiped(clean)
    async with office.opened(clean):
        await refuses(there, backup, "Stop records first")


async def test_a_backup_of_another_release_is_for_that_release(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    async with database(clean) as db:
        await db.execute("INSERT INTO records.migration VALUES ('9999_later.sql')")
        try:
            backup = await written(there, tmp_path / "backup")
        finally:
            await db.execute("DELETE FROM records.migration WHERE name = '9999_later.sql'")
    await refuses(there, backup, "restore it with that release, then upgrade")


async def test_without_the_key_that_it_lies_under_nobody_reads_it(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    await a_practice(clean)
    backup = await written(there, tmp_path / "backup")
    for file in backup.iterdir():
        assert b"Alvarez" not in file.read_bytes()
        assert b"Rosa" not in file.read_bytes()
    await refuses(replace(there, key_ring=f"k9 {'A' * 43}="), backup, "under the key k1, not on")
    await refuses(replace(there, key_ring=f"k1 {'A' * 43}="), backup, "not as it was written")
    keys.kept(tmp_path / "keys")
    key_ring.add(tmp_path / "keys", owner=None)
    newer = keys.kept(tmp_path / "keys").key_ring.splitlines()[1]
    await wiped(clean)
    await restored(replace(there, key_ring=f"{there.key_ring}{newer}\n"), backup)


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _cut(file: Path) -> None:
    """Its last piece is gone."""
    content = file.read_bytes()
    ends, at = [0], 0
    while at < len(content):
        at += folder.LENGTH + int.from_bytes(content[at : at + folder.LENGTH], "big")
        ends.append(at)
    file.write_bytes(content[: ends[-2]])


def _longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"x")


def _swap(file: Path) -> None:
    other = next(each for each in file.parent.glob("*.rows") if each != file)
    here, beside = file.read_bytes(), other.read_bytes()
    file.write_bytes(beside)
    other.write_bytes(here)


@pytest.mark.parametrize("harm", [_flip, _cut, _longer, _swap])
async def test_a_backup_that_was_changed_is_refused_and_nothing_of_it_stays(
    clean: Servers, there: Administrator, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    await a_practice(clean)
    backup = await written(there, tmp_path / "backup")
    await restoring.read_through(there, backup, tell=told)
    await wiped(clean)
    before = await everything(clean)
    harm(backup / "records.content_chunk.rows")
    with pytest.raises(SaidNo, match="The backup is not as it was written"):
        await restoring.read_through(there, backup, tell=told)
    await refuses(there, backup, "The backup is not as it was written")
    assert await everything(clean) == before


async def test_a_manifest_that_was_changed_is_refused(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    backup = await written(there, tmp_path / "backup")
    manifest = backup / folder.MANIFEST
    content = json.loads(manifest.read_text())
    for changed in ({"id": str(uuid4())}, {"sealed": "AAAA"}, {"wrapped": 5}, {"format": None}):
        manifest.write_text(json.dumps(content | changed))
        with pytest.raises(SaidNo):
            folder.opened(backup, there.ring())
    manifest.write_text("{")
    with pytest.raises(Problem, match="There is no backup in"):
        folder.opened(backup, there.ring())


async def test_what_broke_off_is_no_backup_and_is_not_in_the_way(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    def break_off(*_: object) -> None:
        raise SaidNo("told to stop")

    with pytest.raises(SaidNo, match="told to stop"):
        await writing.write(there, tmp_path / "backup", tell=break_off)
    assert not (tmp_path / "backup").exists()
    await written(there, tmp_path / "backup")
    with pytest.raises(Problem, match="is there already"):
        await written(there, tmp_path / "backup")


async def test_an_announcement_that_takes_too_long_is_not_waited_for(
    clean: Servers, there: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.backup.moment.HELD_WITHIN", 1)
    async with database(clean, search_path="messaging") as db, db.transaction():
        await outbox.announce(db, _due())
        with pytest.raises(SaidNo, match="under way for more than 1 s"):
            await written(there, tmp_path / "backup")


async def test_a_role_of_one_practice_cannot_make_one(
    clean: Servers, there: Administrator, tmp_path: Path
) -> None:
    for role in registry.services():
        weak = replace(there, database_url=clean.database_url(role))
        with pytest.raises((Problem, asyncpg.InsufficientPrivilegeError)):
            await written(weak, tmp_path / "backup")


# Pieces


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 7])
async def test_what_is_written_is_read_whatever_its_size(tmp_path: Path, size: int) -> None:
    backup = Backup(folder=tmp_path, id=uuid4(), key=new_data_key())
    content = bytes(n % 251 for n in range(size))
    with backup.writer("one") as file:
        for begins in range(0, size, 300_000):
            await file.add(content[begins : begins + 300_000])
    assert file.bytes == size
    pieces = [piece async for piece in backup.pieces("one")]
    assert b"".join(pieces) == content
    assert all(len(piece) <= PIECE for piece in pieces)


# The commands


async def test_the_commands_back_up_check_and_restore(
    clean: Servers, there: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARESPACE_DATABASE_URL", there.database_url)
    monkeypatch.setenv("CARESPACE_NATS_URL", there.nats_url)
    monkeypatch.setenv("CARESPACE_NATS_CREDENTIALS", there.nats_credentials)
    monkeypatch.setenv("CARESPACE_KEY_RING", there.key_ring)
    await a_practice(clean)
    backup = str(tmp_path / "backup")

    async def said(*words: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, commands, words)
        assert done.exit_code == 0, done.output
        return done.output

    assert (await said("backup", backup)).startswith("Written: ")
    assert (await said("restore", backup, "--check")).startswith("Read: ")
    await wiped(clean)
    assert "1 activity logs and 1 files hold." in await said("restore", backup)
    await wiped(clean)
    assert json.loads(await said("restore", backup, "--json"))["checked"]["files"] == 1
