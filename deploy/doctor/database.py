"""What can be wrong with Postgres, and with what lies in it."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from deploy import migrate
from deploy.doctor.finding import Finding
from libs.runtime import database
from libs.runtime.clock import utcnow

SKEW = timedelta(seconds=2)
"""A visa holds for ten seconds."""
CARRIED_WITHIN = timedelta(minutes=1)
SENT_WITHIN = timedelta(minutes=10)
CROWDED = 0.8


async def examined(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    """Settings, migrations, clocks, connections, and what waits too long."""
    found = await _durable(admin)
    found += await _migrations(admin, services)
    found += await _clock(admin)
    found += await _connections(admin)
    if not found or all(each.about != "migrations" for each in found):
        found += await _outboxes(admin, services)
        if "notifier" in services:
            found += await _letters(admin)
    return found


async def _durable(admin: asyncpg.Connection) -> list[Finding]:
    return [
        Finding(
            about="durability",
            what=f"Postgres runs with {name} off, and would lose what it has promised.",
            remedy=f"Set {name} = on in Postgres's settings, and restart it.",
        )
        for name in migrate.DURABLE
        if await admin.fetchval("SELECT current_setting($1)", name) == "off"
    ]


async def _migrations(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    found = [
        Finding(about="migrations", what=missing, remedy="Run `carespace migrate`.")
        for missing in await migrate.missing(admin, services)
    ]
    for service in services:
        if await admin.fetchval("SELECT to_regclass($1)", f"{service}.migration"):
            known = {file.name for file in database.migrations(f"services.{service}")}
            rows = await admin.fetch(f"SELECT name FROM {service}.migration")  # noqa: S608
            found += [
                Finding(
                    about="migrations",
                    what=f"The migration {service}/{row['name']} is of a newer release than this.",
                    remedy="Run the newer release everywhere; until then, one release back works.",
                )
                for row in rows
                if row["name"] not in known
            ]
    return found


async def _clock(admin: asyncpg.Connection) -> list[Finding]:
    before = utcnow()
    there = await admin.fetchval("SELECT clock_timestamp()")
    here = before + (utcnow() - before) / 2
    skew = abs(there - here)
    if skew < SKEW:
        return []
    return [
        Finding(
            about="clock",
            what=f"The clocks of this machine and of Postgres differ by {skew.total_seconds():.0f}"
            " s: links, visas and one-time codes are believed too long, or not at all.",
            remedy="Let every machine keep its clock by NTP (`timedatectl`), and look again.",
        )
    ]


async def _connections(admin: asyncpg.Connection) -> list[Finding]:
    used = await admin.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE $1", "client%"
    )
    most = int(await admin.fetchval("SELECT current_setting('max_connections')"))
    if used < CROWDED * most:
        return []
    return [
        Finding(
            about="connections",
            what=f"{used} of {most} connections to Postgres are in use.",
            remedy="Raise max_connections, or run fewer replicas: each holds up to 16.",
        )
    ]


async def _outboxes(admin: asyncpg.Connection, services: Sequence[str]) -> list[Finding]:
    found = []
    for service in services:
        (row,) = await admin.fetch(
            f"""
            SELECT count(*) AS events, now() - min(announced_at) AS age
              FROM {service}.outbox
            """  # noqa: S608
        )
        if row["events"] and row["age"] > CARRIED_WITHIN:
            what = f"{row['events']} events of {service} have waited for {_minutes(row['age'])}."
            remedy = (
                f"Look whether {service} runs and what its log says: it carries them to NATS, in "
                "order, as soon as NATS takes them."
            )
            found.append(Finding(about="outbox", what=what, remedy=remedy))
    return found


async def _letters(admin: asyncpg.Connection) -> list[Finding]:
    (row,) = await admin.fetch(
        """
        SELECT count(*) AS letters, now() - min(due_at) AS age
          FROM notifier.mail_job
         WHERE due_at < now() - $1::interval
        """,
        SENT_WITHIN,
    )
    if not row["letters"]:
        return []
    return [
        Finding(
            about="letters",
            what=f"{row['letters']} letters are late, by {_minutes(row['age'])}.",
            remedy="Look whether the notifier runs and what its log says; they go out by "
            "themselves once it can reach the mail server.",
        )
    ]


def _minutes(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
