"""The gate of a service: it reads visas, and forgets nobody who was sent away.

A visa holds for 10 seconds. What ends access sooner (a log-out, a revocation) is announced, heard
here at once, and remembered for as long as a visa from before could still be shown.
"""

import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.sessions import SessionEnded
from libs.contracts.records.standing import StandingChanged
from libs.contracts.visa import LIFETIME, Capacity, Limit, Passport, Role, Visa
from libs.runtime import lifeline
from libs.runtime.clock import utcnow
from libs.runtime.context import Context
from libs.runtime.seal import Seals, Unsealed, keys_from

NOT_ALLOWED = "not_allowed"
ISSUERS = {
    Capacity.SELF: "delegation",
    Capacity.DELEGATE: "delegation",
    Capacity.STAFF: "identity",
    Capacity.MACHINE: "identity",
}
"""Who may say what: patients' access is delegation's to grant, the practice's is identity's."""
NONE_HOLDS = sys.maxsize
"""The least revision of a grant that was revoked."""


class NotAllowed(Refused):
    """The visa does not hold, or not for this."""

    def __init__(self) -> None:
        super().__init__(NOT_ALLOWED)


class Gate:
    """What a service knows of who may, from public keys and from what it hears."""

    def __init__(self, visa_keys: str) -> None:
        self._seals = Seals(keys_from(visa_keys))
        self._ended: dict[UUID, datetime] = {}
        self._least: dict[UUID, tuple[int, datetime]] = {}
        self._revoked: dict[tuple[UUID, UUID, bool], datetime] = {}
        self._standing: dict[UUID, tuple[StandingChanged, datetime]] = {}

    def passport(self, sealed: str, *, now: datetime) -> Passport:
        """Who is logged in, in identity's words."""
        try:
            passport = self._seals.open(sealed, Passport, issuers={"identity"}, now=now)
        except Unsealed:
            raise NotAllowed from None
        if passport.session_id in self._ended:
            raise NotAllowed
        return passport

    def admit(
        self,
        sealed: str,
        *,
        now: datetime,
        patient_id: UUID | None = None,
        limit: Limit | None = None,
    ) -> Visa:
        """The visa, if it holds now, for this patient and this part of the record.

        A visa of staff names no patient and passes for each of its practice: that the patient is
        one of them is for the statement's WHERE clause and the practice's wall to say.
        """
        issuer = sealed.split(".", 1)[0]
        try:
            visa = self._seals.open(sealed, Visa, issuers=set(ISSUERS.values()), now=now)
        except Unsealed:
            raise NotAllowed from None
        if ISSUERS.get(visa.capacity) != issuer or visa.session_id in self._ended:
            raise NotAllowed
        if visa.capacity in (Capacity.SELF, Capacity.DELEGATE):
            self._admit_to_record(visa, patient_id, limit)
        return visa

    def admit_staff(
        self,
        sealed: str,
        *,
        now: datetime,
        roles: Collection[Role] | None = None,
        machines: bool = False,
    ) -> Visa:
        """The visa of a member of staff, of one of these roles if any are named, or a machine."""
        visa = self.admit(sealed, now=now)
        if visa.capacity is Capacity.MACHINE and machines:
            return visa
        if visa.capacity is not Capacity.STAFF or (roles and visa.role not in roles):
            raise NotAllowed
        return visa

    def is_open(self, patient_id: UUID) -> bool | None:
        """What was heard in the last seconds of a record; None for nothing."""
        known = self._standing.get(patient_id)
        return known[0].active if known else None

    def _admit_to_record(self, visa: Visa, patient_id: UUID | None, limit: Limit | None) -> None:
        if visa.patient_id is None or patient_id not in (None, visa.patient_id):
            raise NotAllowed
        if limit and limit not in visa.limits:
            raise NotAllowed
        if self.is_open(visa.patient_id) is False:
            raise NotAllowed
        if visa.grant_id and visa.revision < self._least.get(visa.grant_id, (0, None))[0]:
            raise NotAllowed
        for named in (False,) if visa.grant_id else (False, True):
            revoked = self._revoked.get((visa.account_id, visa.patient_id, named))
            if revoked and visa.issued_at <= revoked:
                raise NotAllowed

    def hear_ended(self, heard: SessionEnded) -> None:
        """These sessions are over, whatever visa still says so."""
        self._forget()
        self._ended |= dict.fromkeys(heard.session_ids, utcnow())

    def hear_revoked(self, heard: AccessRevoked) -> None:
        """Visas that came of this grant are void; and those from before that moment.

        The moment is for visas and revocations that name no grant, as the last release's do.
        """
        self._forget()
        who = (heard.account_id, heard.patient_id, heard.grant_id is not None)
        self._revoked[who] = max(heard.at, self._revoked.get(who, heard.at))
        if heard.grant_id:
            self._hold_from(heard.grant_id, NONE_HOLDS)

    def hear_changed(self, heard: AccessChanged) -> None:
        """Visas of before something was taken away are void."""
        self._forget()
        if heard.narrower:
            self._hold_from(heard.grant_id, heard.revision)

    def hear_standing(self, heard: StandingChanged) -> None:
        """While a record is closed to its patient, no visa for it holds but the practice's."""
        self._forget()
        known = self._standing.get(heard.patient_id)
        if known is None or heard.change > known[0].change:
            self._standing[heard.patient_id] = heard, utcnow()

    def _hold_from(self, grant_id: UUID, revision: int) -> None:
        before, _ = self._least.get(grant_id, (0, None))
        self._least[grant_id] = (max(revision, before), utcnow())

    def _forget(self) -> None:
        """What no living visa can contradict any more, twice over for clocks that differ."""
        old = utcnow() - 2 * LIFETIME
        self._ended = {who: at for who, at in self._ended.items() if at > old}
        self._revoked = {who: at for who, at in self._revoked.items() if at > old}
        self._least = {grant: least for grant, least in self._least.items() if least[1] > old}
        self._standing = {who: told for who, told in self._standing.items() if told[1] > old}


GATE = web.AppKey("gate", Gate)
AtGate = Annotated[Gate, Context("gate")]
"""A handler's gate."""


def hearing(gate: Gate) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """The gate hears of every end and revocation for as long as the application runs."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        app[GATE] = gate
        line = app[lifeline.LINE]
        line.listen(SessionEnded, gate.hear_ended)
        line.listen(AccessRevoked, gate.hear_revoked)
        line.listen(AccessChanged, gate.hear_changed)
        line.listen(StandingChanged, gate.hear_standing)
        yield

    return context
