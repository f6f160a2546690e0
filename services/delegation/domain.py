"""The rules of acting on a record. Nothing here waits, writes, or reads a clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from libs.contracts.visa import LIFETIME, Capacity, Limit, Passport, Visa


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


def holding(grants: Iterable[Grant], *, now: datetime) -> list[Grant]:
    """The grants that hold now: one's own records first, then as they were granted."""
    return sorted(
        (grant for grant in grants if grant.holds(now=now)),
        key=lambda grant: (grant.capacity is not Capacity.SELF, grant.granted_at, grant.id),
    )


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
        issued_at=now,
        expires_at=expires_at,
    )
