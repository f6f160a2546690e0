"""What became of everything that was acknowledged: it is there, and was followed exactly once."""

from collections import Counter
from uuid import UUID

import asyncpg
from nats.js import JetStreamContext

from libs.contracts.base import owner
from libs.contracts.identity.letters import LetterDue, LetterKind
from tests.runtime.announcing import waiting as announced
from tests.servers import Servers
from tests.waiting import until

LONGEST = """
    SELECT coalesce(extract(epoch FROM max(pause)), 0)::float AS pause
      FROM (SELECT heard_at - lag(heard_at) OVER (ORDER BY heard_at) AS pause FROM identity.inbox)
"""


async def rows(servers: Servers, statement: str) -> "list[asyncpg.Record]":
    """As somebody who sees every practice."""
    admin = await asyncpg.connect(servers.database_url("admin"))
    try:
        return await admin.fetch(statement)
    finally:
        await admin.close()


async def followed(servers: Servers, acknowledged: set[UUID]) -> None:
    """Until what was written was carried, followed, and what came of that carried too."""

    async def done() -> bool:
        if any([await announced(servers, service) for service in ("records", "identity")]):
            return False
        invited = await rows(servers, "SELECT patient_id FROM identity.invitation")
        return {row["patient_id"] for row in invited} >= acknowledged

    await until(done, within=90)


async def assert_each_once(
    servers: Servers, jetstream: JetStreamContext, acknowledged: set[UUID]
) -> None:
    """Each patient is there, has one invitation, and one letter was announced of it."""
    patients = await rows(servers, "SELECT id FROM records.patient")
    assert {row["id"] for row in patients} == acknowledged
    invited = await rows(servers, "SELECT id, patient_id, version FROM identity.invitation")
    assert Counter(row["patient_id"] for row in invited) == Counter(acknowledged)
    assert {row["version"] for row in invited} == {1}
    assert await _letters(jetstream) == Counter(row["id"] for row in invited)


async def longest_pause(servers: Servers) -> float:
    """Seconds between two events at identity."""
    (found,) = await rows(servers, LONGEST)
    return float(found["pause"])


async def _letters(jetstream: JetStreamContext) -> Counter[UUID]:
    """How often each invitation's letter was announced, from the stream itself."""
    counted: Counter[UUID] = Counter()
    stream = owner(LetterDue)
    state = (await jetstream.stream_info(stream)).state
    for number in range(state.first_seq, state.last_seq + 1):
        message = await jetstream.get_msg(stream, seq=number)
        if message.subject == LetterDue.subject:
            due = LetterDue.model_validate_json(message.data or b"")
            counted[due.reference_id] += due.kind is LetterKind.INVITATION
    return counted
