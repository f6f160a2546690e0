"""The master keys: a new one beside the others, and everything sealed anew under it.

A service wraps with the newest key that it was started with, and unwraps with all of them. So a new
key goes on every ring first, and only then is anything put under it.
"""

import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from deploy import databases, keys, secret_files
from deploy.databases import Connections
from deploy.problem import Problem, SaidNo
from deploy.sealed_rows import PLACES, Sealed
from libs.runtime.keyring import Damaged, KeyRing

BATCH = 200
"""Rows for us alone at a time, which takes some hundredths of a second."""
HOLDERS = ("identity", "records", "messaging")
"""Who has the key ring."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """A master key, by its name only."""

    key_id: str
    on_ring: bool
    newest: bool
    rows: Mapping[str, int]
    """How much lies under it, by table."""


async def listed(dbs: Connections, ring: KeyRing) -> list[Key]:
    """Every key of the ring, oldest first, and those that only the database knows of."""
    counts = {place.table: await place.counted(dbs[place.service]) for place in PLACES}
    named = [*ring, *sorted({key_id for rows in counts.values() for key_id in rows} - set(ring))]
    return [
        Key(
            key_id=key_id,
            on_ring=key_id in ring,
            newest=key_id == ring.newest,
            rows={table: rows[key_id] for table, rows in counts.items() if key_id in rows},
        )
        for key_id in named
    ]


def add(folder: Path, *, owner: int | None) -> str:
    """A new key at the end of the ring of this folder; its name. Nothing uses it yet."""
    made = _kept(folder)
    ring = KeyRing.parse(made.key_ring)
    name = next(f"k{n}" for n in range(len(list(ring)) + 1, 10_000) if f"k{n}" not in ring)
    key = b64encode(secrets.token_bytes(32)).decode()
    _keep(folder, replace(made, key_ring=f"{made.key_ring.rstrip()}\n{name} {key}\n"), owner)
    return name


def drop(folder: Path, key_id: str, *, owner: int | None) -> None:
    """A key off the ring of this folder. What lies under it can't be read any more."""
    made = _kept(folder)
    ring = KeyRing.parse(made.key_ring)
    if key_id not in ring:
        raise SaidNo(f"There is no key {key_id} on the ring.")
    if key_id == ring.newest:
        raise SaidNo(f"{key_id} is the newest key: everything new is put under it.")
    lines = [line for line in made.key_ring.splitlines() if line.split()[:1] != [key_id]]
    _keep(folder, replace(made, key_ring="\n".join(lines) + "\n"), owner)


def _kept(folder: Path) -> keys.Keys:
    if not (folder / keys.MASTER).exists():
        raise Problem(f"There is no {keys.MASTER} in {folder}: name the folder of the secrets.")
    try:
        return keys.kept(folder)
    except OSError as error:
        raise Problem(f"The folder {folder} can't be used: {error.strerror}.") from None


def _keep(folder: Path, changed: keys.Keys, owner: int | None) -> None:
    try:
        keys.keep(folder, changed)
        if (folder / secret_files.KEY_RING).exists():
            secret_files.keep_key_ring(folder, changed, owner=owner)
    except OSError as error:
        raise Problem(f"The folder {folder} can't be used: {error.strerror}.") from None


async def rotate(dbs: Connections, ring: KeyRing) -> AsyncIterator[tuple[str, int]]:
    """Everything under the newest key; after each batch, of which table, and how many rows.

    Those who read meanwhile read: a row is under one key or the other, and they have both.
    """
    for db, _ in databases.together(dbs):
        await _known(db, ring.newest)
    for place in PLACES:
        while rows := await _batch(dbs[place.service], ring, place):
            yield place.table, rows


async def _batch(db: asyncpg.Connection, ring: KeyRing, place: Sealed) -> int:
    async with db.transaction():
        rows = await place.others(db, ring.newest, most=BATCH)
        for row in rows:
            key_id, sealed = ring.wrap(_opened(ring, place, row), belongs_to=place.belongs_to(row))
            await place.save(db, row, key_id, sealed)
    return len(rows)


def _opened(ring: KeyRing, place: Sealed, row: Any) -> bytes:
    try:
        return place.opened(ring, row)
    except Damaged:
        raise SaidNo(
            f"A row of {place.table} does not open with the key {row['key_id']} of the ring. "
            "It stays as it is: see `carespace doctor`."
        ) from None


async def _known(db: asyncpg.Connection, newest: str) -> None:
    """Whoever runs says at its relay's connection which key is its newest."""
    rows = await db.fetch(
        """
        SELECT DISTINCT application_name AS name
          FROM pg_stat_activity
         WHERE application_name ~ $1
        """,
        f"^({'|'.join(HOLDERS)}) relay ",
    )
    behind = sorted({row["name"].split()[0] for row in rows if row["name"].split()[2] != newest})
    if behind:
        raise SaidNo(
            f"Not yet: {', '.join(behind)} would not know the key {newest}. Restart with the "
            "key ring that has it, and ask again."
        )
