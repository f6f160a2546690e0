"""A record is closed to its patient: whoever was invited to it is not any more."""

from datetime import datetime

from faststream.nats import NatsRouter

from libs.contracts.records.standing import StandingChanged
from libs.runtime import inbox
from libs.runtime.broker import follows
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.identity.domain import invitation as rules
from services.identity.domain.invitation import Invitation
from services.identity.means import announce_state
from services.identity.store import invitations
from services.identity.store import standing as store

router = NatsRouter()


@follows(router, StandingChanged, by="identity")
async def standing_changed(heard: StandingChanged, pool: Database, now: Now) -> None:
    """Invitations that nobody has answered end with the record; the patient's own may go anew."""
    place = heard.practice_id, heard.patient_id
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        if not await store.save_standing(db, *place, active=heard.active, change=heard.change):
            return
        if own := await invitations.find_of_patient(db, *place):
            await _follow(db, own, heard, now=now)
        for theirs in await invitations.lock_of_delegates(db, *place):
            await _follow(db, theirs, heard, now=now)


async def _follow(
    db: Connection, known: Invitation, heard: StandingChanged, *, now: datetime
) -> None:
    """The invitation as it stands with a record that is closed, or open again."""
    moved = rules.reopened(known, now=now) if heard.active else rules.closed(known)
    if moved:
        await invitations.save_invitation(db, moved)
        await announce_state(db, moved)
