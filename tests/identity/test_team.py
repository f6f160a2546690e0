"""A practice's team, by its administrators: invited, given a role, taken off; somebody stays."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.factors import PROVEN_FOR
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.letters import DescribeLetter, LetterKind
from libs.contracts.identity.practices import (
    Link,
    SavePractice,
    ShowPractice,
    ShowPracticeSettings,
)
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import (
    ChangeRole,
    InviteColleague,
    ListTeam,
    Member,
    RemoveFromTeam,
    ResendColleagueInvitation,
)
from libs.contracts.notifier import MailSettled, MailState
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.identity.domain import invitation as invitations
from services.identity.domain import practice as words
from services.identity.domain import team as rules
from services.identity.domain.invitation import Invitation
from services.identity.domain.practice import Words
from services.identity.domain.team import Seat
from tests import parts
from tests.identity.desk import NURSE_BORN, PRACTICE, Desk, code, hash_of
from tests.waiting import until

BOSS, KIM = "boss@example.com", "kim@example.com"
LETTER = LetterKind.STAFF_INVITATION


@dataclass
class Office:
    """An administrator of a practice, logged in."""

    desk: Desk
    session: bytes

    async def visa(self) -> str:
        seat = (await self.desk.resolve(self.session)).seat
        assert seat
        return seat.visa

    async def invites(self, email: str = KIM, **changes: Any) -> InviteColleague:
        given: dict[str, Any] = {
            "visa": await self.visa(),
            "name": "Kim Lee",
            "email": email,
            "date_of_birth": NURSE_BORN,
            "role": Role.CLINICIAN,
        }
        return InviteColleague(**given | changes)

    async def team(self) -> tuple[Member, ...]:
        return (await self.desk.ask(ListTeam(visa=await self.visa()))).members

    async def member(self, email: str = KIM) -> Member:
        return next(one for one in await self.team() if one.email == email)

    async def registers(self, email: str = KIM, **changes: Any) -> str:
        """A colleague with an account; the secret of their codes."""
        before = len(await self.desk.letters(LETTER))
        await self.desk.ask(await self.invites(email, **changes))
        token = await self.desk.token(LETTER, number=before + 1)
        asked = self.desk.registration(token, date_of_birth=NURSE_BORN)
        enrolment = (await self.desk.ask(asked)).enrolment
        return enrolment.split("secret=")[1].split("&")[0]

    async def change(self, email: str, role: Role) -> ChangeRole:
        invitation_id = (await self.member(email)).invitation_id
        return ChangeRole(visa=await self.visa(), invitation_id=invitation_id, role=role)

    async def remove(self, email: str) -> RemoveFromTeam:
        invitation_id = (await self.member(email)).invitation_id
        return RemoveFromTeam(visa=await self.visa(), invitation_id=invitation_id)


async def logged_in(desk: Desk, email: str, secret: str) -> bytes:
    login = desk.staff_login(email=email, code=code(secret))
    return hash_of((await desk.ask(login)).token)


@pytest.fixture
async def office(desk: Desk) -> Office:
    secret = await desk.register_staff(BOSS, Role.ADMINISTRATOR)
    return Office(desk, await logged_in(desk, BOSS, secret))


async def test_an_administrator_invites_and_sees_how_far_it_has_come(office: Office) -> None:
    resent = await office.desk.ask(await office.invites())
    assert resent.email == KIM
    assert (await office.member()).state is InvitationState.INVITED
    [due] = (await office.desk.letters(LETTER))[-1:]
    await office.desk.settle(
        MailSettled(
            kind=LETTER,
            reference_id=due.reference_id,
            version=due.version,
            practice_id=PRACTICE,
            state=MailState.BOUNCED,
        )
    )

    async def bounced() -> bool:
        return (await office.member()).state is InvitationState.BOUNCED

    await until(bounced)


async def test_whoever_registers_is_on_the_team_with_their_role(office: Office) -> None:
    await office.registers(role=Role.FRONT_DESK)
    kim = await office.member()
    assert (kim.state, kim.role) == (InvitationState.REGISTERED, Role.FRONT_DESK)
    assert kim.account_id
    assert await office.desk.refusal(await office.invites()) == Refusal.ALREADY_REGISTERED


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name": " "}, Refusal.NAME_MISSING),
        ({"name": "K" * 121}, Refusal.NAME_NOT_USABLE),
        ({"name": "Kim\u202eLee"}, Refusal.NAME_NOT_USABLE),
        ({"email": "kim"}, Refusal.EMAIL_NOT_USABLE),
        ({"date_of_birth": None}, Refusal.WRONG_DATE_OF_BIRTH),
        ({"date_of_birth": utcnow().date() + timedelta(days=1)}, Refusal.WRONG_DATE_OF_BIRTH),
    ],
)
async def test_what_cannot_be_invited(
    office: Office, changes: dict[str, Any], refusal: Refusal
) -> None:
    assert await office.desk.refusal(await office.invites(**changes)) == refusal
    assert len(await office.team()) == 1


async def test_a_name_of_120_letters_is_taken(office: Office) -> None:
    await office.desk.ask(await office.invites(name="K" * 120))
    assert (await office.member()).name == "K" * 120


async def test_the_letter_goes_once_more_but_not_at_once(office: Office) -> None:
    desk = office.desk
    await desk.ask(await office.invites())
    asked = ResendColleagueInvitation(
        visa=await office.visa(), invitation_id=(await office.member()).invitation_id
    )
    assert await desk.refusal(asked) == Refusal.SENT_MOMENTS_AGO
    assert await desk.refusal(await office.invites()) == Refusal.SENT_MOMENTS_AGO
    first = await desk.token(LETTER)
    await desk.change("UPDATE invitation SET sent_at = sent_at - interval '6 minutes'")
    await desk.ask(asked.model_copy(update={"visa": await office.visa()}))
    old = desk.registration(first, date_of_birth=NURSE_BORN)
    assert await desk.refusal(old) == Refusal.LINK_VOID


async def test_only_an_administrator_who_was_just_asked_who_they_are_lets_somebody_in(
    office: Office,
) -> None:
    desk = office.desk
    later = utcnow() + PROVEN_FOR
    stale = parts.sealed(
        desk.servers,
        Visa(
            capacity=Capacity.STAFF,
            practice_id=PRACTICE,
            role=Role.ADMINISTRATOR,
            account_id=(await desk.resolve(office.session)).account_id,
            session_id=(await desk.resolve(office.session)).session_id,
            issued_at=later,
            expires_at=later + LIFETIME,
        ),
        by="identity",
    )
    asked = (await office.invites()).model_copy(update={"visa": stale})
    assert await desk.refusal(asked, now=later) == Refusal.PROOF_NEEDED


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.FRONT_DESK])
async def test_nobody_else_changes_the_team_or_the_practice(office: Office, role: Role) -> None:
    desk = office.desk
    secret = await office.registers(role=role)
    other = Office(desk, await logged_in(desk, KIM, secret))
    boss = await office.member(BOSS)
    visa = await other.visa()
    for asked in (
        await other.invites("sam@example.com"),
        ResendColleagueInvitation(visa=visa, invitation_id=boss.invitation_id),
        ChangeRole(visa=visa, invitation_id=boss.invitation_id, role=Role.CLINICIAN),
        RemoveFromTeam(visa=visa, invitation_id=boss.invitation_id),
        saves(visa),
    ):
        assert await desk.refusal(asked) == Refusal.NOT_ALLOWED
    assert {one.email for one in await other.team()} == {BOSS, KIM}


async def test_another_role_counts_from_the_next_log_in_and_ends_the_one_before(
    office: Office,
) -> None:
    desk = office.desk
    secret = await office.registers()
    session = await logged_in(desk, KIM, secret)
    before = (await desk.resolve(session)).session_id
    await desk.ask(await office.change(KIM, Role.FRONT_DESK))
    assert before in await desk.ended()
    with pytest.raises(Refused, match=Refusal.NO_SESSION):
        await desk.resolve(session)
    assert (await office.member()).role is Role.FRONT_DESK
    role = await desk.look(
        "SELECT role FROM seat WHERE account_id = $1", (await office.member()).account_id
    )
    assert role == "front_desk"


async def test_whoever_is_taken_off_the_team_is_out_at_once_and_may_be_invited_again(
    office: Office,
) -> None:
    desk = office.desk
    secret = await office.registers()
    session = await logged_in(desk, KIM, secret)
    before = (await desk.resolve(session)).session_id
    asked = await office.remove(KIM)
    await desk.ask(asked)
    await desk.ask(asked.model_copy(update={"visa": await office.visa()}))  # done already
    assert before in await desk.ended()
    with pytest.raises(Refused, match=Refusal.NO_SESSION):
        await desk.resolve(session)
    assert [one.email for one in await office.team()] == [BOSS]
    login = desk.staff_login(email=KIM, code="000000")
    assert await desk.refusal(login) == Refusal.NOT_RECOGNISED
    gone = ChangeRole(
        visa=await office.visa(), invitation_id=asked.invitation_id, role=Role.FRONT_DESK
    )
    assert await desk.refusal(gone) == Refusal.INVITATION_ENDED
    await desk.ask(await office.invites())
    assert (await office.member()).state is InvitationState.INVITED


async def test_an_invitation_that_is_taken_back_opens_nothing(office: Office) -> None:
    desk = office.desk
    await desk.ask(await office.invites())
    token = await desk.token(LETTER)
    await desk.ask(await office.remove(KIM))
    asked = desk.registration(token, date_of_birth=NURSE_BORN)
    assert await desk.refusal(asked) == Refusal.INVITATION_ENDED


async def test_an_administrator_always_stays(office: Office) -> None:
    desk = office.desk
    last = Refusal.LAST_ADMINISTRATOR
    await office.registers()
    assert await desk.refusal(await office.remove(BOSS)) == last
    assert await desk.refusal(await office.change(BOSS, Role.CLINICIAN)) == last
    await desk.ask(await office.change(KIM, Role.ADMINISTRATOR))
    await desk.ask(await office.remove(BOSS))


async def test_two_administrators_who_remove_each_other_at_once_leave_one(office: Office) -> None:
    desk = office.desk
    secret = await office.registers(role=Role.ADMINISTRATOR)
    other = Office(desk, await logged_in(desk, KIM, secret))
    both = [await office.remove(KIM), await other.remove(BOSS)]
    said = await asyncio.gather(*map(desk.said, both))
    left = await desk.look("SELECT count(*) FROM seat WHERE role = 'administrator'")
    assert (left, said.count("done")) == (1, 1)


async def test_the_team_of_another_practice_is_nobody_elses(office: Office) -> None:
    desk, elsewhere = office.desk, uuid4()
    await desk.open_practice(elsewhere)
    await desk.ask(await office.invites())
    there = await office.member()
    visa = staff_visa(desk, elsewhere)
    assert (await desk.ask(ListTeam(visa=visa))).members == ()
    asked = RemoveFromTeam(visa=visa, invitation_id=there.invitation_id)
    assert await desk.refusal(asked) == Refusal.UNKNOWN_COLLEAGUE
    assert (await office.member()).state is InvitationState.INVITED


def staff_visa(desk: Desk, practice_id: UUID) -> str:
    now = utcnow()
    visa = Visa(
        capacity=Capacity.STAFF,
        practice_id=practice_id,
        role=Role.ADMINISTRATOR,
        account_id=uuid4(),
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    return parts.sealed(desk.servers, visa, by="identity")


def saves(visa: str, **changes: Any) -> SavePractice:
    given: dict[str, Any] = {
        "visa": visa,
        "name": "Lakeside Oncology and Hematology",
        "phone": "(720) 555-0199",
        "address": "1840 Cottonwood Avenue, Denver",
        "hours": "Monday to Friday, 8 to 5",
        "emergency": "Call 911.",
        "time_zone": "America/Phoenix",
        "contact_email": "desk@example.com",
        "resources": (Link(title="Parking", url="https://example.com/parking"),),
    }
    return SavePractice(**given | changes)


async def test_what_a_practice_says_of_itself_is_what_its_administrator_saved(
    office: Office,
) -> None:
    desk = office.desk
    await desk.ask(saves(await office.visa()))
    shown = await desk.ask(ShowPracticeSettings(visa=await office.visa()))
    public = await desk.ask(ShowPractice(practice_id=PRACTICE))
    assert shown.practice == public
    assert (public.name, public.time_zone) == (
        "Lakeside Oncology and Hematology",
        "America/Phoenix",
    )
    assert public.resources == (Link(title="Parking", url="https://example.com/parking"),)
    assert shown.contact_email == "desk@example.com"


SAID = Words(
    name=" Lakeside ",
    phone="1",
    address="",
    hours="",
    emergency="Call 911.",
    time_zone="America/Denver",
    contact_email="Desk@Example.com",
    resources=(),
)
FINE = Link(title="Parking", url="https://example.com/parking")


def said(**changes: Any) -> Words:
    return Words(**vars(SAID) | changes)


def test_spaces_around_what_is_said_are_left_out() -> None:
    kept = words.checked(
        said(resources=(Link(title=" A ", url=" https://a.example ", about=" b "),))
    )
    assert kept.name == "Lakeside"
    assert kept.resources == (Link(title="A", url="https://a.example", about="b"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "L" * 200, "address": "A" * 200},
        {"resources": (FINE,) * 20},
        {"emergency": "C" * 2000},
        {"resources": (Link(title="T" * 200, url="https://a.example/?q=1#x", about="b" * 200),)},
    ],
)
def test_what_just_fits_is_kept(changes: dict[str, Any]) -> None:
    words.checked(said(**changes))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name": " "}, Refusal.PRACTICE_NAME_MISSING),
        ({"phone": ""}, Refusal.PHONE_MISSING),
        ({"emergency": ""}, Refusal.EMERGENCY_MISSING),
        ({"contact_email": "desk"}, Refusal.EMAIL_NOT_USABLE),
        ({"name": "L" * 201}, Refusal.TOO_LONG),
        ({"address": "A" * 201}, Refusal.TOO_LONG),
        ({"emergency": "C" * 2001}, Refusal.TOO_LONG),
        ({"time_zone": "Denver"}, Refusal.TIME_ZONE_UNKNOWN),
        ({"time_zone": ""}, Refusal.TIME_ZONE_UNKNOWN),
        ({"resources": (FINE,) * 21}, Refusal.TOO_MANY_RESOURCES),
    ],
)
def test_what_a_practice_can_not_say(changes: dict[str, Any], refusal: Refusal) -> None:
    with pytest.raises(Refused, match=refusal):
        words.checked(said(**changes))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://example.com",
        "javascript:alert(1)",
        "https://",
        "https://localhost",
        "https://name:password@example.com",
        "https://example.com:8080",
        "https://example.com:x",
        "https://exa mple.com",
        "https://ex\u0430mple.com",
        "//example.com",
    ],
)
def test_a_resource_leads_to_a_site_of_its_own_and_nowhere_else(url: str) -> None:
    with pytest.raises(Refused, match=Refusal.RESOURCE_NOT_USABLE):
        words.checked(said(resources=(Link(title="Parking", url=url),)))


def test_whoever_is_no_administrator_may_always_go() -> None:
    seats = [Seat(account_id=uuid4(), role=role) for role in Role]
    boss = seats[0]
    assert boss.role is Role.ADMINISTRATOR
    for seat in seats:
        known = invitation_of(seat)
        if seat is boss:
            with pytest.raises(Refused, match=Refusal.LAST_ADMINISTRATOR):
                rules.removed(known, seats)
        else:
            removed = rules.removed(known, seats)
            assert removed
            assert removed.state is InvitationState.ENDED


def invitation_of(seat: Seat) -> Invitation:
    now = utcnow()
    person = rules.wanted("Kim Lee", KIM, NURSE_BORN, seat.role, now=now)
    first = rules.invited(None, person, practice_id=PRACTICE, new_id=uuid4(), now=now)
    return invitations.accepted(first, seat.account_id)


async def test_of_a_message_that_waits_nobody_off_the_team_is_told(office: Office) -> None:
    await office.registers()
    desk, kim = office.desk, await office.member()
    asked = DescribeLetter(
        kind=LetterKind.MESSAGE_WAITING,
        reference_id=kim.account_id,
        version=1,
        practice_id=PRACTICE,
        staff=True,
    )
    assert (await ask(desk.notifier, asked)).email == KIM
    await desk.ask(await office.remove(KIM))
    with pytest.raises(Refused, match=Refusal.LINK_VOID):
        await ask(desk.notifier, asked)
    told = asked.model_copy(update={"staff": False})  # as a patient, whom messaging asks after
    assert (await ask(desk.notifier, told)).email == KIM
