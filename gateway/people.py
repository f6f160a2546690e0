"""Who may see a record beside the patient: what identity knows of the invitation, and delegation
of what came of it, put together in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.wording import last_day_of
from libs.contracts.delegation import Delegate
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.sharing import DelegateInvitation
from libs.contracts.visa import Limit

PARTS: dict[Limit, str] = {
    Limit.RESULTS: "results",
    Limit.DOCUMENTS: "documents",
    Limit.MESSAGES: "messages",
    Limit.SENDING: "sending the record",
}
"""What may be shared, in words."""


class Standing(StrEnum):
    """Where somebody stands with a record."""

    HAS_ACCESS = "has_access"
    WAITING = "waiting"
    BOUNCED = "bounced"
    RAN_OUT = "ran_out"
    LOCKED = "locked"
    ENDED = "ended"
    """Their last day is past."""
    REVOKED = "revoked"


STANDING = {
    InvitationState.BOUNCED: Standing.BOUNCED,
    InvitationState.EXPIRED: Standing.RAN_OUT,
    InvitationState.LOCKED: Standing.LOCKED,
}
"""Of those who have not accepted; the others wait."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody whom the patient let in, or invited."""

    invitation: DelegateInvitation
    grant: Delegate | None
    standing: Standing

    @property
    def called(self) -> str:
        """What to call them: their name, once they have told it."""
        return self.invitation.name or self.invitation.email

    @property
    def shared(self) -> str:
        """What they may do, in words."""
        limits = self.grant.limits if self.grant else self.invitation.limits
        if limits == frozenset(Limit):
            return "Full access"
        *most, last = [words for limit, words in PARTS.items() if limit in limits]
        said = f"{', '.join(most)} and {last}" if most else last
        return f"Only {said}"

    def chosen(self, zone: str) -> dict[str, str]:
        """The same as a form that was filled in."""
        limits = self.grant.limits if self.grant else self.invitation.limits
        form = {"access": "full"} if limits == frozenset(Limit) else {"access": "some"}
        if form["access"] == "some":
            form |= {limit.value: "yes" for limit in limits}
        if self.ends_at:
            form["last_day"] = last_day_of(self.ends_at, zone).isoformat()
        return form

    @property
    def ends_at(self) -> datetime | None:
        """When it is over, where it has a last day."""
        return self.grant.ends_at if self.grant else self.invitation.ends_at

    @property
    def gone(self) -> bool:
        """They have access no longer, and had it once."""
        return self.standing in (Standing.ENDED, Standing.REVOKED)


def people(
    invitations: Iterable[DelegateInvitation], grants: Iterable[Delegate], *, now: datetime
) -> list[Person]:
    """Everyone, as they were invited last; whoever was taken back before they came is nobody."""
    known = {(one.invitation_id, one.version): one for one in grants}
    newest = {one.invitation_id: one for one in sorted(known.values(), key=lambda one: one.version)}
    listed = []
    for invitation in invitations:
        grant = known.get((invitation.invitation_id, invitation.version))
        standing = _standing(invitation, grant, now=now)
        if standing is Standing.REVOKED and grant is None:
            grant = newest.get(invitation.invitation_id)
            if grant is None:
                continue
        listed.append(Person(invitation=invitation, grant=grant, standing=standing))
    return listed


def _standing(invitation: DelegateInvitation, grant: Delegate | None, *, now: datetime) -> Standing:
    ends_at = grant.ends_at if grant else invitation.ends_at
    if invitation.state is InvitationState.ENDED or (grant and grant.revoked_at):
        return Standing.REVOKED
    if invitation.state is InvitationState.REGISTERED:
        return Standing.ENDED if ends_at and now >= ends_at else Standing.HAS_ACCESS
    over = now >= invitation.expires_at or (ends_at is not None and now >= ends_at)
    if over and invitation.state is not InvitationState.LOCKED:
        return Standing.RAN_OUT
    return STANDING.get(invitation.state, Standing.WAITING)
