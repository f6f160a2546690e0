"""What identity's handlers work with, and say, beside the database and the clock."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.identity.acts import IdentityActed
from libs.contracts.identity.invitations import InvitationChanged
from libs.contracts.identity.letters import LetterDue, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sessions import SessionEnded
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime import outbox
from libs.runtime.context import Context
from libs.runtime.database import Connection, wall
from libs.runtime.keyring import KeyRing
from libs.runtime.seal import Seal
from services.identity.domain.account import Account
from services.identity.domain.invitation import Invitation
from services.identity.domain.link import Links
from services.identity.domain.session import Session, check_proven
from services.identity.store import sessions

AtLinks = Annotated[Links, Context("links")]
AtSeal = Annotated[Seal, Context("seal")]
AtKeyRing = Annotated[KeyRing, Context("key_ring")]


async def own_session(db: Connection, token_hash: bytes, *, now: datetime) -> Session:
    """The session that asks, if it holds; from here on we are behind its account's wall."""
    await wall(db, session=token_hash.hex())
    session = await sessions.get_session(db, token_hash)
    if not session.holds(now=now):
        raise Refused(Refusal.NO_SESSION)
    await wall(db, account=session.account_id)
    return session


async def assure_proven(db: Connection, visa: Visa, *, now: datetime) -> None:
    """Whoever grants access has shown a moment ago who they are, in the session of the visa."""
    session = await sessions.find_session(db, visa.session_id) if visa.session_id else None
    if session is None:
        raise Refused(Refusal.PROOF_NEEDED)
    check_proven(session, now=now)


async def announce_ended(db: Connection, ended: list[UUID]) -> None:
    """These sessions are over; every gateway and service forgets them at once."""
    if ended:
        await outbox.announce(db, SessionEnded(session_ids=tuple(ended)))


async def announce_state(db: Connection, invitation: Invitation) -> None:
    """The practice sees how far its invitation has come; a patient looks at theirs here."""
    if invitation.patient_id and not invitation.sharing:
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
    if invitation.sharing:
        kind = LetterKind.DELEGATE_INVITATION
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


async def tell_log(  # noqa: PLR0913
    db: Connection,
    invitation: Invitation,
    account_id: UUID,
    act: Act,
    *,
    capacity: Capacity = Capacity.SELF,
    reference_id: UUID | None = None,
    now: datetime,
) -> None:
    """This is to stand in the activity log of the record that the invitation is about."""
    if invitation.patient_id:
        await outbox.announce(
            db,
            IdentityActed(
                practice_id=invitation.practice_id,
                patient_id=invitation.patient_id,
                account_id=account_id,
                capacity=capacity,
                act=act,
                reference_id=reference_id,
                at=now,
            ),
        )


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


def binds_code(account_id: UUID) -> str:
    """What the secret of somebody's one-time codes belongs to."""
    return f"code {account_id}"


def sealed_code(key_ring: KeyRing, account_id: UUID, secret: str) -> tuple[str, bytes]:
    """The secret of somebody's one-time codes, as it is kept, and the id of the key for it."""
    return key_ring.wrap(secret.encode(), belongs_to=binds_code(account_id))


def opened_code(key_ring: KeyRing, account: Account) -> str:
    """The secret of somebody's one-time codes."""
    key_id, sealed = account.code_key_id or "", account.code_secret or b""
    return key_ring.unwrap(key_id, sealed, belongs_to=binds_code(account.id)).decode()


def new_id() -> UUID:
    """Ids rise with time, so that the newest are together."""
    return uuid7()
