"""A practice's list of patients: who is put on it, found on it, and invited."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any
from unicodedata import category
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationChanged, InvitationState
from libs.contracts.records.patients import (
    AddPatient,
    CorrectEmail,
    DescribeContact,
    ImportPatients,
    InvitationWanted,
    InvitePatient,
    LinesRead,
    ListPatients,
    NamePatients,
    PatientList,
    ShowPatient,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Role
from libs.runtime import outbox
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.records.domain import patient as rules
from tests import parts
from tests.corpus import CORPUS, needs_corpus
from tests.records.office import BORN, Office, together
from tests.waiting import until


def adding(practice: Office, **said: Any) -> AddPatient:
    given: dict[str, Any] = {
        "visa": practice.staff,
        "key": uuid4(),
        "given": "Rosa",
        "family": "Alvarez",
        "birth_date": BORN,
        "email": "rosa.alvarez@example.com",
    }
    return AddPatient(**given | said)


async def add(practice: Office, **said: Any) -> UUID:
    return (await ask(practice.broker, adding(practice, **said))).patient_id


async def listed(practice: Office, **wanted: Any) -> PatientList:
    return await ask(practice.broker, ListPatients(visa=practice.staff, **wanted))


async def names(practice: Office, **wanted: Any) -> list[str]:
    return [f"{one.given} {one.family}" for one in (await listed(practice, **wanted)).patients]


async def wanted(practice: Office) -> list[InvitationWanted]:
    return [
        one
        for one in await parts.stored(practice.servers, InvitationWanted)
        if one.practice_id == practice.practice_id
    ]


async def bring(practice: Office, text: str | bytes, **how: Any) -> LinesRead:
    content = text.encode() if isinstance(text, str) else text
    asked = ImportPatients(visa=practice.staff, content=content, **how)
    return await ask(practice.broker, asked, within=10)


async def test_a_new_patient_is_on_the_list_and_is_invited_once(practice: Office) -> None:
    asked = adding(practice, mrn="A-1")
    added = await ask(practice.broker, asked)
    again = await ask(practice.broker, asked.model_copy(update={"visa": practice.staff}))
    assert again == added
    shown = await ask(
        practice.broker, ShowPatient(visa=practice.staff, patient_id=added.patient_id)
    )
    assert (shown.given, shown.family, shown.birth_date, shown.email, shown.mrn) == (
        "Rosa", "Alvarez", BORN, "rosa.alvarez@example.com", "A-1",
    )  # fmt: skip
    assert shown.state is InvitationState.INVITED
    (event,) = await until(lambda: wanted(practice))
    assert (event.patient_id, event.version) == (added.patient_id, 1)


async def test_twenty_forms_at_once_add_one_patient(practice: Office) -> None:
    key = uuid4()
    added = await together(
        *(ask(practice.broker, adding(practice, key=key), within=10) for _ in range(20))
    )
    assert len({one.patient_id for one in added}) == 1
    assert (await listed(practice)).total == 1


async def test_two_desks_that_add_the_same_person_at_once_add_one(practice: Office) -> None:
    added = await together(*(ask(practice.broker, adding(practice), within=10) for _ in range(8)))
    refused = [one.code for one in added if isinstance(one, Refused)]
    assert refused == [Refusal.PERHAPS_THERE_ALREADY] * 7


async def test_somebody_of_the_same_name_and_birth_date_is_added_only_if_staff_say_so(
    practice: Office,
) -> None:
    await add(practice)
    same = {"given": "RÓSA", "family": "álvarez ", "email": ""}
    with pytest.raises(Refused, match=Refusal.PERHAPS_THERE_ALREADY):
        await add(practice, **same)
    await add(practice, **same, even_so=True)
    assert (await listed(practice)).total == 2


async def test_a_record_number_is_one_patients_within_a_practice(practice: Office) -> None:
    await add(practice, mrn="A-1")
    with pytest.raises(Refused, match=Refusal.MRN_TAKEN):
        await add(practice, given="Ana", mrn="A-1", even_so=True)
    await add(practice.another(), mrn="A-1")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"given": " "}, Refusal.NAME_MISSING),
        ({"family": ""}, Refusal.NAME_MISSING),
        ({"given": "Ro\0sa"}, Refusal.NAME_NOT_USABLE),
        ({"given": "Ro\nsa"}, Refusal.NAME_NOT_USABLE),
        ({"family": "A" * 201}, Refusal.NAME_NOT_USABLE),
        ({"birth_date": date(1879, 12, 31)}, Refusal.BIRTH_DATE_IMPOSSIBLE),
        ({"birth_date": utcnow().date() + timedelta(days=2)}, Refusal.BIRTH_DATE_IMPOSSIBLE),
        ({"email": "rosa"}, Refusal.EMAIL_NOT_USABLE),
        ({"email": "rosa@example.com, eve@example.com"}, Refusal.EMAIL_NOT_USABLE),
        ({"email": "rosa@example.com\r\nBcc: eve@example.com"}, Refusal.EMAIL_NOT_USABLE),
        ({"mrn": "1" * 65}, Refusal.MRN_NOT_USABLE),
        ({"mrn": "1\x07"}, Refusal.MRN_NOT_USABLE),
    ],
)
async def test_what_nobody_can_have_is_refused_with_the_reason(
    practice: Office, said: dict[str, Any], why: Refusal
) -> None:
    with pytest.raises(Refused, match=f"^{why}$"):
        await add(practice, **said)
    assert (await listed(practice)).total == 0


@needs_corpus
async def test_every_naughty_string_is_a_name_as_it_is_or_is_refused(practice: Office) -> None:
    strings: list[str] = json.loads(
        (CORPUS / "misc/big-list-of-naughty-strings__blns.json").read_text("utf-8")
    )
    patients: dict[UUID, str] = {}
    for naughty in strings:
        (added,) = await together(practice.add_patient(given="Rosa", family=naughty))
        if isinstance(added, Refused):
            assert added.code in (Refusal.NAME_MISSING, Refusal.NAME_NOT_USABLE)
            is_seen = any(category(one)[0] not in "CZ" for one in naughty)
            is_refusable = not is_seen or len(naughty) > 200
            assert is_refusable or not rules.is_plain(naughty.strip())
        else:
            patients[added] = naughty
    assert len(patients) > 400
    shown: dict[UUID, str] = {}
    after = ""
    while True:
        page = await listed(practice, after=after)
        shown |= {one.patient_id: one.family for one in page.patients}
        after = page.after
        if not after:
            break
    assert shown == {one: rules.name(naughty) for one, naughty in patients.items()}
    for naughty in strings:
        await listed(practice, q=naughty, after=naughty)


async def test_patients_are_found_by_any_part_of_name_address_or_number(practice: Office) -> None:
    await add(practice, given="José", family="Núñez", email="jose@example.com", mrn="A_1")
    await add(practice, given="Zoë", family="Åström", email="", mrn="A-1")
    await add(practice, given="Ming", family="李", email="ming@example.org", mrn="")
    assert await names(practice, q="nunez") == ["José Núñez"]
    assert await names(practice, q="JOSÉ nuñ") == ["José Núñez"]
    assert await names(practice, q="astrom") == ["Zoë Åström"]
    assert await names(practice, q="李") == ["Ming 李"]
    assert await names(practice, q="example.org") == ["Ming 李"]
    assert await names(practice, q="a_1") == ["José Núñez"]
    assert await names(practice, q="%") == []
    assert await names(practice, q="\0jose\0") == ["José Núñez"]
    assert await names(practice, birth_date=BORN, q="zoe") == ["Zoë Åström"]
    assert await names(practice, birth_date=date(2000, 1, 1)) == []


async def test_a_long_list_comes_in_pages_that_miss_and_repeat_nobody(practice: Office) -> None:
    lines = "".join(f"Ana,Ruiz {at % 60},1980-01-{at % 28 + 1:02d}\n" for at in range(120))
    read = await bring(practice, "given,family,born\n" + lines, invite=False)
    seen: list[str] = []
    after = ""
    while True:
        page = await listed(practice, after=after)
        seen += [str(one.patient_id) for one in page.patients]
        after = page.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == page.total == read.added == 120
    for odd in ("[]", "{}", '["a"]', '["\\u0000", "b", "c"]', "\\", '["a", "b", 1]'):
        assert len((await listed(practice, after=odd)).patients) == 50


async def test_another_practice_sees_and_changes_nobody(practice: Office) -> None:
    rosa = await add(practice)
    other = practice.another()
    assert (await listed(other)).total == 0
    mine: dict[str, Any] = {"visa": other.staff, "patient_id": rosa}
    for refused in await together(
        ask(practice.broker, ShowPatient(**mine)),
        ask(practice.broker, InvitePatient(key=uuid4(), **mine)),
        ask(practice.broker, CorrectEmail(key=uuid4(), email="eve@example.com", **mine)),
    ):
        assert isinstance(refused, Refused)
        assert refused.code == Refusal.UNKNOWN_PATIENT


async def test_only_staff_see_the_list_and_a_machine_may_only_add_to_it(practice: Office) -> None:
    rosa = await add(practice)
    for visa in (practice.patient(rosa), practice.machine, "nonsense"):
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await ask(practice.broker, ListPatients(visa=visa))
    await add(practice, visa=practice.operator, given="Ana")
    desk = practice.visa(Capacity.STAFF, role=Role.FRONT_DESK)
    assert (await ask(practice.broker, ListPatients(visa=desk))).total == 2


async def test_a_corrected_address_is_invited_anew_until_the_patient_has_registered(
    practice: Office,
) -> None:
    rosa = await add(practice)
    key = uuid4()
    for _ in range(3):
        asked = CorrectEmail(
            visa=practice.staff, key=key, patient_id=rosa, email="Rosa@Example.ORG"
        )
        await ask(practice.broker, asked)
    assert (await listed(practice, q="rosa@example.org")).patients[0].email == "rosa@example.org"
    assert (await names(practice, q="rosa.alvarez@")) == []
    await until(lambda: _count(practice, 2))
    await identity_says(practice, rosa, InvitationState.REGISTERED, version=3)
    await until(lambda: _is(practice, rosa, InvitationState.REGISTERED))
    asked = CorrectEmail(visa=practice.staff, key=uuid4(), patient_id=rosa, email="r@example.org")
    await ask(practice.broker, asked)
    assert [one.version for one in await wanted(practice)] == [1, 2]


async def test_a_patient_without_an_address_is_invited_once_there_is_one(practice: Office) -> None:
    rosa = await add(practice, email="")
    with pytest.raises(Refused, match=Refusal.EMAIL_MISSING):
        await ask(practice.broker, InvitePatient(visa=practice.staff, key=uuid4(), patient_id=rosa))
    ana = await add(practice, given="Ana", invite=False)
    assert await wanted(practice) == []
    await ask(practice.broker, InvitePatient(visa=practice.staff, key=uuid4(), patient_id=ana))
    (event,) = await until(lambda: wanted(practice))
    assert event.patient_id == ana
    async with parts.asking(practice.servers, "identity") as identity:
        contact = await ask(
            identity, DescribeContact(practice_id=practice.practice_id, patient_id=ana)
        )
    assert (contact.given, contact.email) == ("Ana", "rosa.alvarez@example.com")


async def test_the_state_of_an_invitation_follows_identity_in_the_order_of_its_changes(
    practice: Office,
) -> None:
    rosa = await add(practice)
    expires = utcnow() + timedelta(days=4)
    await identity_says(practice, rosa, InvitationState.BOUNCED, version=3, expires_at=expires)
    await until(lambda: _is(practice, rosa, InvitationState.BOUNCED))
    await identity_says(practice, rosa, InvitationState.DELIVERED, version=2)
    ana = await add(practice, given="Ana", even_so=True)
    await identity_says(practice, ana, InvitationState.INVITED, version=1)
    await until(lambda: _is(practice, ana, InvitationState.INVITED))
    page = await listed(practice, attention=True)
    assert [one.patient_id for one in page.patients] == [rosa]
    assert page.patients[0].invitation_expires_at == expires
    assert (page.total, page.registered, page.waiting, page.attention) == (2, 0, 1, 1)
    assert await names(practice, state=InvitationState.INVITED) == ["Ana Alvarez"]


async def test_a_list_is_previewed_then_added_and_the_same_list_again_adds_nobody(
    practice: Office,
) -> None:
    await add(practice, mrn="A-1")
    text = (
        "MRN;Last Name;First Name;Date of Birth;E-mail\n"
        "A-1;Alvarez;Rosa;1961-04-12;rosa@example.com\n"
        "A-2;Ruiz;Ana;9/30/1988;ana@example.com\n"
        "A-2;Ruiz;Eva;30.9.1988;\n"
        ";Ruiz;Ana;1988-09-30;\n"
        "A-3;Lee;Sam;4/5/1961;\n"
        "A-4;Lee;;1961-04-05;\n"
        "A-5;Lee;Pat;1961-02-30;\n"
        "A-6;Lee;Kim;1961-04-05;nobody\n"
    )
    outcomes = [
        "unchanged", "added", Refusal.MRN_TAKEN, "unchanged", Refusal.BIRTH_DATE_AMBIGUOUS,
        Refusal.NAME_MISSING, Refusal.BIRTH_DATE_IMPOSSIBLE, Refusal.EMAIL_NOT_USABLE,
    ]  # fmt: skip
    preview = await bring(practice, text, preview=True)
    assert [line.outcome for line in preview.lines] == outcomes
    assert (await listed(practice)).total == 1
    read = await bring(practice, text)
    assert [line.outcome for line in read.lines] == outcomes
    assert (read.added, read.unchanged, read.refused) == (1, 2, 5)
    assert [line.number for line in read.lines] == list(range(2, 10))
    again = await bring(practice, text)
    assert (again.added, again.unchanged, again.refused) == (0, 3, 5)
    await until(lambda: _count(practice, 2))


async def test_five_thousand_lines_are_added_and_invited_in_one_go(practice: Office) -> None:
    lines = "".join(f"Ana {at},Ruiz,1980-01-01,ana{at}@example.com,M{at}\n" for at in range(5000))
    head = "given,family,born,email,mrn\n"
    read = await bring(practice, head + lines)
    assert read.added == (await listed(practice)).total == 5000
    with pytest.raises(Refused, match=Refusal.TOO_LARGE):
        await bring(practice, head + lines + "One,More,1980-01-01,,\n")
    outcomes = await asyncio.gather(*(bring(practice, head + lines) for _ in range(2)))
    assert [one.unchanged for one in outcomes] == [5000, 5000]
    waiting = await practice.sql("SELECT count(*) FROM patient WHERE wanted = 1")
    assert waiting[0][0] == 5000


async def test_patients_are_named_to_staff_and_only_their_own_name_to_patients(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    bill = await practice.add_patient("Bill", "Bones")
    both = (rosa, bill)
    named = await ask(practice.broker, NamePatients(visa=practice.staff, patient_ids=both))
    assert {person.given for person in named.people} == {"Rosa", "Bill"}
    own = NamePatients(visa=practice.patient(rosa), patient_ids=(rosa,))
    assert [person.patient_id for person in (await ask(practice.broker, own)).people] == [rosa]
    for visa, wanted_ids in (
        (practice.patient(rosa), both),
        (practice.patient(rosa), (bill,)),
        (practice.machine, both),
    ):
        with pytest.raises(Refused, match="not_allowed"):
            await ask(practice.broker, NamePatients(visa=visa, patient_ids=wanted_ids))
    elsewhere = NamePatients(visa=practice.another().staff, patient_ids=both)
    assert (await ask(practice.broker, elsewhere)).people == ()


async def identity_says(
    practice: Office, patient_id: UUID, state: InvitationState, *, version: int, **more: Any
) -> None:
    """As identity would: in its own outbox, carried by a relay of its own."""
    import asyncpg

    db = await asyncpg.connect(
        practice.servers.database_url("identity"), server_settings={"search_path": "identity"}
    )
    event = InvitationChanged(
        practice_id=practice.practice_id,
        patient_id=patient_id,
        state=state,
        version=version,
        **more,
    )
    await outbox.announce(db, event)
    async with parts.running(parts.relay(practice.servers, "identity")):
        await until(lambda: db.fetchval("SELECT NOT EXISTS (SELECT FROM outbox)"))
    await db.close()


async def _is(practice: Office, patient_id: UUID, state: InvitationState) -> bool:
    asked = ShowPatient(visa=practice.staff, patient_id=patient_id)
    return (await ask(practice.broker, asked)).state is state


async def _count(practice: Office, number: int) -> bool:
    return len(await wanted(practice)) == number
