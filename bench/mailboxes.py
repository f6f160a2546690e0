"""Mailboxes of any size, filled by statements with messages that open as any other."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bench.portal import Portal
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.messaging.sealing import Head, Pen

SINCE = datetime(2016, 1, 4, 15, 0, tzinfo=UTC)
APART = timedelta(minutes=47)
LONG = 5
"""Messages of a conversation."""
CONVERSATION = (
    *("practice_id", "id", "patient_id", "category", "team"),
    *("subject", "opened_at", "last_id", "last_at"),
)
MESSAGE = (
    *("practice_id", "id", "patient_id", "conversation_id", "from_practice", "account_id"),
    *("on_behalf", "head", "body", "attachments", "sent_at"),
)
BODY = (
    "Your results of this week are fine for the next infusion. Please call if you feel worse. " * 4
)


async def fill(admin: asyncpg.Connection, here: Portal, patient_id: UUID, count: int) -> None:
    """So many messages from the practice, each sealed in its place."""
    await admin.execute("SET search_path = messaging")
    ring = KeyRing.parse(here.here.keys.key_ring)
    vault = Vault(admin, ring, here.practice_id)
    pen = Pen(here.practice_id, await vault.key_of(patient_id))
    await admin.execute(
        "INSERT INTO mailbox VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (practice_id, patient_id) DO UPDATE SET received = $4",
        here.practice_id,
        patient_id,
        SINCE,
        count,
    )
    begun = [uuid7() for _ in range(-(-count // LONG))]
    await admin.copy_records_to_table(
        "conversation",
        records=[
            (
                here.practice_id,
                conversation_id,
                patient_id,
                "health",
                "Care team",
                pen.close("subject", conversation_id, "Your next infusion"),
                SINCE,
                conversation_id,
                SINCE,
            )
            for conversation_id in begun
        ],
        columns=[
            "practice_id",
            "id",
            "patient_id",
            "category",
            "team",
            "subject",
            "opened_at",
            "last_id",
            "last_at",
        ],
    )
    await admin.copy_records_to_table(
        "message",
        records=[
            _message(pen, patient_id, begun[number // LONG], number) for number in range(count)
        ],
        columns=[
            "practice_id",
            "id",
            "patient_id",
            "conversation_id",
            "from_practice",
            "account_id",
            "on_behalf",
            "head",
            "body",
            "attachments",
            "sent_at",
        ],
    )
    await admin.execute("ANALYZE")


def _message(pen: Pen, patient_id: UUID, conversation_id: UUID, number: int) -> tuple[object, ...]:
    message_id = uuid7()
    head = Head(author="Nora Bench, RN", subject="Your next infusion", preview=BODY[:120])
    return (
        pen.practice_id,
        message_id,
        patient_id,
        conversation_id,
        True,
        conversation_id,
        False,
        pen.close_head(message_id, head),
        pen.close("body", message_id, BODY),
        0,
        SINCE + number * APART,
    )
