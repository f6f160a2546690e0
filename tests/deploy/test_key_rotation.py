"""`carespace keys`: a new master key, everything sealed anew under it, and the old one thrown away."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from click.testing import CliRunner

from deploy import databases, key_ring, keys, secret_files
from deploy.command import commands
from deploy.problem import Problem, SaidNo
from libs.runtime.keyring import KeyRing, new_data_key
from libs.vault.content import binds_data_key
from services.identity.means import binds_code
from tests.records import office
from tests.records.office import Office
from tests.servers import Servers

PATIENTS = 12
KEYS = PATIENTS + 1
"""One is the practice's own."""
MANY = 10_000


def ring_of(folder: Path) -> KeyRing:
    return KeyRing.parse(keys.kept(folder).key_ring)


def with_ring(servers: Servers, ring: str) -> Servers:
    return replace(servers, keys=replace(servers.keys, key_ring=ring))


def a_ring(folder: Path, names: int) -> str:
    """The text of a ring with this many keys."""
    keys.kept(folder)
    for _ in range(names - 1):
        key_ring.add(folder, owner=None)
    return keys.kept(folder).key_ring


@asynccontextmanager
async def connected(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    db = await asyncpg.connect(servers.database_url("admin"))
    try:
        yield db
    finally:
        await db.close()


async def rotated(servers: Servers, ring: str) -> int:
    async with connected(servers) as db:
        return sum(
            [rows async for _, rows in key_ring.rotate(databases.only(db), KeyRing.parse(ring))]
        )


# The ring


def test_a_new_key_is_the_newest_and_the_others_stay(tmp_path: Path) -> None:
    secret_files.write(tmp_path, database="postgres:5432/postgres", owner=None)
    before = keys.kept(tmp_path)
    assert key_ring.add(tmp_path, owner=None) == "k2"
    assert key_ring.add(tmp_path, owner=None) == "k3"
    after = keys.kept(tmp_path)
    assert after.key_ring.startswith(before.key_ring)
    assert list(ring_of(tmp_path)) == ["k1", "k2", "k3"]
    assert replace(after, key_ring=before.key_ring) == before
    assert (tmp_path / "key-ring").read_text() == after.key_ring
    assert stat.S_IMODE((tmp_path / "key-ring").stat().st_mode) == 0o600
    assert secret_files.write(tmp_path, database="postgres:5432/postgres", owner=None) == []
    assert (tmp_path / "key-ring").read_text() == after.key_ring


def test_a_key_is_dropped_for_good_but_never_the_newest(tmp_path: Path) -> None:
    a_ring(tmp_path, 3)
    key_ring.drop(tmp_path, "k2", owner=None)
    assert list(ring_of(tmp_path)) == ["k1", "k3"]
    assert not (tmp_path / "key-ring").exists()  # one-machine mode has none
    for refused in ("k3", "k2"):
        with pytest.raises(SaidNo, match=refused):
            key_ring.drop(tmp_path, refused, owner=None)
    assert key_ring.add(tmp_path, owner=None) == "k4"  # a name is not given twice


def test_a_folder_without_secrets_is_not_given_any(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"There is no keys\.json"):
        key_ring.add(tmp_path, owner=None)
    assert not list(tmp_path.iterdir())


def test_dropping_asks_first(tmp_path: Path) -> None:
    a_ring(tmp_path, 2)
    run = CliRunner().invoke
    assert run(commands, ["keys", "drop", "k1", str(tmp_path)], input="n\n").exit_code == 1
    assert list(ring_of(tmp_path)) == ["k1", "k2"]
    assert run(commands, ["keys", "drop", "k1", str(tmp_path), "--yes"]).exit_code == 0
    assert list(ring_of(tmp_path)) == ["k2"]


# The rows


async def filed(practice: Office) -> dict[UUID, tuple[UUID, bytes]]:
    """Patients, each with a document."""
    told = {}
    for number in range(PATIENTS):
        patient_id = await practice.add_patient(mrn=str(number))
        content = f"Letter {number} ".encode() * 40_000
        told[patient_id] = (await practice.file(patient_id, content), content)
    return told


async def test_everything_is_rotated_while_it_is_read_and_the_old_key_is_not_missed(
    clean: Servers, tmp_path: Path
) -> None:
    both = a_ring(tmp_path, 2)
    first, second = (f"{line}\n" for line in both.splitlines())
    async with office.opened(with_ring(clean, first)) as practice:
        written = await filed(practice)
    reads, done = 0, asyncio.Event()
    async with office.opened(with_ring(clean, both)) as beside:
        again = replace(practice, broker=beside.broker)

        async def read() -> int:
            """Over and over; a read that fails fails the test."""
            count = 0
            while not done.is_set():
                for patient_id, (document_id, content) in written.items():
                    assert await again.content(patient_id, document_id) == content
                    count += 1
            return count

        readers = [asyncio.create_task(read()) for _ in range(3)]
        await many_data_keys(clean, first)
        assert await rotated(clean, both) == KEYS + MANY
        newcomer = await again.add_patient("Tom", mrn="t")
        await again.file(newcomer, b"new")
        done.set()
        reads = sum(await asyncio.gather(*readers))
        assert await rotated(clean, both) == 0
    assert reads > PATIENTS
    async with office.opened(with_ring(clean, second)) as beside:
        again = replace(practice, broker=beside.broker)
        for patient_id, (document_id, content) in written.items():
            assert await again.content(patient_id, document_id) == content
    async with connected(clean) as db:
        (only,) = await key_ring.listed(databases.only(db), KeyRing.parse(second))
        assert only.rows == {"records.data_key": KEYS + MANY + 1}


async def many_data_keys(servers: Servers, ring: str) -> None:
    practice_id, parsed = uuid4(), KeyRing.parse(ring)
    owners = [uuid4() for _ in range(MANY)]
    rows = [
        (
            practice_id,
            owner,
            *parsed.wrap(new_data_key(), belongs_to=binds_data_key(practice_id, owner)),
        )
        for owner in owners
    ]
    async with connected(servers) as db:
        await db.copy_records_to_table(
            "data_key",
            schema_name="records",
            records=rows,
            columns=("practice_id", "owner_id", "key_id", "wrapped"),
        )


async def test_one_time_codes_are_rotated_too(clean: Servers, tmp_path: Path) -> None:
    both = KeyRing.parse(a_ring(tmp_path, 2))
    old = KeyRing.parse(keys.kept(tmp_path).key_ring.splitlines()[0])
    account_id, secret = uuid4(), b"JBSWY3DPEHPK3PXP"
    key_id, sealed = old.wrap(secret, belongs_to=binds_code(account_id))
    async with connected(clean) as db:
        await db.execute(
            """
            INSERT INTO identity.account
                   (id, email, name, date_of_birth, password_hash, password_set_at, code_key_id,
                    code_secret, terms_version, terms_at, created_at)
            VALUES ($1, 'a@example.com', 'A', '1980-01-01', '', now(), $2, $3, '1', now(), now())
            """,
            account_id,
            key_id,
            sealed,
        )
        await db.execute(
            "INSERT INTO identity.pending_code VALUES ($1, $2, $3, now())",
            account_id,
            key_id,
            sealed,
        )
        assert [table async for table, _ in key_ring.rotate(databases.only(db), both)] == [
            "identity.account",
            "identity.pending_code",
        ]
        row = await db.fetchrow("SELECT code_key_id, code_secret FROM identity.account")
        assert row
        assert row["code_key_id"] == "k2"
        opened = both.unwrap("k2", row["code_secret"], belongs_to=binds_code(account_id))
        assert opened == secret


async def test_a_destroyed_key_stays_destroyed(clean: Servers, tmp_path: Path) -> None:
    ring = a_ring(tmp_path, 2)
    async with connected(clean) as db:
        await db.execute(
            """
            INSERT INTO records.data_key (practice_id, owner_id, key_id, destroyed_at)
            VALUES ($1, $2, 'k1', now())
            """,
            uuid4(),
            uuid4(),
        )
    assert await rotated(clean, ring) == 0


async def test_nothing_is_rotated_while_somebody_would_not_know_the_key(
    clean: Servers, tmp_path: Path
) -> None:
    both = a_ring(tmp_path, 2)
    first = f"{both.splitlines()[0]}\n"
    async with office.opened(with_ring(clean, first)) as practice:
        await filed(practice)
        with pytest.raises(SaidNo, match="Not yet: records would not know the key k2"):
            await rotated(clean, both)
        async with connected(clean) as db:
            old, new = await key_ring.listed(databases.only(db), KeyRing.parse(both))
    assert (old.key_id, old.rows) == ("k1", {"records.data_key": KEYS})
    assert (new.key_id, new.rows, new.newest) == ("k2", {}, True)


async def test_a_row_that_does_not_open_stays_and_is_told(clean: Servers, tmp_path: Path) -> None:
    both = a_ring(tmp_path, 2)
    other = KeyRing.parse(f"k1 {'A' * 43}=")
    practice_id, owner_id = uuid4(), uuid4()
    key_id, wrapped = other.wrap(new_data_key(), belongs_to=binds_data_key(practice_id, owner_id))
    async with connected(clean) as db:
        insert = "INSERT INTO records.data_key VALUES ($1, $2, $3, $4)"
        await db.execute(insert, practice_id, owner_id, key_id, wrapped)
        with pytest.raises(
            SaidNo, match=r"A row of records.data_key does not open with the key k1"
        ):
            await rotated(clean, both)
        assert await db.fetchval("SELECT wrapped FROM records.data_key") == wrapped


async def test_the_commands_list_and_rotate(
    clean: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARESPACE_DATABASE_URL", clean.database_url("admin"))
    monkeypatch.setenv("CARESPACE_NATS_URL", clean.nats_url)
    monkeypatch.setenv("CARESPACE_NATS_CREDENTIALS", clean.credentials("provisioner"))
    monkeypatch.setenv("CARESPACE_KEY_RING", a_ring(tmp_path, 2))
    practice_id, owner_id = uuid4(), uuid4()
    ring = KeyRing.parse(keys.kept(tmp_path).key_ring.splitlines()[0])
    sealed = ring.wrap(new_data_key(), belongs_to=binds_data_key(practice_id, owner_id))
    async with connected(clean) as db:
        await db.execute(
            "INSERT INTO messaging.data_key VALUES ($1, $2, $3, $4)", practice_id, owner_id, *sealed
        )

    async def told(*words: str) -> str:
        done = await asyncio.to_thread(CliRunner().invoke, commands, ["keys", *words])
        assert done.exit_code == 0, done.output
        return done.output

    assert "1 of messaging.data_key" in await told("list")
    assert json.loads(await told("rotate", "--json")) == {"newest": "k2", "moved": 1}
    old, new = json.loads(await told("list", "--json"))
    assert (old["rows"], new["rows"]) == ({}, {"messaging.data_key": 1})
    assert await told("rotate") == "0 rows were put under k2; everything is.\n"
