"""`carespace doctor`: each fault is planted for real, found, explained, and gone when it is undone."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from nats.js import JetStreamContext

from deploy import postgres, sealed_rows, streams
from deploy.administrator import Administrator
from deploy.doctor import events, examination, secrets, walls
from deploy.doctor.finding import Finding
from deploy.nats_config import DEAD
from libs.contracts import registry
from libs.runtime.keyring import KeyRing, new_data_key
from libs.vault.content import binds_data_key
from tests import authority
from tests.authority import Authority
from tests.deploy.test_streams import terminated
from tests.notifier.test_smtp_with_tls import AS_URL, serving
from tests.servers import Servers
from tests.waiting import until

# aiosmtpd does not see that its port speaks nothing but TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
ROOT = Path(__file__).parents[2]
OTHER = "k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
NEWER = "k2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


@pytest.fixture
def there(clean: Servers) -> Administrator:
    return Administrator(
        database_url=clean.database_url("admin"),
        nats_url=clean.nats_url,
        nats_credentials=clean.credentials("provisioner"),
        key_ring=clean.keys.key_ring,
    )


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """No follower runs here that would have to be waited for."""
    monkeypatch.setattr(events, "PAUSE", 0)


@pytest.fixture
async def admin(clean: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(clean.database_url("admin"))
    yield connection
    await connection.close()


@pytest.fixture
async def jetstream(clean: Servers) -> AsyncIterator[JetStreamContext]:
    async with streams.provisioner(clean.nats_url, clean.credentials("provisioner")) as connected:
        yield connected


async def found(there: Administrator) -> list[Finding]:
    """All but that no service runs, which is so here."""
    everything = await examination.examine(there, replicas=1)
    return [each for each in everything if "Nobody takes the events" not in each.what]


def says(findings: Sequence[Finding], about: str, *words: str) -> bool:
    """Exactly one thing is wrong, and it is this."""
    assert [each.about for each in findings] == [about], findings
    (only,) = findings
    assert all(word in only.what for word in words), only.what
    assert only.remedy
    return True


async def test_of_what_is_well_nothing_is_said(there: Administrator) -> None:
    assert await found(there) == []


CLOCK = """
    CREATE SCHEMA skewed;
    CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz
        RETURN pg_catalog.clock_timestamp() {shift};
    ALTER ROLE carespace_admin SET search_path = skewed, pg_catalog
"""
"""What Postgres answers when it is asked for the time; the machine has one clock for all tests."""
CLOCK_AS_IT_WAS = "ALTER ROLE carespace_admin RESET search_path; DROP SCHEMA skewed CASCADE"
PLANTED = {
    "row-level security is off": (
        "ALTER TABLE records.result DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE records.result ENABLE ROW LEVEL SECURITY",
        ("row-level security", "records.result is off"),
    ),
    "row-level security does not hold for the owner": (
        "ALTER TABLE identity.account NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE identity.account FORCE ROW LEVEL SECURITY",
        ("row-level security", "identity.account"),
    ),
    "a policy is gone": (
        (
            "ALTER POLICY own_practice ON messaging.note RENAME TO gone;"
            "DROP POLICY gone ON messaging.note"
        ),
        (
            "CREATE POLICY own_practice ON messaging.note"
            " USING (practice_id = current_setting('app.practice')::uuid)"
            " WITH CHECK (practice_id = current_setting('app.practice')::uuid)"
        ),
        ("row-level security", "messaging.note has no policy"),
    ),
    "a role sees every practice": (
        "ALTER ROLE messaging BYPASSRLS",
        "ALTER ROLE messaging NOBYPASSRLS",
        ("roles", "The role messaging may do more"),
    ),
    "the activity log can be changed": (
        "GRANT UPDATE ON records.activity TO records",
        "REVOKE UPDATE ON records.activity FROM records",
        ("rights", "records may UPDATE in records.activity"),
    ),
    "a table belongs to somebody else": (
        "ALTER TABLE notifier.mail_job OWNER TO notifier",
        (
            "ALTER TABLE notifier.mail_job OWNER TO notifier_owner;"
            "GRANT SELECT, INSERT, UPDATE, DELETE ON notifier.mail_job TO notifier"
        ),
        ("owners", "notifier.mail_job does not belong to notifier_owner"),
    ),
    "a migration is missing": (
        "DELETE FROM delegation.migration WHERE name = '0002_delegate.sql'",
        "INSERT INTO delegation.migration VALUES ('0002_delegate.sql')",
        ("migrations", "delegation/0002_delegate.sql is not applied"),
    ),
    "a newer release was here": (
        "INSERT INTO records.migration VALUES ('9999_later.sql')",
        "DELETE FROM records.migration WHERE name = '9999_later.sql'",
        ("migrations", "records/9999_later.sql is of a newer release"),
    ),
    "commits are not on the disk": (
        "ALTER ROLE carespace_admin SET synchronous_commit = off",
        "ALTER ROLE carespace_admin RESET synchronous_commit",
        ("durability", "synchronous_commit off"),
    ),
    "a role is missing": (
        "ALTER ROLE records RENAME TO gone",
        "ALTER ROLE gone RENAME TO records",
        ("roles", "The role records is missing"),
    ),
    "the clock of Postgres is ahead": (
        CLOCK.format(shift="+ interval '3 seconds'"),
        CLOCK_AS_IT_WAS,
        ("clock", "differ by 3 s"),
    ),
    "the clock of Postgres is behind": (
        CLOCK.format(shift="- interval '3 seconds'"),
        CLOCK_AS_IT_WAS,
        ("clock", "differ by 3 s"),
    ),
    "nobody carries the outbox": (
        (
            "INSERT INTO identity.outbox (id, subject, body, announced_at)"
            " VALUES (gen_random_uuid(), 'event.identity.x', '{}', now() - interval '2 minutes')"
        ),
        "DELETE FROM identity.outbox",
        ("outbox", "1 events of identity have waited for 2 minutes"),
    ),
    "nobody sends the letters": (
        (
            "INSERT INTO notifier.mail_job"
            " (practice_id, id, kind, reference_id, version, queued_at, due_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'invitation', gen_random_uuid(), 1,"
            "         now(), now() - interval '11 minutes')"
        ),
        "DELETE FROM notifier.mail_job",
        ("letters", "1 letters are late, by 11 minutes"),
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
async def test_a_fault_in_the_database_is_found(
    there: Administrator, admin: asyncpg.Connection, fault: str
) -> None:
    plant, undo, (about, words) = PLANTED[fault]
    await admin.execute(plant)
    try:
        assert says(await found(there), about, words)
    finally:
        await admin.execute(undo)
    assert await found(there) == []


async def test_crowded_connections_are_told(clean: Servers, there: Administrator) -> None:
    limit = int(postgres.SETTINGS["max_connections"])
    many = limit * 8 // 10
    async with asyncpg.create_pool(clean.database_url("records"), min_size=many, max_size=many):
        assert says(await found(there), "connections", f"of {limit} connections to Postgres are")
    await until(lambda: nothing_wrong(there))


async def test_a_role_that_is_missing_is_named(
    admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = [*registry.services(), "billing"]
    monkeypatch.setattr(walls, "revoked", lambda: iter(()))
    assert says(await walls.examined(admin, services), "roles", "The role billing is missing")


async def nothing_wrong(there: Administrator) -> bool:
    return await found(there) == []


def test_every_right_that_migrations_take_away_is_known() -> None:
    taken = set(walls.revoked())
    assert {("records", "activity", "UPDATE"), ("records", "activity", "DELETE")} <= taken
    assert ("messaging", "message", "DELETE") in taken
    assert ("identity", "sign_in", "UPDATE") in taken


# Keys


async def test_every_column_that_names_a_master_key_is_looked_at(admin: asyncpg.Connection) -> None:
    rows = await admin.fetch(
        """
        SELECT table_schema || '.' || table_name AS name, column_name
          FROM information_schema.columns
         WHERE table_schema = ANY($1) AND column_name LIKE '%key_id'
        """,
        registry.services(),
    )
    assert {(row["name"], row["column_name"]) for row in rows} == {
        (place.table, place.key_id) for place in sealed_rows.PLACES
    }


async def a_data_key(admin: asyncpg.Connection, ring: str) -> None:
    practice_id, owner_id = uuid4(), uuid4()
    belongs_to = binds_data_key(practice_id, owner_id)
    key_id, wrapped = KeyRing.parse(ring).wrap(new_data_key(), belongs_to=belongs_to)
    await admin.execute(
        """
        INSERT INTO records.data_key (practice_id, owner_id, key_id, wrapped)
        VALUES ($1, $2, $3, $4)
        """,
        practice_id,
        owner_id,
        key_id,
        wrapped,
    )


async def test_a_key_that_is_not_on_the_ring_is_missed(
    there: Administrator, admin: asyncpg.Connection
) -> None:
    await a_data_key(admin, there.key_ring)
    assert await found(there) == []
    without = replace(there, key_ring=NEWER)
    assert says(await found(without), "key ring", "1 rows of records.data_key", "under the key k1")
    assert await found(replace(there, key_ring=there.key_ring + NEWER)) == []


async def test_another_key_by_the_same_name_is_noticed(
    there: Administrator, admin: asyncpg.Connection
) -> None:
    await a_data_key(admin, there.key_ring)
    wrong = replace(there, key_ring=OTHER)
    assert says(await found(wrong), "key ring", "1 of 1 rows", "another key by that name")


async def test_a_key_ring_that_cannot_be_read_hides_nothing_else(there: Administrator) -> None:
    broken = replace(there, key_ring="k1 not-a-key", public_url="http://portal.example.com")
    assert [each.about for each in await found(broken)] == ["key ring", "address"]


async def test_a_secret_that_others_can_read_is_told(
    there: Administrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key-ring"
    file.touch(mode=0o600)
    monkeypatch.setenv("CARESPACE_KEY_RING_FILE", str(file))
    assert await found(there) == []
    file.chmod(0o640)
    assert says(await found(there), "secret files", "CARESPACE_KEY_RING_FILE", "read by others")


@pytest.mark.parametrize(
    ("mode", "owner", "group", "too_many"),
    [
        (0o600, 10001, 10001, False),
        (0o640, 10001, 10001, True),
        (0o440, 0, 10001, False),
        (0o460, 0, 10001, True),
        (0o440, 0, 999, True),
        (0o444, 0, 10001, True),
    ],
)
def test_a_file_that_is_roots_and_lent_to_our_group_is_read_by_nobody_else(
    mode: int, owner: int, group: int, too_many: bool
) -> None:
    """As a cluster hands out secrets."""
    file = os.stat_result((mode, 0, 0, 0, owner, group, 0, 0, 0, 0))
    assert secrets.others_may(file, account=10001, groups=(10001,)) == too_many


# NATS


async def test_a_stream_that_drifted_is_told(
    there: Administrator, jetstream: JetStreamContext
) -> None:
    wanted = next(stream for stream in streams.streams() if stream.name == "messaging")
    await jetstream.update_stream(replace(wanted, max_age=13 * 24 * 3600))
    try:
        assert says(await found(there), "streams", "max_age of the stream messaging")
    finally:
        await streams.provision(jetstream)


async def test_a_stream_that_is_nearly_full_is_told(
    there: Administrator, jetstream: JetStreamContext
) -> None:
    wanted = next(stream for stream in streams.streams() if stream.name == "messaging")
    await jetstream.update_stream(replace(wanted, max_bytes=10_000))
    try:
        await jetstream.publish("event.messaging.tried", b"x" * 9000)
        told = [each for each in await found(there) if "full" in each.what]
        assert says(told, "streams", "The stream messaging is 9", "% full")
    finally:
        await jetstream.purge_stream("messaging")
        await streams.provision(jetstream)


async def test_a_follower_far_behind_is_told(
    there: Administrator, jetstream: JetStreamContext
) -> None:
    for _ in range(events.BEHIND // 100):
        await asyncio.gather(
            *[jetstream.publish("event.messaging.announcement_due", b"{}") for _ in range(100)]
        )
    assert await found(there) == []
    await jetstream.publish("event.messaging.announcement_due", b"{}")
    assert says(await found(there), "followers", "notifier is 1001 events of messaging behind")


async def test_a_service_that_does_not_run_is_named(there: Administrator) -> None:
    nobody = await examination.examine(there, replicas=1)
    named = {each.what.split(": ")[1].split()[0] for each in nobody if each.about == "followers"}
    assert named == {
        consumer.durable_name.split("-")[0]
        for _, consumer in streams.consumers()
        if consumer.durable_name
    }


async def test_dead_letters_are_told(
    clean: Servers, there: Administrator, jetstream: JetStreamContext
) -> None:
    await terminated(clean, jetstream)
    try:
        await until(lambda: _dead(jetstream))
        assert says(await found(there), "dead letters", "1 events could not be done", "delegation")
    finally:
        await jetstream.purge_stream(DEAD)


async def _dead(jetstream: JetStreamContext) -> bool:
    return bool((await jetstream.stream_info(DEAD)).state.messages)


async def test_nats_that_is_away_hides_nothing_of_postgres(
    there: Administrator, admin: asyncpg.Connection
) -> None:
    await admin.execute("ALTER ROLE messaging BYPASSRLS")
    try:
        findings = await found(replace(there, nats_url="nats://127.0.0.1:1"))
    finally:
        await admin.execute("ALTER ROLE messaging NOBYPASSRLS")
    assert [each.about for each in findings] == ["roles", "nats"]


async def test_credentials_that_nats_refuses_are_told(there: Administrator, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.nk"
    stranger.write_text("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY")
    assert says(
        await found(replace(there, nats_credentials=str(stranger))), "nats", "Authorization"
    )


# Postgres


async def test_postgres_that_is_away_is_told(there: Administrator) -> None:
    away = replace(there, database_url="postgresql://carespace_admin@127.0.0.1:1/postgres")
    assert says(await found(away), "postgres", "Postgres at 127.0.0.1:1 does not answer")


async def test_a_password_that_postgres_refuses_is_told(
    clean: Servers, there: Administrator
) -> None:
    port = clean.postgres_port
    url = f"postgresql://records:wrong@127.0.0.1:{port}/postgres"
    assert says(await found(replace(there, database_url=url)), "postgres", "does not let us in")


# Around it


@pytest.fixture
def certified(tmp_path: Path) -> Authority:
    return authority.founded(tmp_path)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (AS_URL, ""),
        ("clinic%40example.com:wrong", "does not let us in (535)"),
    ],
)
async def test_a_mail_server_lets_us_in_or_it_is_told(
    there: Administrator, certified: Authority, who: str, words: str
) -> None:
    with serving(certified.context, start_tls=False) as (_, port):
        mail = replace(
            there, smtp_url=f"smtps://{who}@127.0.0.1:{port}", smtp_ca=certified.believed
        )
        told = await found(mail)
    assert says(told, "mail server", words) if words else told == []


async def test_a_mail_server_with_a_certificate_nobody_knows_is_told(
    there: Administrator, certified: Authority
) -> None:
    with serving(certified.context, start_tls=False) as (_, port):
        told = await found(replace(there, smtp_url=f"smtps://127.0.0.1:{port}"))
    assert says(told, "mail server", "The mail server 127.0.0.1:", "can't be used")


async def test_a_mail_server_that_is_away_is_told(there: Administrator) -> None:
    told = await found(replace(there, smtp_url="smtp://127.0.0.1:1"))
    assert says(told, "mail server", "The mail server 127.0.0.1:1 can't be used")


async def test_an_smtp_address_that_is_none_is_told(there: Administrator) -> None:
    assert says(await found(replace(there, smtp_url="http://x")), "mail server", "no smtp")


async def test_an_address_without_https_or_too_long_is_told(there: Administrator) -> None:
    plain = replace(there, public_url="http://portal.example.com")
    assert says(await found(plain), "address", "without https")
    longest = "https://" + "p" * 51
    assert await found(replace(there, public_url=longest)) == []
    longer = replace(there, public_url=f"{longest}q")
    assert says(await found(longer), "address", "more than 59 characters")


def test_the_command_says_it_to_machines_and_to_people(there: Administrator) -> None:
    environ = {
        "CARESPACE_DATABASE_URL": there.database_url,
        "CARESPACE_NATS_URL": there.nats_url,
        "CARESPACE_NATS_CREDENTIALS": there.nats_credentials,
        "CARESPACE_PUBLIC_URL": "http://portal.example.com",
    }

    def doctor(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "deploy", "doctor", *words],
            check=False,
            cwd=ROOT,
            env=dict(os.environ) | environ,
            capture_output=True,
            text=True,
        )

    told = doctor("--json")
    assert told.returncode == 1, told.stderr
    (address,) = (one for one in json.loads(told.stdout)["findings"] if one["about"] == "address")
    said = doctor().stdout
    assert address["what"] in said
    assert address["remedy"] in said
