"""What identity's handlers work with, beside the database and the clock."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from faststream import Context
from uuid_utils.compat import uuid7

from libs.contracts.base import Refused
from libs.contracts.identity import InvitationChanged, LetterDue, LetterKind, Refusal, SessionEnded
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime import outbox
from libs.runtime.database import Connection, Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.runtime.seal import Seal
from services.identity.domain import throttle
from services.identity.domain.invitation import Invitation
from services.identity.domain.link import Links
from services.identity.domain.session import Session
from services.identity.domain.throttle import Scope
from services.identity.store import attempts, sessions

AtLinks = Annotated[Links, Context("links")]
AtSeal = Annotated[Seal, Context("seal")]
AtKeyRing = Annotated[KeyRing, Context("key_ring")]


@dataclass(frozen=True, kw_only=True)
class Guesser:
    """Whom failures are counted against; hashed under our key, so that a dump names nobody."""

    key: bytes

    def of(self, account: str, source: str) -> dict[Scope, bytes]:
        """The three counts of a try at this account from this source."""
        return {
            Scope.ACCOUNT_AND_SOURCE: self._hash("both", account, source),
            Scope.ACCOUNT: self._hash("account", account),
            Scope.SOURCE: self._hash("source", source),
        }

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self.key, "\n".join(("attempt", *parts)).encode(), hashlib.sha256)


AtGuesser = Annotated[Guesser, Context("guesser")]


async def may_try(pool: Pool, who: dict[Scope, bytes], *, now: datetime) -> bool:
    """Whether there is another try."""
    async with transaction(pool) as db:
        return not throttle.held_back(await attempts.list_counts(db, who), now=now)


async def count_failure(pool: Pool, who: dict[Scope, bytes], *, now: datetime) -> None:
    async with transaction(pool) as db:
        await attempts.add_failure(db, who, now=now)


async def own_session(db: Connection, token_hash: bytes, *, now: datetime) -> Session:
    """The session that asks, if it holds."""
    session = await sessions.get_session(db, token_hash)
    if not session.holds(now=now):
        raise Refused(Refusal.NO_SESSION)
    return session


async def announce_ended(db: Connection, ended: list[UUID]) -> None:
    if ended:
        await outbox.announce(db, SessionEnded(session_ids=tuple(ended)))


async def announce_state(db: Connection, invitation: Invitation) -> None:
    """Whoever invited sees how far it has come."""
    if invitation.patient_id:
        await outbox.announce(
            db,
            InvitationChanged(
                practice_id=invitation.practice_id,
                patient_id=invitation.patient_id,
                state=invitation.state,
                version=invitation.change,
                expires_at=invitation.expires_at,
                new_link_wanted=invitation.new_link_wanted_at is not None,
            ),
        )


async def announce_letter(db: Connection, invitation: Invitation) -> None:
    """The invitation's own letter is due."""
    kind = LetterKind.STAFF_INVITATION if invitation.staff else LetterKind.INVITATION
    await outbox.announce(
        db,
        LetterDue(
            kind=kind,
            reference_id=invitation.id,
            version=invitation.version,
            practice_id=invitation.practice_id,
        ),
    )


async def owe(db: Connection, kind: LetterKind, reference_id: UUID) -> None:
    """A letter about an account is due."""
    await outbox.announce(db, LetterDue(kind=kind, reference_id=reference_id))


def practice_visa(  # noqa: PLR0913
    seal: Seal,
    capacity: Capacity,
    practice_id: UUID,
    *,
    account_id: UUID,
    now: datetime,
    role: Role | None = None,
    session_id: UUID | None = None,
    name: str = "",
) -> str:
    """A sealed visa for a whole practice: of staff, or of a machine."""
    visa = Visa(
        capacity=capacity,
        practice_id=practice_id,
        role=role,
        account_id=account_id,
        session_id=session_id,
        actor_name=name,
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    return seal.close(visa)


def new_id() -> UUID:
    """Ids rise with time, so that the newest are together."""
    return uuid7()
