"""Patients let family and caregivers in: invited, accepted, counted, taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessChanged, AccessRevoked
from libs.contracts.identity.invitations import AskForNewLink, InvitationState, ShowInvitation
from libs.contracts.identity.letters import DescribeLetter, Letter, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.registration import AcceptInvitation
from libs.contracts.identity.sharing import (
    LETTERS_A_DAY,
    CancelDelegateInvitation,
    DelegateAccepted,
    DelegateInvitation,
    InviteDelegate,
    ListDelegateInvitations,
    ResendDelegateInvitation,
)
from libs.contracts.notifier import MailSettled, MailState
from libs.contracts.visa import LIFETIME, Capacity, Limit, Visa
from libs.runtime.clock import utcnow
from tests import parts
from tests.delegation.test_list_access import announce
from tests.identity.desk import BORN, EMAIL, PRACTICE, Desk, hash_of
from tests.waiting import until

ANA, ANAS_BIRTHDAY = "ana@example.com", date(1988, 9, 30)
INVITATION = LetterKind.DELEGATE_INVITATION


class Rosa:
    """A patient with an account, at her own record."""

    def __init__(
        self, desk: Desk, patient_id: UUID, account_id: UUID, session_id: UUID | None = None
    ) -> None:
        self.desk = desk
        self.patient_id = patient_id
        self.account_id = account_id
        self.session_id = session_id

    def visa(self, capacity: Capacity = Capacity.SELF, **changes: Any) -> str:
        now = utcnow()
        given: dict[str, Any] = {
            "capacity": capacity,
            "practice_id": PRACTICE,
            "patient_id": self.patient_id,
            "limits": frozenset(Limit),
            "account_id": self.account_id,
            "session_id": self.session_id,
            "issued_at": now,
            "expires_at": now + LIFETIME,
        }
        by = "identity" if capacity is Capacity.STAFF else "delegation"
        return parts.sealed(self.desk.servers, Visa(**given | changes), by=by)

    def invites(self, email: str = ANA, **changes: Any) -> InviteDelegate:
        given: dict[str, Any] = {
            "visa": self.visa(),
            "key": uuid4(),
            "patient_id": self.patient_id,
            "email": email,
            "date_of_birth": ANAS_BIRTHDAY,
        }
        return InviteDelegate(**given | changes)

    async def people(self) -> tuple[DelegateInvitation, ...]:
        asked = ListDelegateInvitations(visa=self.visa(), patient_id=self.patient_id)
        return (await self.desk.ask(asked)).invitations


@pytest.fixture
async def rosa(desk: Desk) -> Rosa:
    patient_id = await desk.register()
    session = await desk.resolve(await desk.session())
    return Rosa(desk, patient_id, session.account_id, session.session_id)


async def accepted(desk: Desk) -> list[DelegateAccepted]:
    await desk.all_told()
    return await parts.stored(desk.servers, DelegateAccepted)


async def test_whoever_is_invited_registers_with_a_name_and_is_let_in(
    desk: Desk, rosa: Rosa
) -> None:
    limits = frozenset({Limit.RESULTS, Limit.DOCUMENTS})
    last_day = utcnow().date() + timedelta(days=30)
    await desk.ask(rosa.invites(limits=limits, last_day=last_day))
    letter = await desk.letter(INVITATION)
    assert (letter.email, letter.from_name, letter.greeting_name) == (ANA, "Rosa", "")
    token = letter.path.rsplit("/", 1)[1]
    shown = await desk.ask(ShowInvitation(token=token, opened=True))
    assert (shown.delegate, shown.staff, shown.email) == (True, False, ANA)
    (waiting,) = await rosa.people()
    assert (waiting.state, waiting.name) == (InvitationState.OPENED, "")

    registration = desk.registration(token, date_of_birth=ANAS_BIRTHDAY)
    for name, code in (("", Refusal.NAME_MISSING), ("A" * 101, Refusal.NAME_NOT_USABLE)):
        refused = await desk.refusal(registration.model_copy(update={"name": name}))
        assert refused == code
    named = registration.model_copy(update={"name": "Ana  Ruiz"})
    assert (await desk.ask(named)).accepted

    (event,) = await accepted(desk)
    (there,) = await rosa.people()
    assert (there.state, there.name, there.invited_by) == (
        InvitationState.REGISTERED,
        "Ana Ruiz",
        (await desk.resolve(await desk.session())).name,
    )
    assert (event.patient_id, event.limits, event.granted_by) == (
        rosa.patient_id,
        limits,
        rosa.account_id,
    )
    assert event.ends_at == there.ends_at
    assert there.ends_at is not None
    assert await desk.refusal(rosa.invites()) == Refusal.ALREADY_REGISTERED


async def test_who_has_an_account_accepts_while_logged_in_with_that_address(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.register(ANA)
    await desk.ask(rosa.invites(date_of_birth=BORN))
    token = await desk.token(INVITATION)
    registration = desk.registration(token, name="Ana")
    assert await desk.refusal(registration) == Refusal.HAS_ACCOUNT

    def accepting(session: bytes) -> AcceptInvitation:
        return AcceptInvitation(
            token=token, session=session, date_of_birth=BORN, terms_version="2026-11"
        )

    assert await desk.refusal(accepting(await desk.session())) == Refusal.NOT_ALLOWED
    anas = await desk.session(email=ANA)
    said = await asyncio.gather(*(desk.said(accepting(anas)) for _ in range(10)))
    assert sorted(said) == ["done", *[Refusal.LINK_USED] * 9]
    (event,) = await accepted(desk)
    assert event.account_id == (await desk.resolve(anas)).account_id


async def test_a_wrong_date_of_birth_is_counted_locks_and_tells_nothing(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    token = await desk.token(INVITATION)
    wrong = desk.registration(token, name="Ana", date_of_birth=BORN)
    said = [await desk.refusal(wrong) for _ in range(6)]
    assert said == [*[Refusal.WRONG_DATE_OF_BIRTH] * 5, Refusal.LINK_LOCKED]
    (locked,) = await rosa.people()
    assert locked.state is InvitationState.LOCKED
    assert await accepted(desk) == []


async def test_an_end_that_identity_hears_of_lets_her_be_invited_again(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    registration = desk.registration(
        await desk.token(INVITATION), name="Ana", date_of_birth=ANAS_BIRTHDAY
    )
    assert (await desk.ask(registration)).accepted
    await desk.change("UPDATE invitation SET state = 'ended' WHERE invited_by IS NOT NULL")
    await desk.ask(rosa.invites())
    (again,) = await rosa.people()
    assert (again.version, again.state, again.name) == (2, InvitationState.INVITED, "")


async def test_a_change_is_known_here_and_whoever_it_is_about_is_told(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    registration = desk.registration(
        await desk.token(INVITATION), name="Ana", date_of_birth=ANAS_BIRTHDAY
    )
    assert (await desk.ask(registration)).accepted
    (event,) = await accepted(desk)
    ends_at = utcnow() + timedelta(seconds=3)
    changed = AccessChanged(
        practice_id=PRACTICE,
        patient_id=rosa.patient_id,
        account_id=event.account_id,
        grant_id=uuid4(),
        revision=1,
        limits=frozenset({Limit.RESULTS}),
        ends_at=ends_at,
        narrower=True,
        changed_at=utcnow(),
        invitation_id=event.invitation_id,
        invitation_version=event.version,
    )
    async with parts.running(parts.relay(desk.servers, "delegation")):
        await announce(desk.servers, changed, by="delegation")
        letter = await desk.letter(LetterKind.ACCESS_CHANGED)
    assert (letter.email, letter.path) == (ANA, f"/p/{rosa.patient_id}/health")
    (there,) = await rosa.people()
    assert there.limits == {Limit.RESULTS}
    assert there.ends_at == ends_at
    (due,) = await desk.letters(LetterKind.ACCESS_CHANGED)
    asked = DescribeLetter(kind=due.kind, reference_id=due.reference_id, version=due.version)
    assert (await desk.at(ends_at - timedelta(seconds=1), asked)).email == ANA
    assert await desk.refusal(asked, now=ends_at) == Refusal.LINK_VOID

    async def invited_again() -> bool:
        return await desk.said(rosa.invites()) == "done"

    await until(invited_again)
    assert await desk.refusal(asked, now=utcnow()) == Refusal.LINK_VOID


async def let_in(desk: Desk, rosa: Rosa, **how: Any) -> DelegateAccepted:
    """Ana, who has registered from the letter."""
    await desk.ask(rosa.invites(**how))
    token = await desk.token(INVITATION)
    await desk.ask(desk.registration(token, date_of_birth=ANAS_BIRTHDAY, name="Ana Ruiz"))
    (event,) = await accepted(desk)
    return event


async def test_of_a_sent_record_its_sender_is_told_or_the_patient_where_that_is_over(
    desk: Desk, rosa: Rosa
) -> None:
    ana = await let_in(desk, rosa, last_day=utcnow().date() + timedelta(days=30))

    async def told(account_id: UUID = ana.account_id, *, later: timedelta = timedelta()) -> str:
        asked = DescribeLetter(
            kind=LetterKind.SENDING_NOTE,
            reference_id=account_id,
            version=1,
            practice_id=PRACTICE,
            patient_id=rosa.patient_id,
        )
        letter: Letter = await desk.at(utcnow() + later, asked)
        return letter.email

    assert await told() == ANA
    assert await told(rosa.account_id) == EMAIL
    assert await told(later=timedelta(days=40)) == EMAIL
    place = {
        "practice_id": PRACTICE,
        "patient_id": rosa.patient_id,
        "account_id": ana.account_id,
        "grant_id": uuid4(),
        "invitation_id": ana.invitation_id,
        "invitation_version": ana.version,
    }
    narrowed = AccessChanged(
        **place,
        revision=1,
        limits=frozenset({Limit.RESULTS}),
        ends_at=None,
        narrower=True,
        changed_at=utcnow(),
    )
    async with parts.running(parts.relay(desk.servers, "delegation")):
        await announce(desk.servers, narrowed, by="delegation")
        await desk.letter(LetterKind.ACCESS_CHANGED)
        assert await told() == EMAIL
        widened = narrowed.model_copy(
            update={"id": uuid4(), "revision": 2, "limits": frozenset(Limit), "narrower": False}
        )
        await announce(desk.servers, widened, by="delegation")
        await until(lambda: told_is(told, ANA))
        revoked = AccessRevoked(**place, at=utcnow(), revoked_at=utcnow())
        await announce(desk.servers, revoked, by="delegation")
        await until(lambda: told_is(told, EMAIL))


async def told_is(told: Callable[[], Awaitable[str]], email: str) -> bool:
    return await told() == email


async def test_nobody_is_let_into_her_own_record_by_another_address(desk: Desk, rosa: Rosa) -> None:
    """She invites an address that becomes hers before it is accepted."""
    await desk.ask(rosa.invites("rosa.other@example.com", date_of_birth=BORN))
    token = await desk.token(INVITATION)
    await desk.change(
        "UPDATE account SET email = 'rosa.other@example.com' WHERE id = $1", rosa.account_id
    )
    accepting = AcceptInvitation(
        token=token,
        session=await desk.session(email="rosa.other@example.com"),
        date_of_birth=BORN,
        terms_version="2026-11",
    )
    assert await desk.refusal(accepting) == Refusal.NOT_ALLOWED
    assert await accepted(desk) == []


async def test_only_the_patient_invites_sends_again_and_takes_back(desk: Desk, rosa: Rosa) -> None:
    await desk.ask(rosa.invites())
    (there,) = await rosa.people()
    named: dict[str, Any] = {
        "patient_id": rosa.patient_id,
        "invitation_id": there.invitation_id,
    }
    strangers = (
        rosa.visa(Capacity.DELEGATE),
        rosa.visa(Capacity.STAFF, patient_id=None, role="administrator"),
        rosa.visa(patient_id=uuid4()),
    )
    for visa in strangers:
        for asked in (
            rosa.invites("ben@example.com", visa=visa),
            ResendDelegateInvitation(visa=visa, **named),
            CancelDelegateInvitation(visa=visa, **named),
        ):
            assert await desk.refusal(asked) == "not_allowed"
    delegate, staff, _ = strangers
    listing = ListDelegateInvitations(visa=delegate, patient_id=rosa.patient_id)
    assert await desk.refusal(listing) == "not_allowed"
    seen = await desk.ask(ListDelegateInvitations(visa=staff, patient_id=rosa.patient_id))
    assert [one.email for one in seen.invitations] == [ANA]


async def test_another_patient_of_the_practice_touches_nobodys_invitation(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    (there,) = await rosa.people()
    other = Rosa(desk, uuid4(), rosa.account_id)
    asked = CancelDelegateInvitation(
        visa=other.visa(), patient_id=other.patient_id, invitation_id=there.invitation_id
    )
    assert await desk.refusal(asked) == Refusal.INVITATION_ENDED
    assert await rosa.people() == (there,)


async def test_the_same_form_twenty_times_at_once_invites_once(desk: Desk, rosa: Rosa) -> None:
    form = rosa.invites()
    said = await asyncio.gather(*(desk.said(form) for _ in range(20)))
    assert said == ["done"] * 20
    (there,) = await rosa.people()
    assert there.version == 1
    assert await desk.said(rosa.invites()) == Refusal.SENT_MOMENTS_AGO


async def test_what_was_taken_back_has_a_link_that_leads_nowhere(desk: Desk, rosa: Rosa) -> None:
    await desk.ask(rosa.invites())
    token = await desk.token(INVITATION)
    (there,) = await rosa.people()
    asked = CancelDelegateInvitation(
        visa=rosa.visa(), patient_id=rosa.patient_id, invitation_id=there.invitation_id
    )
    assert [await desk.said(asked) for _ in range(2)] == ["done", "done"]
    looked = ShowInvitation(token=token, opened=True)
    assert await desk.refusal(looked) == Refusal.INVITATION_ENDED
    with pytest.raises(Refused, match=Refusal.INVITATION_ENDED):
        await desk.letter(INVITATION)


async def test_accepted_and_taken_back_at_once_it_is_one_of_the_two(desk: Desk, rosa: Rosa) -> None:
    await desk.ask(rosa.invites())
    registration = desk.registration(
        await desk.token(INVITATION), name="Ana", date_of_birth=ANAS_BIRTHDAY
    )
    (there,) = await rosa.people()
    cancel = CancelDelegateInvitation(
        visa=rosa.visa(), patient_id=rosa.patient_id, invitation_id=there.invitation_id
    )
    said = await asyncio.gather(
        *(desk.said(registration) for _ in range(5)), *(desk.said(cancel) for _ in range(5))
    )
    (there,) = await rosa.people()
    came, taken_back = said[:5], said[5:]
    if there.state is InvitationState.REGISTERED:
        assert came.count("done") == len(await accepted(desk)) == 1
        assert set(taken_back) == {Refusal.ALREADY_REGISTERED}
    else:
        assert (there.state, set(came)) == (InvitationState.ENDED, {Refusal.INVITATION_ENDED})
        assert await accepted(desk) == []


async def test_the_patient_hears_who_wants_a_new_link_and_sees_a_bounce(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    token = await desk.token(INVITATION)
    (due,) = await desk.letters(INVITATION)
    bounced = MailSettled(
        kind=due.kind,
        reference_id=due.reference_id,
        version=due.version,
        state=MailState.BOUNCED,
    )
    await desk.settle(bounced)

    async def seen() -> bool:
        (there,) = await rosa.people()
        return there.state is InvitationState.BOUNCED

    await until(seen)
    await desk.ask(AskForNewLink(token=token, source="203.0.113.9"))
    letter = await desk.letter(LetterKind.DELEGATE_LINK_WANTED)
    assert (letter.email, letter.path) == (EMAIL, f"/p/{rosa.patient_id}/users")
    (there,) = await rosa.people()
    assert there.new_link_wanted
    assert await desk.states(rosa.patient_id) == ["invited", "registered"]


async def test_so_many_invitations_a_day_are_the_most(desk: Desk, rosa: Rosa) -> None:
    for number in range(LETTERS_A_DAY):
        await desk.ask(rosa.invites(f"person{number}@example.com"))
    assert await desk.refusal(rosa.invites("last@example.com")) == Refusal.TRY_LATER
    await desk.change("UPDATE invitation SET sent_at = sent_at - interval '1 day'")
    assert await desk.said(rosa.invites("last@example.com")) == "done"


async def test_a_session_of_who_was_invited_says_their_own_name(desk: Desk, rosa: Rosa) -> None:
    await desk.ask(rosa.invites())
    registration = desk.registration(
        await desk.token(INVITATION), name="Ana Ruiz", date_of_birth=ANAS_BIRTHDAY
    )
    assert (await desk.ask(registration)).accepted
    opened = await desk.ask(desk.login(email=ANA, date_of_birth=ANAS_BIRTHDAY))
    assert (await desk.resolve(hash_of(opened.token))).name == "Ana Ruiz"
