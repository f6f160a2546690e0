"""The rules of an invitation, and of the links in letters."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.refusals import Refusal
from libs.contracts.notifier import MailState
from libs.runtime.clock import utcnow
from services.identity.domain import account_link
from services.identity.domain import invitation as rules
from services.identity.domain.account_link import MOST_LETTERS, RESET_LIFETIME, Reset
from services.identity.domain.invitation import LINK_LIFETIME, Invitation, Person
from services.identity.domain.link import Links, Purpose, Target
from tests.identity.desk import BORN, EMAIL, PRACTICE

NOON = utcnow()
SECOND = timedelta(seconds=1)
ROSA = Person(name="Rosa Alvarez", email=EMAIL, date_of_birth=BORN)
INVITED = rules.first(ROSA, practice_id=PRACTICE, patient_id=uuid4(), new_id=UUID(int=1), now=NOON)
LINKS = Links("A" * 43 + "=")
OTHER_LINKS = Links("B" * 43 + "=")


def in_state(state: InvitationState) -> Invitation:
    return replace(INVITED, state=state)


def test_a_link_works_for_four_days_and_not_a_moment_longer() -> None:
    rules.check_link(INVITED, 1, now=NOON + timedelta(days=4) - SECOND)
    for late in (timedelta(0), SECOND):
        with pytest.raises(Refused, match=Refusal.LINK_EXPIRED):
            rules.check_link(INVITED, 1, now=NOON + timedelta(days=4) + late)


def test_a_reset_link_works_for_an_hour_and_not_a_moment_longer() -> None:
    reset = Reset(id=uuid4(), account_id=uuid4(), familiar=False, expires_at=NOON + RESET_LIFETIME)
    account_link.check(reset, now=NOON + timedelta(hours=1) - SECOND)
    for late in (timedelta(0), SECOND):
        with pytest.raises(Refused, match=Refusal.LINK_EXPIRED):
            account_link.check(reset, now=NOON + timedelta(hours=1) + late)


def test_three_letters_an_hour_and_ten_a_day_are_the_most() -> None:
    hour, day = MOST_LETTERS
    assert account_link.one_more({hour: 2, day: 9})
    assert not account_link.one_more({hour: 3, day: 3})
    assert not account_link.one_more({hour: 0, day: 10})


def test_a_resend_starts_the_days_over_and_voids_the_older_link() -> None:
    later = NOON + timedelta(days=3)
    resent = rules.resent(INVITED, now=later)
    assert (resent.version, resent.expires_at) == (2, later + LINK_LIFETIME)
    rules.check_link(resent, 2, now=later)
    with pytest.raises(Refused, match=Refusal.LINK_VOID):
        rules.check_link(resent, 1, now=later)


def test_a_letter_may_not_chase_the_one_before_unless_that_one_came_back() -> None:
    soon = NOON + timedelta(minutes=5) - SECOND
    for state in (InvitationState.INVITED, InvitationState.DELIVERED):
        with pytest.raises(Refused, match=Refusal.SENT_MOMENTS_AGO):
            rules.resent(in_state(state), now=soon)
        assert rules.resent(in_state(state), now=soon + SECOND).version == 2
    for state in (InvitationState.BOUNCED, InvitationState.EXPIRED, InvitationState.LOCKED):
        assert rules.resent(in_state(state), now=soon).state is InvitationState.INVITED
    with pytest.raises(Refused, match=Refusal.ALREADY_REGISTERED):
        rules.resent(in_state(InvitationState.REGISTERED), now=NOON + timedelta(days=9))


def test_the_fifth_wrong_date_of_birth_locks_the_link_and_a_new_one_opens_it() -> None:
    invitation = INVITED
    for _ in range(4):
        invitation = rules.wrong_date(invitation)
        rules.check_link(invitation, 1, now=NOON)
    locked = rules.wrong_date(invitation)
    with pytest.raises(Refused, match=Refusal.LINK_LOCKED):
        rules.check_link(locked, 1, now=NOON)
    renewed = rules.renewed(locked, now=NOON)
    rules.check_link(renewed, 2, now=NOON)
    assert renewed.wrong_dates == 0


@pytest.mark.parametrize("state", InvitationState)
def test_only_an_invitation_that_waits_expires(state: InvitationState) -> None:
    late = NOON + LINK_LIFETIME
    assert rules.expired(in_state(state), now=late - SECOND) is None
    assert (rules.expired(in_state(state), now=late) is not None) == (state in rules.WAITING)


@pytest.mark.parametrize(
    ("before", "mail", "after"),
    [
        ("invited", "sent", "delivered"),
        ("invited", "bounced", "bounced"),
        ("invited", "failed", "bounced"),
        ("delivered", "bounced", "bounced"),
        ("delivered", "sent", None),
        ("invited", "expired", None),
        ("invited", "queued", None),
        ("opened", "sent", None),
        ("opened", "bounced", None),
        ("registered", "bounced", None),
        ("expired", "sent", None),
        ("locked", "bounced", None),
    ],
)
def test_a_letters_fate_is_told_of_its_own_version_and_of_nothing_further(
    before: str, mail: str, after: str | None
) -> None:
    invitation = in_state(InvitationState(before))
    settled = rules.settled(invitation, 1, MailState(mail))
    assert (settled.state.value if settled else None) == after
    assert settled is None or settled.change == invitation.change + 1
    assert rules.settled(rules.renewed(invitation, now=NOON), 1, MailState(mail)) is None


def test_a_new_link_is_wanted_once_a_day_and_not_by_who_has_an_account() -> None:
    wanted = rules.link_wanted(in_state(InvitationState.EXPIRED), now=NOON)
    assert wanted
    assert wanted.change == INVITED.change + 1
    assert rules.link_wanted(wanted, now=NOON + timedelta(hours=23)) is None
    assert rules.link_wanted(wanted, now=NOON + timedelta(days=1))
    assert rules.link_wanted(in_state(InvitationState.REGISTERED), now=NOON) is None


def test_the_next_letter_goes_to_the_person_as_the_practice_knows_them_now() -> None:
    corrected = Person(name="Rosa Gil", email="gil@example.com", date_of_birth=date(1961, 4, 13))
    again = rules.again(in_state(InvitationState.BOUNCED), corrected, now=NOON)
    assert (again.email, again.date_of_birth, again.version) == (
        "gil@example.com",
        corrected.date_of_birth,
        2,
    )


@given(link_id=st.uuids(), version=st.integers(1, 10**6), purpose=st.sampled_from(Purpose))
def test_a_link_says_what_it_is_for_and_nothing_else_passes_for_it(
    link_id: UUID, version: int, purpose: Purpose
) -> None:
    target = Target(id=link_id, version=version)
    token = LINKS.token(purpose, target)
    assert LINKS.token(purpose, target) == token
    assert LINKS.read(purpose, token) == target
    assert OTHER_LINKS.read(purpose, token) is None
    assert all(LINKS.read(other, token) is None for other in Purpose if other is not purpose)
    later = LINKS.token(purpose, Target(id=link_id, version=version + 1))
    assert LINKS.read(purpose, token.rsplit(".", 1)[0] + "." + later.rsplit(".", 1)[1]) is None


@given(place=st.integers(0, 200), character=st.characters(codec="utf-8"))
def test_a_link_with_one_character_changed_leads_nowhere(place: int, character: str) -> None:
    token = LINKS.token(Purpose.RESET, Target(id=UUID(int=7), version=1))
    at = place % len(token)
    changed = token[:at] + character + token[at + 1 :]
    assert LINKS.read(Purpose.RESET, changed) is None or changed == token


@given(text=st.text())
def test_any_text_is_read_as_a_link_or_as_none(text: str) -> None:
    assert LINKS.read(Purpose.INVITATION, text) is None
    assert LINKS.read(Purpose.INVITATION, f"{text}.1.{text}") is None


def test_a_key_for_links_has_256_bits() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Links("c2hvcnQ=")
