"""Practices."""

from typing import Any
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.identity.practices import AddPractice, Link, Practice
from libs.contracts.identity.refusals import Refusal
from libs.runtime.database import Connection
from services.identity.domain.practice import Words


async def add_practice(db: Connection, asked: AddPractice) -> bool:
    """Keep what a practice says of itself; whether it is new."""
    return bool(
        await db.fetchval(
            """
            INSERT INTO practice (practice_id, name, phone, address, hours, emergency, time_zone,
                                  contact_email, resources)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                ON CONFLICT (practice_id) DO UPDATE
               SET name = $2, phone = $3, address = $4, hours = $5, emergency = $6,
                   time_zone = $7, contact_email = $8, resources = $9
            RETURNING xmax = 0
            """,
            asked.practice_id,
            asked.name,
            asked.phone,
            asked.address,
            asked.hours,
            asked.emergency,
            asked.time_zone,
            asked.contact_email,
            [link.model_dump() for link in asked.resources],
        )
    )


async def save_practice(db: Connection, practice_id: UUID, words: Words) -> None:
    """What it says of itself from now on."""
    await db.execute(
        """
        UPDATE practice
           SET name = $2, phone = $3, address = $4, hours = $5, emergency = $6,
               time_zone = $7, contact_email = $8, resources = $9
         WHERE practice_id = $1
        """,
        practice_id,
        words.name,
        words.phone,
        words.address,
        words.hours,
        words.emergency,
        words.time_zone,
        words.contact_email,
        [link.model_dump() for link in words.resources],
    )


async def get_practice(db: Connection, practice_id: UUID) -> Practice:
    """What the practice says of itself."""
    row = await db.fetchrow(
        """
        SELECT practice_id, name, phone, address, hours, emergency, time_zone, resources
          FROM practice
         WHERE practice_id = $1
        """,
        practice_id,
    )
    if row is None:
        raise Refused(Refusal.UNKNOWN_PRACTICE)
    return _practice(row)


async def get_contact_email(db: Connection, practice_id: UUID) -> str:
    """Where the practice itself is written to."""
    email: str | None = await db.fetchval(
        "SELECT contact_email FROM practice WHERE practice_id = $1", practice_id
    )
    if email is None:
        raise Refused(Refusal.UNKNOWN_PRACTICE)
    return email


async def list_practices(db: Connection) -> tuple[Practice, ...]:
    rows = await db.fetch(
        """
        SELECT practice_id, name, phone, address, hours, emergency, time_zone, resources
          FROM practice
         ORDER BY name, practice_id
        """
    )
    return tuple(_practice(row) for row in rows)


def _practice(row: Any) -> Practice:
    links = tuple(Link(**link) for link in row["resources"])
    return Practice(**dict(row) | {"resources": links})
