"""Whether what was restored holds: every activity log, and every file against its checksum."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import asyncpg

from deploy import activity
from deploy.databases import Databases
from deploy.migrate import connected
from libs.runtime.keyring import Damaged, KeyRing
from libs.vault.vault import Vault

KEEPERS = ("records", "messaging")
"""Whose schemas have content."""


Told = Callable[[str, int], None]
"""Who wants to know how far we are: at what, and how many bytes more."""


def _nobody(*_: object) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was looked at."""

    logs: int
    files: int
    bytes: int
    bad: tuple[str, ...]
    """What does not hold, a sentence each."""


async def check(there: Databases, ring: KeyRing, *, tell: Told = _nobody) -> Checked:
    """All of them, read as a service would read them."""
    bad, logs, files, size = [], 0, 0, 0
    async with activity.reading(there.url_of("records")) as db:
        async for log in activity.logs(db, patient_id=None, since=None):
            logs += 1
            if log.bad:
                bad.append(f"The activity log of patient {log.patient_id}: {log.bad}.")
    for service in KEEPERS:
        db = await connected(there.url_of(service))
        try:
            await db.execute(f"SET search_path TO {service}")
            async for row, holds in _files(db, ring):
                files, size = files + 1, size + row["size"]
                tell(f"the files of {service}", row["size"])
                if not holds:
                    bad.append(f"The file {row['id']} of {service} is damaged.")
        finally:
            db.terminate()
    return Checked(logs=logs, files=files, bytes=size, bad=tuple(bad))


async def _files(
    db: asyncpg.Connection, ring: KeyRing
) -> AsyncIterator[tuple[asyncpg.Record, bool]]:
    """Every finished file whose key was not destroyed, and whether it is what it was."""
    async with db.transaction(readonly=True):
        rows = await db.fetch(
            """
            SELECT c.practice_id, c.id, c.size, c.sha256
              FROM content c
              JOIN data_key k ON k.practice_id = c.practice_id AND k.owner_id = c.owner_id
             WHERE c.sha256 IS NOT NULL AND k.wrapped IS NOT NULL
            """
        )
        for row in rows:
            yield row, await _holds(Vault(db, ring, row["practice_id"]), row)


async def _holds(vault: Vault, row: asyncpg.Record) -> bool:
    digest = hashlib.sha256()
    try:
        async for piece in vault.pieces(await vault.open(row["id"])):
            digest.update(piece)
    except Damaged:
        return False
    return bool(digest.hexdigest() == row["sha256"])
