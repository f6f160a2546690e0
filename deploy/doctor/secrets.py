"""Whether the master keys at hand open what lies under them, and who can read secrets' files."""

import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

import asyncpg

from deploy.doctor.finding import Finding
from deploy.sealed_rows import PLACES
from libs.runtime.keyring import KeyRing

LOOKED_AT = 20
"""Rows tried for each place and key."""


async def examined(
    admin: asyncpg.Connection, ring: KeyRing, services: Sequence[str]
) -> list[Finding]:
    """Every key that anything lies under is on the ring, and is that key."""
    found = []
    for place in (each for each in PLACES if each.service in services):
        for key_id, rows in (await place.counted(admin)).items():
            if key_id not in ring:
                found.append(
                    Finding(
                        about="key ring",
                        what=f"{rows} rows of {place.table} lie under the key {key_id}, which is "
                        "not on the key ring: nothing under them can be read.",
                        remedy=f"Put the line of {key_id} back, from the copy that you keep apart, "
                        "above the newest; then restart identity, records and messaging.",
                    )
                )
                continue
            tried = await place.some(admin, key_id, most=LOOKED_AT)
            bad = sum(not place.opens(ring, row) for row in tried)
            if bad:
                found.append(
                    Finding(
                        about="key ring",
                        what=f"{bad} of {len(tried)} rows of {place.table} do not open with the "
                        f"key {key_id} of the ring: it is another key by that name, or they were "
                        "changed.",
                        remedy="Compare the key ring with the copy that you keep apart; if it is "
                        "the same, restore those rows from a backup.",
                    )
                )
    return found


def files() -> list[Finding]:
    """Nobody else may read a file that a setting was read from, or the part's key."""
    named = {
        name: Path(value)
        for name, value in os.environ.items()
        if name.startswith("CARESPACE_")
        and (name.endswith("_FILE") or name == "CARESPACE_NATS_CREDENTIALS")
    }
    return [
        Finding(
            about="secret files",
            what=f"{file}, which {name} names, can be read by others on its machine.",
            remedy=f"chmod 600 {file}, or run `carespace secrets` on its folder again.",
        )
        for name, file in named.items()
        if file.is_file()
        and others_may(file.stat(), account=os.geteuid(), groups=(os.getegid(), *os.getgroups()))
    ]


def others_may(file: os.stat_result, *, account: int, groups: Collection[int]) -> bool:
    """Somebody beside us. In a cluster secrets are root's, and a part reads them as their group."""
    lent = file.st_uid != account and file.st_gid in groups
    return bool(file.st_mode & (stat.S_IRWXO | (stat.S_IWGRP if lent else stat.S_IRWXG)))
