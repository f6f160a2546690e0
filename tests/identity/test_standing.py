"""Whoever was invited to a record that the practice closes: not any more, and nothing is sent."""

from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import (
    AskForNewLink,
    InvitationState,
    ResendInvitation,
    ShowInvitation,
)
from libs.contracts.identity.letters import DescribeLetter, LetterDue, LetterKind
from libs.contracts.identity.refusals import Refusal
from libs.contracts.records.emergency import ChartOpened
from libs.contracts.records.patients import CorrectEmail, InvitePatient, Patient, ShowPatient
from libs.contracts.records.refusals import Refusal as RecordsRefusal
from libs.contracts.records.standing import DeactivatePatient, ReactivatePatient
from libs.contracts.visa import LIFETIME, Capacity, Role, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from tests import parts
from tests.delegation.test_list_access import announce
from tests.identity.desk import HOME, NURSE, PRACTICE, Desk
from tests.identity.test_sharing import ANA, Rosa
from tests.waiting import until


@pytest.fixture
async def rosa(desk: Desk) -> Rosa:
    """A patient with an account."""
    patient_id = await desk.register()
    session = await desk.resolve(await desk.session())
    return Rosa(desk, patient_id, session.account_id, session.session_id)


def clinician(desk: Desk) -> str:
    now = utcnow()
    visa = Visa(
        capacity=Capacity.STAFF,
        practice_id=PRACTICE,
        role=Role.CLINICIAN,
        account_id=uuid4(),
        actor_name="Nora Lind",
        issued_at=now,
        expires_at=now + LIFETIME,
    )
    return parts.sealed(desk.servers, visa, by="identity")


async def closes(desk: Desk, patient_id: UUID) -> None:
    asked = DeactivatePatient(visa=clinician(desk), patient_id=patient_id, reason="Moved away.")
    await desk.ask(asked)
    await settles(desk, patient_id, active=False)


async def reopens(desk: Desk, patient_id: UUID) -> None:
    await desk.ask(ReactivatePatient(visa=clinician(desk), patient_id=patient_id))
    await settles(desk, patient_id, active=True)


async def settles(desk: Desk, patient_id: UUID, *, active: bool) -> None:
    async def is_kept() -> bool:
        kept = await desk.look("SELECT active FROM standing WHERE patient_id = $1", patient_id)
        return bool(kept is active)

    await until(is_kept)


async def shown(desk: Desk, patient_id: UUID) -> Patient:
    return await desk.ask(ShowPatient(visa=clinician(desk), patient_id=patient_id))


async def in_state(desk: Desk, patient_id: UUID, state: InvitationState) -> None:
    async def is_so() -> bool:
        return (await shown(desk, patient_id)).state is state

    await until(is_so)


async def test_an_open_invitation_ends_with_the_record_and_may_go_anew_when_it_is_open(
    desk: Desk,
) -> None:
    patient_id = await desk.invite()
    letter = await desk.letter()
    token = letter.path.rsplit("/", 1)[1]
    await closes(desk, patient_id)
    link = ShowInvitation(token=token, opened=True)
    assert await desk.refusal(link) == Refusal.INVITATION_ENDED
    await in_state(desk, patient_id, InvitationState.ENDED)
    resend = ResendInvitation(visa=clinician(desk), patient_id=patient_id)
    assert await desk.refusal(resend) == Refusal.INVITATION_ENDED
    await desk.ask(AskForNewLink(token=token, source=HOME))
    await desk.ask(
        CorrectEmail(
            visa=clinician(desk), key=uuid4(), patient_id=patient_id, email="new@example.com"
        )
    )
    invite = InvitePatient(visa=clinician(desk), key=uuid4(), patient_id=patient_id)
    assert await desk.refusal(invite) == RecordsRefusal.DEACTIVATED
    await desk.all_told()
    due = await parts.stored(desk.servers, LetterDue)
    assert [one.kind for one in due] == [LetterKind.INVITATION]

    await reopens(desk, patient_id)
    await in_state(desk, patient_id, InvitationState.EXPIRED)
    assert await desk.refusal(link) == Refusal.LINK_EXPIRED
    await desk.ask(ResendInvitation(visa=clinician(desk), patient_id=patient_id))
    await in_state(desk, patient_id, InvitationState.INVITED)


async def test_an_invitation_that_crosses_the_closing_lets_nobody_in(desk: Desk) -> None:
    """As one that is written at the moment in which nobody found it to end it."""
    patient_id = await desk.invite()
    letter = await desk.letter()
    [due] = await parts.stored(desk.servers, LetterDue)
    await closes(desk, patient_id)
    await in_state(desk, patient_id, InvitationState.ENDED)
    await desk.change(
        "UPDATE invitation SET state = 'invited', version = $2 WHERE patient_id = $1",
        patient_id,
        due.version,
    )
    link = ShowInvitation(token=letter.path.rsplit("/", 1)[1], opened=True)
    assert await desk.refusal(link) == Refusal.INVITATION_ENDED
    asked = DescribeLetter(kind=due.kind, reference_id=due.reference_id, version=due.version)
    with pytest.raises(Refused, match=Refusal.LINK_VOID):
        await ask(desk.notifier, asked)


async def test_family_that_was_invited_is_not_any_more_and_has_to_be_invited_anew(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.ask(rosa.invites())
    letter = await desk.letter(LetterKind.DELEGATE_INVITATION)
    link = ShowInvitation(token=letter.path.rsplit("/", 1)[1], opened=True)
    await closes(desk, rosa.patient_id)
    assert await desk.refusal(link) == Refusal.INVITATION_ENDED
    assert await desk.refusal(rosa.invites("other@example.com")) == Refusal.NOT_ALLOWED
    await reopens(desk, rosa.patient_id)
    assert await desk.refusal(link) == Refusal.INVITATION_ENDED
    assert (await shown(desk, rosa.patient_id)).state is InvitationState.REGISTERED
    await desk.ask(rosa.invites())
    newer = await desk.letter(LetterKind.DELEGATE_INVITATION, number=2)
    assert newer.email == ANA


async def test_a_patient_is_not_written_to_about_a_closed_record_and_administrators_are(
    desk: Desk, rosa: Rosa
) -> None:
    await desk.register_staff(role=Role.ADMINISTRATOR)
    opened = ChartOpened(
        practice_id=PRACTICE, patient_id=rosa.patient_id, account_id=uuid4(), at=utcnow()
    )
    await announce(desk.servers, opened, by="records")
    kinds = (LetterKind.CHART_OPENED, LetterKind.CHART_OPENED_STAFF)

    async def told() -> list[DescribeLetter]:
        due = await parts.stored(desk.servers, LetterDue)
        return [
            DescribeLetter(kind=one.kind, reference_id=one.reference_id, version=one.version)
            for one in due
            if one.kind in kinds
        ]

    async def both() -> bool:
        return len(await told()) == len(kinds)

    await until(both)
    await closes(desk, rosa.patient_id)
    to_patient, to_staff = sorted(await told(), key=lambda one: one.kind)
    with pytest.raises(Refused, match=Refusal.LINK_VOID):
        await ask(desk.notifier, to_patient)
    assert (await ask(desk.notifier, to_staff)).email == NURSE
