"""Whom a patient may let in, how far, and in which order things may happen."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.sharing import DelegateAccepted
from libs.contracts.visa import Capacity, Limit, Visa
from services.delegation import domain as grants
from services.delegation.domain import Grant
from services.identity.domain import invitation as letters
from services.identity.domain import sharing as rules
from services.identity.domain.invitation import Invitation
from services.identity.domain.sharing import Wish

PRACTICE, ROSA, ROSAS_RECORD, ANA = uuid4(), uuid4(), uuid4(), uuid4()
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LAST_DAY = date(2026, 11, 30)
DENVER = "America/Denver"


def wish(**changes: Any) -> Wish:
    given: dict[str, Any] = {
        "email": "ana@example.com",
        "date_of_birth": date(1988, 9, 30),
        "limits": frozenset(Limit),
        "ends_at": None,
        "own_email": "rosa@example.com",
        "invited_by": ROSA,
        "now": NOW,
    }
    given |= changes
    return rules.wished(
        given.pop("email"),
        given.pop("date_of_birth"),
        given.pop("limits"),
        given.pop("ends_at"),
        **given,
    )


def invited(**changes: Any) -> Invitation:
    return rules.first(
        wish(**changes), practice_id=PRACTICE, patient_id=ROSAS_RECORD, new_id=uuid4(), now=NOW
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": None}, Refusal.EMAIL_NOT_USABLE),
        ({"email": "rosa@example.com"}, Refusal.OWN_EMAIL),
        ({"date_of_birth": None}, Refusal.WRONG_DATE_OF_BIRTH),
        ({"date_of_birth": date(2026, 11, 24)}, Refusal.WRONG_DATE_OF_BIRTH),
        ({"limits": frozenset()}, Refusal.NOTHING_SHARED),
        ({"ends_at": NOW}, Refusal.END_IS_PAST),
    ],
)
def test_what_is_wrong_with_a_wish_is_said(changes: dict[str, Any], code: Refusal) -> None:
    with pytest.raises(Refused, match=code):
        wish(**changes)


def test_a_last_day_lasts_until_midnight_at_the_practice() -> None:
    assert rules.end_of(LAST_DAY, DENVER) == datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
    assert rules.end_of(date(2026, 3, 7), DENVER) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert rules.end_of(date(2026, 3, 8), DENVER) == datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
    assert rules.end_of(None, DENVER) is None


def test_a_link_works_no_longer_than_the_access_that_it_gives() -> None:
    ends_at = NOW + timedelta(days=1)
    made = invited(ends_at=ends_at)
    letters.check_link(made, 1, now=ends_at - timedelta(microseconds=1))
    with pytest.raises(Refused, match=Refusal.LINK_EXPIRED):
        letters.check_link(made, 1, now=ends_at)


def test_who_was_taken_back_has_a_link_that_is_void_and_can_ask_for_none() -> None:
    gone = rules.cancelled(invited())
    assert gone is not None
    with pytest.raises(Refused, match=Refusal.INVITATION_ENDED):
        letters.check_link(gone, 1, now=NOW)
    assert letters.link_wanted(gone, now=NOW) is None
    assert rules.cancelled(gone) is None


# Every order


@dataclass
class World:
    """A patient, one address, and what the two services know of them; told at once."""

    now: datetime = NOW
    ends_at: datetime = NOW + timedelta(days=30)
    invitation: Invitation | None = None
    grants: list[Grant] = field(default_factory=list)
    ended: int | None = None
    said: list[str] = field(default_factory=list)

    def does(self, step: str) -> None:
        self.now += timedelta(minutes=10)
        try:
            getattr(self, step)()
            self.said.append("done")
        except Refused as refused:
            self.said.append(refused.code)

    def invite(self) -> None:
        wanted = wish(ends_at=self.ends_at if self.now < self.ends_at else None, now=self.now)
        if self.invitation is None:
            self.invitation = rules.first(
                wanted, practice_id=PRACTICE, patient_id=ROSAS_RECORD, new_id=ANA, now=self.now
            )
        else:
            self.invitation = rules.again(self.invitation, wanted, now=self.now)

    invite_again = invite

    def resend(self) -> None:
        self.invitation = rules.resent(self._there(), now=self.now)

    def accept(self) -> None:
        there = self._there()
        letters.check_link(there, there.version, now=self.now)
        self.invitation = replace(letters.accepted(there, ANA), name="Ana Ruiz")
        sharing = there.sharing
        assert sharing
        accepted = DelegateAccepted(
            practice_id=PRACTICE,
            patient_id=ROSAS_RECORD,
            account_id=ANA,
            invitation_id=there.id,
            version=there.version,
            limits=sharing.limits,
            ends_at=sharing.ends_at,
            granted_by=ROSA,
        )
        if not grants.comes_late(accepted, self.ended):
            self.grants.append(grants.delegated(accepted, id=uuid4(), now=self.now))

    def revoke(self) -> None:
        """As the page does it: an invitation that waits is taken back, an access revoked."""
        there = self._there()
        if there.state is not InvitationState.REGISTERED:
            self.invitation = rules.cancelled(there) or there
            return
        by = visa(self.now)
        self.grants = [
            one if one.revoked_at else grants.revoked(one, by, "", now=self.now)
            for one in self.grants
        ]
        self.ended = there.version
        self.invitation = rules.ended(there, there.version) or there

    def end_date_passes(self) -> None:
        self.now = max(self.now, self.ends_at)

    def _there(self) -> Invitation:
        if self.invitation is None:
            raise Refused(Refusal.INVITATION_ENDED)
        return self.invitation

    @property
    def has_access(self) -> bool:
        return bool(grants.holding(self.grants, now=self.now))


def visa(now: datetime) -> Visa:
    return Visa(
        capacity=Capacity.SELF,
        practice_id=PRACTICE,
        patient_id=ROSAS_RECORD,
        account_id=ROSA,
        issued_at=now,
        expires_at=now,
    )


STEPS = ("invite", "resend", "accept", "revoke", "end_date_passes", "invite_again")


def foretold(order: tuple[str, ...]) -> bool:
    """Whether there is access in the end, worked out on fingers.

    There is an offer from each invitation until it is revoked, its end passes, or it is accepted;
    an acceptance of an offer gives access until that is revoked or its end passes.
    """
    offer = access = False
    past = endless = False
    for step in order:
        if step in ("invite", "invite_again") and not access:
            offer, endless = True, past
        elif step == "accept" and offer:
            offer, access = False, True
        elif step == "revoke":
            offer = access = False
        elif step == "end_date_passes":
            past = True
            if not endless:
                offer = access = False
    return access


def test_every_order_of_what_can_happen_ends_as_the_rules_say() -> None:
    wrong = []
    for order in permutations(STEPS):
        world = World()
        for step in order:
            world.does(step)
        if world.has_access is not foretold(order):
            wrong.append((order, world.said))
    assert wrong == []


def test_an_end_that_is_heard_before_the_acceptance_wins() -> None:
    accepted = DelegateAccepted(
        practice_id=PRACTICE,
        patient_id=ROSAS_RECORD,
        account_id=ANA,
        invitation_id=UUID(int=1),
        version=2,
        limits=frozenset(Limit),
        ends_at=None,
        granted_by=ROSA,
    )
    assert [grants.comes_late(accepted, ended) for ended in (None, 1, 2, 3)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_an_older_end_does_not_undo_a_newer_invitation() -> None:
    taken = letters.accepted(letters.renewed(invited(), now=NOW), ANA)
    assert taken.version == 2
    assert rules.ended(taken, 1) is None
    ended = rules.ended(taken, 2)
    assert ended is not None
    assert ended.state is InvitationState.ENDED


def change(version: int, revision: int, limit: Limit) -> AccessChanged:
    return AccessChanged(
        practice_id=PRACTICE,
        patient_id=ROSAS_RECORD,
        account_id=ANA,
        grant_id=UUID(int=7),
        revision=revision,
        limits=frozenset({limit}),
        ends_at=NOW + timedelta(days=revision),
        narrower=True,
        changed_at=NOW,
        invitation_id=UUID(int=1),
        invitation_version=version,
    )


def test_of_changes_that_are_heard_in_any_order_the_newest_counts() -> None:
    told = [change(1, 1, Limit.RESULTS), change(1, 2, Limit.SENDING), change(1, 3, Limit.MESSAGES)]
    for order in permutations(told):
        there = letters.accepted(invited(), ANA)
        for heard in order:
            there = rules.changed(there, heard) or there
        assert there.sharing
        assert there.sharing.limits == {Limit.MESSAGES}
        assert there.sharing.ends_at == NOW + timedelta(days=3)
        assert rules.over(there, now=NOW + timedelta(days=3))


def test_a_change_of_an_older_access_does_not_touch_a_newer_invitation() -> None:
    taken = letters.accepted(letters.renewed(invited(), now=NOW), ANA)
    assert rules.changed(taken, change(1, 5, Limit.RESULTS)) is None
    assert rules.changed(taken, change(2, 1, Limit.RESULTS)) is not None
    new = rules.again(
        replace(taken, state=InvitationState.ENDED), wish(), now=NOW + timedelta(days=1)
    )
    assert new.sharing
    assert (new.sharing.limits, new.sharing.revision) == (frozenset(Limit), 0)


@pytest.mark.parametrize(
    ("limits", "days", "is_narrower"),
    [
        (set(Limit), None, False),
        (set(Limit), 30, True),
        ({Limit.RESULTS}, None, True),
        ({Limit.RESULTS}, 3, True),
    ],
)
def test_what_takes_something_away_is_narrower(
    limits: set[Limit], days: int | None, is_narrower: bool
) -> None:
    own = grants.own(
        id=uuid4(), practice_id=PRACTICE, patient_id=ROSAS_RECORD, account_id=ANA, now=NOW
    )
    before = replace(own, limits=frozenset(Limit))
    ends_at = NOW + timedelta(days=days) if days else None
    after = replace(before, limits=frozenset(limits), ends_at=ends_at)
    assert grants.narrower(before, after) is is_narrower
    assert not grants.narrower(after, before)


def test_of_two_grants_for_one_record_ones_own_counts_then_the_newest() -> None:
    accepted = DelegateAccepted(
        practice_id=PRACTICE,
        patient_id=ROSAS_RECORD,
        account_id=ANA,
        invitation_id=UUID(int=1),
        version=1,
        limits=frozenset(Limit),
        ends_at=None,
        granted_by=ROSA,
    )
    older = grants.delegated(accepted, id=uuid4(), now=NOW)
    newer = grants.delegated(accepted, id=uuid4(), now=NOW + timedelta(days=1))
    own = grants.own(
        id=uuid4(), practice_id=PRACTICE, patient_id=ROSAS_RECORD, account_id=ANA, now=NOW
    )
    assert grants.holding([newer, older], now=NOW) == [newer]
    assert grants.holding([newer, own, older], now=NOW) == [own]


def test_a_practice_says_why_it_ends_an_access() -> None:
    assert grants.why("  Ana asked  us to. ", Capacity.STAFF) == "Ana asked us to."
    assert grants.why("anything", Capacity.SELF) == ""
    for reason, code in ((" ", "reason_missing"), ("x" * 501, "reason_too_long")):
        with pytest.raises(Refused, match=code):
            grants.why(reason, Capacity.STAFF)


def test_the_event_of_a_revocation_names_what_it_ends() -> None:
    assert {"identity", "messaging"} <= set(AccessRevoked.followers)
    assert {"gateway", "records", "messaging"} <= set(AccessRevoked.listeners)
