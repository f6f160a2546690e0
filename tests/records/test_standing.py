"""A practice closes a record to its patient: what is kept, what is said, and what is refused."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.records.activity import ListActivity
from libs.contracts.records.health import ShowHealth
from libs.contracts.records.patients import (
    DescribeContact,
    ListPatients,
    NamePatients,
    Patient,
    ShowPatient,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    DescribeSender,
    DescribeSending,
    SendingEnded,
    Unlock,
)
from libs.contracts.records.standing import (
    REASON_LIMIT,
    DeactivatePatient,
    ReactivatePatient,
    StandingChanged,
)
from libs.contracts.visa import Capacity, Role
from libs.runtime.broker import ask
from services.records.domain.standing import why
from tests import parts
from tests.messaging import ward
from tests.records import office
from tests.records import test_sending as sendings
from tests.records.bundles import message
from tests.records.office import Office
from tests.servers import Servers
from tests.waiting import until

WHY = "Changed to another practice."


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    """With identity and messaging beside it, whom imports and sending ask."""
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


def test_a_reason_is_one_line_and_has_to_be_there() -> None:
    assert why("  Moved \n away. ") == "Moved away."
    for text, code in (("", "reason_missing"), (" \n", "reason_missing")):
        with pytest.raises(Refused, match=code):
            why(text)
    assert why("x" * REASON_LIMIT) == "x" * REASON_LIMIT
    with pytest.raises(Refused, match="reason_too_long"):
        why("x" * (REASON_LIMIT + 1))


async def closes(practice: Office, patient_id: UUID, reason: str = WHY) -> None:
    asked = DeactivatePatient(visa=practice.staff, patient_id=patient_id, reason=reason)
    await ask(practice.broker, asked)


async def reopens(practice: Office, patient_id: UUID) -> None:
    await ask(practice.broker, ReactivatePatient(visa=practice.staff, patient_id=patient_id))


async def shown(practice: Office, patient_id: UUID) -> Patient:
    return await ask(practice.broker, ShowPatient(visa=practice.staff, patient_id=patient_id))


async def changes(practice: Office, patient_id: UUID, number: int) -> list[tuple[bool, int]]:
    """What was announced of the record, once there are so many."""

    async def told() -> list[tuple[bool, int]] | None:
        events = await parts.stored(practice.servers, StandingChanged)
        found = [(one.active, one.change) for one in events if one.patient_id == patient_id]
        return found if len(found) >= number else None

    said: list[tuple[bool, int]] = await until(told)
    return said


async def test_a_record_is_closed_to_its_patient_within_a_second_and_whole_for_the_practice(
    practice: Office,
) -> None:
    rosa = await practice.add_patient(mrn="L-1")
    await practice.file(rosa, b"Dear Rosa,")
    seen = ShowHealth(visa=practice.patient(rosa), patient_id=rosa)
    assert (await ask(practice.broker, seen)).documents_total == 1

    await closes(practice, rosa)

    async def refused() -> bool:
        try:
            await ask(practice.broker, ShowHealth(visa=practice.patient(rosa), patient_id=rosa))
        except Refused:
            return True
        return False

    await until(refused, within=1)
    now = await shown(practice, rosa)
    assert (now.active, now.deactivated_by, now.deactivation_reason) == (False, "Nora Lind", WHY)
    assert now.deactivated_at
    assert (await practice.documents(rosa)).total == 1
    (person,) = (
        await ask(practice.broker, NamePatients(visa=practice.staff, patient_ids=(rosa,)))
    ).people
    assert not person.active
    closed = await ask(practice.broker, ListPatients(visa=practice.staff, deactivated=True))
    assert [one.patient_id for one in closed.patients] == [rosa]
    assert closed.total == 1

    await closes(practice, rosa, "Again.")
    assert (await shown(practice, rosa)).deactivation_reason == WHY
    await reopens(practice, rosa)
    await reopens(practice, rosa)
    assert await changes(practice, rosa, 2) == [(False, 1), (True, 2)]
    now = await shown(practice, rosa)
    assert (now.active, now.deactivated_at, now.deactivation_reason) == (True, None, "")

    async def entries() -> list[tuple[Act, str]] | None:
        asked = ListActivity(visa=practice.patient(rosa), patient_id=rosa)
        try:
            log = (await ask(practice.broker, asked)).entries
        except Refused:  # that it is open was not heard yet
            return None
        about = (Act.DEACTIVATED_PATIENT, Act.REACTIVATED_PATIENT)
        return [(one.act, one.reason) for one in log if one.act in about]

    assert await until(entries) == [(Act.REACTIVATED_PATIENT, ""), (Act.DEACTIVATED_PATIENT, WHY)]


async def test_who_sends_by_machine_still_finds_a_record_that_is_closed(practice: Office) -> None:
    rosa = await practice.add_patient(mrn="L-2")
    await closes(practice, rosa)
    report = await practice.bring(message("3.1", mrn="L-2"), by="machine")
    (subject,) = report.subjects
    assert subject.patient_id == rosa
    assert subject.results_taken > 0


async def test_clinicians_and_administrators_close_records_of_their_own_practice(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    front_desk = practice.visa(Capacity.STAFF, role=Role.FRONT_DESK)
    strangers = (front_desk, practice.machine, practice.patient(rosa))
    for visa in strangers:
        for asked in (
            DeactivatePatient(visa=visa, patient_id=rosa, reason=WHY),
            ReactivatePatient(visa=visa, patient_id=rosa),
        ):
            with pytest.raises(Refused, match="not_allowed"):
                await ask(practice.broker, asked)
    elsewhere = practice.another().staff
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await ask(practice.broker, DeactivatePatient(visa=elsewhere, patient_id=rosa, reason=WHY))
    assert (await shown(practice, rosa)).active


async def test_identity_is_told_no_address_to_invite_while_a_record_is_closed(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    asked = DescribeContact(practice_id=practice.practice_id, patient_id=rosa)
    async with parts.asking(practice.servers, "identity") as identity:
        assert (await ask(identity, asked)).given == "Rosa"
        await closes(practice, rosa)
        with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
            await ask(identity, asked)
        await reopens(practice, rosa)
        assert await ask(identity, asked)


async def test_what_was_sent_of_a_closed_record_opens_nothing_until_it_is_open_again(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"Dear Rosa,")
    token = await sendings.sent(practice, rosa)
    assert (await sendings.unlocks(practice, token)).patient == "Rosa Alvarez"
    (one,) = await sendings.listed(practice, rosa)
    place = {"practice_id": practice.practice_id, "sending_id": one.sending_id}

    await closes(practice, rosa)
    ended = [event.sending_id for event in await until(lambda: endings(practice))]
    assert ended == [one.sending_id]
    locked = Unlock(token=token, password=sendings.PASSWORD)
    assert await sendings.refusal(practice, locked) == Refusal.SENDING_OVER
    async with parts.asking(practice.servers, "notifier") as notifier:
        with pytest.raises(Refused, match=Refusal.SENDING_OVER):
            await ask(notifier, DescribeSending(**place))
        with pytest.raises(Refused, match=Refusal.SENDING_OVER):
            await ask(notifier, DescribeSender(**place))
    await reopens(practice, rosa)
    assert (await sendings.unlocks(practice, token)).patient == "Rosa Alvarez"


async def endings(practice: Office) -> list[SendingEnded]:
    return await parts.stored(practice.servers, SendingEnded)
