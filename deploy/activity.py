"""Every activity log in the database gone through, by whoever may see every practice."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import asyncpg

from deploy import databases
from deploy.migrate import connected
from deploy.problem import Problem
from services.records.activity import first_bad
from services.records.store import activity as store

Heads: TypeAlias = Mapping[UUID, tuple[int, str]]
"""How logs ended, by patient: the number of the last entry, and its hash."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """A patient's log, as it was found."""

    practice_id: UUID
    patient_id: UUID
    entries: int
    hash: str
    bad: str
    """What is wrong, with the first bad entry; "" for a log that holds."""


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the logs of every practice as they are at one moment."""
    admin = await connected(url)
    try:
        await databases.assure_not_moved(admin, ["records"])
        await admin.execute("SET search_path TO records")
        async with admin.transaction(isolation="repeatable_read", readonly=True):
            if await admin.fetchval("SELECT row_security_active('activity')"):
                raise Problem(
                    "CARESPACE_DATABASE_URL names a role that sees one practice at a time: "
                    "name an administrator."
                )
            yield admin
    finally:
        await admin.close()


async def count(db: asyncpg.Connection) -> int:
    """How many logs there are."""
    return int(await db.fetchval("SELECT count(*) FROM activity_head"))


async def logs(
    db: asyncpg.Connection, *, patient_id: UUID | None = None, since: Heads | None = None
) -> AsyncIterator[Log]:
    """Each log and what is wrong with it; with `since`, also whether its earlier end is there."""
    earlier = dict(since or {})
    for practice_id, patient in await store.list_chains(db):
        if patient_id in (None, patient):
            head = await store.get_head(db, practice_id, patient)
            bad = await first_bad(db, practice_id, patient)
            number, known = earlier.pop(patient, (0, ""))
            if number and not bad and await _hash(db, practice_id, patient, number) != known:
                bad = f"entry {number} is no longer what it was then"
            yield Log(
                practice_id=practice_id,
                patient_id=patient,
                entries=head.number,
                hash=head.hash.hex(),
                bad=bad,
            )
    for patient, (number, known) in earlier.items():
        if number and patient_id in (None, patient):
            bad = "entry 1 is missing: the whole log is gone"
            yield Log(
                practice_id=UUID(int=0), patient_id=patient, entries=number, hash=known, bad=bad
            )


async def _hash(db: asyncpg.Connection, practice_id: UUID, patient_id: UUID, number: int) -> str:
    found = await store.list_from(db, practice_id, patient_id, after=number - 1)
    return found[0].hash.hex() if found and found[0].number == number else ""


def heads(file: Path) -> Heads:
    """What an earlier `carespace activity verify --json` said of the ends."""
    try:
        told = json.loads(file.read_text())
        return {
            UUID(log["patient_id"]): (int(log["entries"]), str(log["hash"])) for log in told["logs"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(f"{file} is not what `carespace activity verify --json` wrote.") from None
