"""The rules of acting on a record. Nothing here waits, writes, or reads a clock."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.delegation import REASON_LIMIT, Refusal
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.visa import LIFETIME, Capacity, Limit, Passport, Visa

LATEST_READ = timedelta(seconds=2)
"""For so long after a revocation began, somebody may still have read the grant as it was before."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One account may act on one patient's record."""

    id: UUID
    practice_id: UUID
    patient_id: UUID
    account_id: UUID
    capacity: Capacity
    limits: frozenset[Limit]
    granted_at: datetime
    ends_at: datetime | None = None
    revoked_at: datetime | None = None
    invitation_id: UUID | None = None
    """What was accepted; None for one's own."""
    version: int | None = None
    granted_by: UUID | None = None
    revoked_by: UUID | None = None
    by_practice: bool = False
    reason: str = ""
    revision: int = 0
    """How often the patient has changed it; visas say of which revision they are."""
    open: bool = True
    """False while the practice has closed the record; the grant itself stays as it is."""

    @property
    def left(self) -> bool:
        """Its holder ended it."""
        return self.revoked_by == self.account_id

    def holds(self, *, now: datetime) -> bool:
        """Neither revoked nor past its end date; the end itself is no longer inside."""
        return self.revoked_at is None and (self.ends_at is None or now < self.ends_at)


def own(*, id: UUID, practice_id: UUID, patient_id: UUID, account_id: UUID, now: datetime) -> Grant:  # noqa: A002
    """A registered patient's grant to their own record: all of it, without an end."""
    return Grant(
        id=id,
        practice_id=practice_id,
        patient_id=patient_id,
        account_id=account_id,
        capacity=Capacity.SELF,
        limits=frozenset(Limit),
        granted_at=now,
    )


def delegated(accepted: DelegateAccepted, *, id: UUID, now: datetime) -> Grant:  # noqa: A002
    """What somebody accepted, as a patient wished it."""
    return Grant(
        id=id,
        practice_id=accepted.practice_id,
        patient_id=accepted.patient_id,
        account_id=accepted.account_id,
        capacity=Capacity.DELEGATE,
        limits=accepted.limits,
        granted_at=now,
        ends_at=accepted.ends_at,
        invitation_id=accepted.invitation_id,
        version=accepted.version,
        granted_by=accepted.granted_by,
    )


def comes_late(accepted: DelegateAccepted, ended: int | None) -> bool:
    """It was ended before its acceptance was heard of."""
    return ended is not None and accepted.version <= ended


def why(reason: str, capacity: Capacity) -> str:
    """What the practice says about an end; a patient owes nobody a reason."""
    if capacity is not Capacity.STAFF:
        return ""
    said = " ".join(reason.split())
    if not said:
        raise Refused(Refusal.REASON_MISSING)
    if len(said) > REASON_LIMIT:
        raise Refused(Refusal.REASON_TOO_LONG)
    return said


def changed(
    grant: Grant, limits: frozenset[Limit], ends_at: datetime | None, *, seen: int, now: datetime
) -> Grant | None:
    """What the patient wishes now, who saw this revision; None if that is how it is."""
    if not grant.holds(now=now):
        raise Refused(Refusal.ACCESS_OVER)
    if grant.revision != seen:
        raise Refused(Refusal.CHANGED_MEANWHILE)
    if not limits:
        raise Refused(Refusal.NOTHING_SHARED)
    if ends_at and ends_at <= now:
        raise Refused(Refusal.END_IS_PAST)
    if (limits, ends_at) == (grant.limits, grant.ends_at):
        return None
    return replace(grant, limits=limits, ends_at=ends_at, revision=seen + 1)


def narrower(before: Grant, after: Grant) -> bool:
    """Something was taken away, or the end came nearer."""
    nearer = after.ends_at is not None and (
        before.ends_at is None or after.ends_at < before.ends_at
    )
    return nearer or not before.limits <= after.limits


def revoked(grant: Grant, by: Visa, reason: str, *, now: datetime) -> Grant:
    """It holds no longer."""
    return replace(
        grant,
        revoked_at=now,
        revoked_by=by.account_id,
        by_practice=by.capacity is Capacity.STAFF,
        reason=reason,
    )


def holding(grants: Iterable[Grant], *, now: datetime) -> list[Grant]:
    """What holds now, of each record the best: one's own records first, then as they were granted.

    Of two grants for one record, one's own counts, then the newest. A record that is closed is left
    out.
    """
    best: dict[tuple[UUID, UUID], Grant] = {}
    for grant in sorted(grants, key=lambda one: (one.capacity is Capacity.SELF, one.granted_at)):
        if grant.open and grant.holds(now=now):
            best[grant.practice_id, grant.patient_id] = grant
    return sorted(
        best.values(),
        key=lambda grant: (grant.capacity is not Capacity.SELF, grant.granted_at, grant.id),
    )


def standing(grant: Grant, *, heard: bool | None) -> Grant:
    """The same, where it was heard a moment ago whether its record is open."""
    return grant if heard is None else replace(grant, open=heard)


def closed(grants: Iterable[Grant], *, now: datetime) -> list[Grant]:
    """One's own records that the practice has closed; of others', nobody is told."""
    return [
        grant
        for grant in grants
        if grant.capacity is Capacity.SELF and grant.holds(now=now) and not grant.open
    ]


def visa(grant: Grant, passport: Passport, *, now: datetime) -> Visa:
    """What a grant lets its holder do for the next ten seconds, or until it ends."""
    expires_at = min(now + LIFETIME, grant.ends_at or now + LIFETIME)
    return Visa(
        capacity=grant.capacity,
        practice_id=grant.practice_id,
        patient_id=grant.patient_id,
        limits=grant.limits,
        account_id=grant.account_id,
        session_id=passport.session_id,
        actor_name=passport.name,
        grant_id=grant.id,
        revision=grant.revision,
        issued_at=now,
        expires_at=expires_at,
    )
