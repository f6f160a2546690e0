"""The activity log: what stands in it, who sees it, and that nobody can change it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import nats
import pytest

from libs.contracts.activity import Act
from libs.contracts.base import Refused, Request
from libs.contracts.delegation import DelegationActed
from libs.contracts.identity.acts import IdentityActed
from libs.contracts.messaging.acts import MessagingActed
from libs.contracts.records.activity import ActivityPage, Entry, ListActivity, ReadActivity
from libs.contracts.records.documents import ListDocuments, Opening, ReadDocument, RenderDocument
from libs.contracts.records.health import AddResult, CorrectResult, ShowHealth, ShowTest
from libs.contracts.records.patients import CorrectEmail, InvitePatient, ShowPatient
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import Unavailable, ask
from libs.runtime.clock import utcnow
from services.records import activity
from services.records.store.activity import PAGE, PART
from tests.records import bundles, office
from tests.records.office import Office, together
from tests.servers import Servers
from tests.waiting import until

ANA = uuid4()


def delegate(practice: Office, rosa: UUID, limits: Any = tuple(Limit)) -> str:
    return practice.visa(
        Capacity.DELEGATE,
        patient_id=rosa,
        limits=frozenset(limits),
        account_id=ANA,
        actor_name="Ana Ruiz",
    )


async def log(practice: Office, rosa: UUID, **wanted: Any) -> ActivityPage:
    asked = ListActivity(visa=practice.patient(rosa), patient_id=rosa, **wanted)
    return await ask(practice.broker, asked)


async def acts(practice: Office, rosa: UUID) -> list[Act]:
    """What has happened, in the order in which it did."""
    return [entry.act for entry in reversed((await log(practice, rosa)).entries)]


async def bad(practice: Office, rosa: UUID) -> str:
    """What is wrong with the log, as somebody with the database in hand sees it."""
    admin = await asyncpg.connect(
        practice.servers.database_url("admin"), server_settings={"search_path": "records"}
    )
    try:
        return await activity.first_bad(admin, practice.practice_id, rosa)
    finally:
        await admin.close()


def typing(practice: Office, rosa: UUID, **said: Any) -> AddResult:
    given: dict[str, Any] = {
        "visa": practice.staff,
        "key": uuid4(),
        "patient_id": rosa,
        "test_name": "Albumin",
        "loinc": "1751-7",
        "value": "3.1",
        "unit": "g/dL",
        "collected_at": utcnow() - timedelta(days=1),
    }
    return AddResult(**given | said)


async def test_each_look_and_each_change_is_one_entry_that_says_who_and_as_whom(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    result = (await ask(practice.broker, typing(practice, rosa))).result_id
    letter = await practice.file(rosa, b"Dear Rosa", title="Biopsy")
    await ask(practice.broker, ShowHealth(visa=delegate(practice, rosa), patient_id=rosa))
    for _ in range(2):
        await ask(practice.broker, ShowHealth(visa=practice.patient(rosa), patient_id=rosa))
    shown = await ask(practice.broker, ShowHealth(visa=practice.staff, patient_id=rosa))
    (albumin,) = shown.tests or ()
    await ask(
        practice.broker,
        ShowTest(visa=practice.patient(rosa), patient_id=rosa, test_key=albumin.key),
    )
    await ask(practice.broker, ListDocuments(visa=practice.patient(rosa), patient_id=rosa))
    await practice.open(rosa, letter, visa=practice.patient(rosa))
    await practice.open(rosa, letter, visa=practice.patient(rosa), opening=Opening.DOWNLOAD)
    await practice.open(rosa, letter, visa=practice.patient(rosa), opening=None)
    await ask(practice.broker, ShowPatient(visa=practice.staff, patient_id=rosa))
    correction = CorrectResult(
        visa=practice.staff, key=uuid4(), patient_id=rosa, result_id=result, value="3.4"
    )
    for _ in range(2):
        await ask(practice.broker, correction)
    email = CorrectEmail(visa=practice.staff, key=uuid4(), patient_id=rosa, email="r@example.com")
    await ask(practice.broker, email)
    await ask(practice.broker, InvitePatient(visa=practice.staff, key=uuid4(), patient_id=rosa))
    entries = list(reversed((await log(practice, rosa)).entries))
    told = [(entry.act, entry.actor_name, entry.capacity, entry.what) for entry in entries]
    staff = ("Nora Lind", Capacity.STAFF)
    self_ = ("", Capacity.SELF)
    assert told == [
        (Act.ADDED_PATIENT, *staff, ""),
        (Act.ADDED_RESULT, *staff, "Albumin"),
        (Act.ADDED_DOCUMENT, *staff, "Biopsy"),
        (Act.SAW_HEALTH, "Ana Ruiz", Capacity.DELEGATE, ""),
        (Act.SAW_HEALTH, *self_, ""),
        (Act.SAW_HEALTH, *self_, ""),
        (Act.SAW_HEALTH, *staff, ""),
        (Act.SAW_TEST, *self_, "Albumin"),
        (Act.SAW_DOCUMENTS, *self_, ""),
        (Act.SAW_DOCUMENT, *self_, "Biopsy"),
        (Act.DOWNLOADED_DOCUMENT, *self_, "Biopsy"),
        (Act.SAW_PATIENT, *staff, ""),
        (Act.CORRECTED_RESULT, *staff, "Albumin"),
        (Act.CHANGED_EMAIL, *staff, ""),
        (Act.INVITED_PATIENT, *staff, ""),
    ]
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert await bad(practice, rosa) == ""


async def test_what_was_refused_or_shows_nothing_is_no_look(practice: Office) -> None:
    rosa, tom = await practice.add_patient(), await practice.add_patient("Tom", mrn="2")
    before = await acts(practice, rosa)
    strangers = practice.another()
    for visa in (practice.patient(tom), strangers.staff, practice.machine, ""):
        with pytest.raises(Refused):
            await ask(practice.broker, ShowHealth(visa=visa, patient_id=rosa))
    with pytest.raises(Refused, match=Refusal.UNKNOWN_TEST):
        await ask(
            practice.broker,
            ShowTest(visa=practice.patient(rosa), patient_id=rosa, test_key="none"),
        )
    with_messages = delegate(practice, rosa, [Limit.MESSAGES])
    await ask(practice.broker, ShowHealth(visa=with_messages, patient_id=rosa))
    assert await acts(practice, rosa) == before


async def test_content_is_handed_out_only_once_its_opening_stands_in_the_log(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, b"Dear Rosa")
    about = {"patient_id": rosa, "document_id": letter}
    await practice.open(rosa, letter)  # by staff, which lets nobody else read on
    contents: tuple[Request[Any], ...] = (
        ReadDocument(visa=delegate(practice, rosa), number=0, **about),
        RenderDocument(visa=delegate(practice, rosa), **about),
    )
    for asked in contents:
        with pytest.raises(Refused, match=Refusal.NOT_OPENED):
            await ask(practice.broker, asked)
    await practice.open(rosa, letter, visa=delegate(practice, rosa))
    chunk = await ask(
        practice.broker, ReadDocument(visa=delegate(practice, rosa), number=0, **about)
    )
    assert chunk.data == b"Dear Rosa"


async def test_the_parts_of_one_download_are_one_entry_and_the_next_is_another(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, b"Dear Rosa")
    how: dict[str, Any] = {"opening": Opening.DOWNLOAD}
    for goes_on in (True, True, True, False, True):
        visa = practice.patient(rosa)
        await practice.open(rosa, letter, visa=visa, goes_on=goes_on, **how)
    await practice.open(rosa, letter, visa=delegate(practice, rosa), goes_on=True, **how)
    told = [entry for entry in (await log(practice, rosa)).entries if entry.subject == str(letter)]
    downloads = [entry for entry in told if entry.act is Act.DOWNLOADED_DOCUMENT]
    assert [entry.capacity for entry in downloads] == [
        Capacity.DELEGATE,
        Capacity.SELF,
        Capacity.SELF,
    ]


async def test_only_the_patient_sees_the_log(practice: Office) -> None:
    rosa, tom = await practice.add_patient(), await practice.add_patient("Tom", mrn="2")
    for visa in (
        delegate(practice, rosa),
        practice.staff,
        practice.machine,
        practice.operator,
        practice.patient(tom),
        "",
    ):
        refused: tuple[Request[Any], ...] = (
            ListActivity(visa=visa, patient_id=rosa),
            ReadActivity(visa=visa, patient_id=rosa, number=0),
        )
        for asked in refused:
            with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
                await ask(practice.broker, asked)
    elsewhere = ListActivity(visa=practice.another().patient(rosa), patient_id=rosa)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await ask(practice.broker, elsewhere)


async def test_the_log_is_found_by_person_kind_and_time_page_by_page(practice: Office) -> None:
    rosa = await practice.add_patient()
    for _ in range(PAGE):
        await ask(practice.broker, ShowHealth(visa=practice.patient(rosa), patient_id=rosa))
    began = utcnow()
    await ask(practice.broker, ShowHealth(visa=delegate(practice, rosa), patient_id=rosa))
    await ask(practice.broker, ListDocuments(visa=delegate(practice, rosa), patient_id=rosa))
    first = await log(practice, rosa)
    second = await log(practice, rosa, after=first.after)
    numbers = [entry.number for entry in (*first.entries, *second.entries)]
    assert numbers == list(range(PAGE + 3, 0, -1))
    assert second.after == 0
    assert [actor.actor_id for actor in first.actors] == [practice.account_id, ANA]

    async def found(**wanted: Any) -> list[int]:
        return [entry.number for entry in (await log(practice, rosa, **wanted)).entries]

    assert await found(actor_id=ANA) == [PAGE + 3, PAGE + 2]
    assert await found(actor_id=ANA, acts={Act.SAW_HEALTH}) == [PAGE + 2]
    assert await found(acts={Act.ADDED_PATIENT, Act.SAW_DOCUMENTS}) == [PAGE + 3, 1]
    assert await found(start=began) == [PAGE + 3, PAGE + 2]
    assert PAGE + 2 not in await found(end=began)
    assert await found(actor_id=uuid4()) == []


async def test_a_download_has_every_entry_and_how_the_log_ends(practice: Office) -> None:
    rosa = await practice.add_patient()
    happened = [ShowHealth(visa=practice.patient(rosa), patient_id=rosa)] * 3
    for asked in happened:
        await ask(practice.broker, asked)
    whole: list[Entry] = []
    number = 0
    while True:
        asked_for = ReadActivity(visa=practice.patient(rosa), patient_id=rosa, number=number)
        part = await ask(practice.broker, asked_for)
        if not part.entries:
            break
        whole += part.entries
        number = part.entries[-1].number
    assert [entry.number for entry in whole] == [1, 2, 3, 4]
    assert (part.last_number, part.last_hash) == (4, whole[-1].hash)
    assert all(later.previous == one.hash for one, later in pairwise(whole))
    assert len(whole) <= PART


async def test_many_who_act_at_once_make_one_chain(practice: Office) -> None:
    rosa = await practice.add_patient()
    looks = [
        ask(practice.broker, ShowHealth(visa=visa, patient_id=rosa), within=20)
        for visa in [practice.patient(rosa), practice.staff, delegate(practice, rosa)] * 15
    ]
    assert not [said for said in await together(*looks) if isinstance(said, Exception)]
    assert await bad(practice, rosa) == ""
    assert len((await log(practice, rosa)).entries) == 46


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity SET actor_name = 'Nobody'",
        "DELETE FROM activity",
        "TRUNCATE activity",
        "DELETE FROM activity_head",
        "ALTER TABLE activity DISABLE ROW LEVEL SECURITY",
        "DROP TABLE activity",
    ],
)
async def test_the_service_itself_can_change_nothing_in_the_log(
    practice: Office, statement: str
) -> None:
    await practice.add_patient()
    service = await asyncpg.connect(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    )
    try:
        await service.execute(
            "SELECT set_config('app.practice', $1, false)", str(practice.practice_id)
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement)
    finally:
        await service.close()


async def test_an_act_that_can_not_be_entered_does_not_happen(practice: Office) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(rosa, b"Dear Rosa")
    await practice.sql("REVOKE INSERT ON activity FROM records")
    try:
        deeds: tuple[Request[Any], ...] = (
            typing(practice, rosa),
            ShowHealth(visa=practice.patient(rosa), patient_id=rosa),
            ListDocuments(visa=practice.patient(rosa), patient_id=rosa),
        )
        for asked in deeds:
            with pytest.raises(Unavailable):
                await ask(practice.broker, asked)
        with pytest.raises(Unavailable):
            await practice.open(rosa, letter)
    finally:
        await practice.sql("GRANT INSERT ON activity TO records")
    assert await practice.sql("SELECT * FROM result WHERE patient_id = $1", rosa) == []
    assert await acts(practice, rosa) == [Act.ADDED_PATIENT, Act.ADDED_DOCUMENT]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE activity SET actor_name = 'Nobody' WHERE number = 2", "entry 2 is not as it was"),
        ("DELETE FROM activity WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM activity WHERE number = 4", "entry 4 is missing"),
        ("DELETE FROM activity", "entry 1 is missing"),
        ("DELETE FROM activity_head", "entry 1 was added after the end"),
        ("UPDATE activity SET number = 10 - number WHERE number IN (2, 3)", "entry 2 is missing"),
    ],
)
async def test_whoever_changes_the_tables_is_found_out(
    practice: Office, tampering: str, found: str
) -> None:
    rosa = await practice.add_patient()
    for _ in range(3):
        await ask(practice.broker, ShowHealth(visa=practice.patient(rosa), patient_id=rosa))
    assert await bad(practice, rosa) == ""
    await practice.sql(tampering)
    assert (await bad(practice, rosa)).startswith(found)


async def test_what_came_by_machine_is_one_entry_for_each_file_that_brought_something(
    practice: Office,
) -> None:
    rosa = await practice.add_patient(mrn="R-1")
    brought = bundles.bundle(bundles.patient(), *(bundles.result(f"o{n}") for n in range(30)))
    report = await practice.bring(brought, by="machine", patient_id=rosa)
    await practice.bring(brought, by="machine", patient_id=rosa)
    entries = [entry for entry in (await log(practice, rosa)).entries if entry.act is Act.IMPORTED]
    assert [(one.capacity, one.subject) for one in entries] == [
        (Capacity.MACHINE, str(report.import_id))
    ]


async def test_a_preview_is_no_entry_and_what_staff_import_is_theirs(practice: Office) -> None:
    rosa = await practice.add_patient(mrn="R-1")
    brought = bundles.bundle(bundles.patient(), bundles.result("o1"))
    await practice.bring(brought, patient_id=rosa, preview=True)
    assert Act.IMPORTED not in await acts(practice, rosa)
    await practice.bring(brought, patient_id=rosa)
    newest = (await log(practice, rosa)).entries[0]
    assert (newest.act, newest.actor_name) == (Act.IMPORTED, "Nora Lind")


@pytest.mark.parametrize(
    ("event", "act"),
    [
        (IdentityActed, Act.INVITED_PERSON),
        (MessagingActed, Act.WROTE_MESSAGE),
        (DelegationActed, Act.REVOKED_ACCESS),
    ],
)
async def test_what_others_announce_is_entered_once_with_the_name_that_identity_knows(
    clean: Servers, event: Any, act: Act
) -> None:
    async with office.opened(clean, with_identity=True) as practice:
        rosa = await practice.add_patient()
        account_id = await _account(practice, "Ana Ruiz")
        told = event(
            practice_id=practice.practice_id,
            patient_id=rosa,
            account_id=account_id,
            capacity=Capacity.DELEGATE,
            act=act,
            reference_id=uuid4(),
            at=utcnow(),
        )
        later = told.model_copy(update={"id": uuid4(), "act": Act.SAW_MESSAGE})
        for one in (told, told, told, later):
            await _announce(clean, one)
        await until(lambda: _newest_is(practice, rosa, Act.SAW_MESSAGE))
        _, entry, before = (await log(practice, rosa)).entries
        assert (entry.act, entry.actor_name, entry.at) == (act, "Ana Ruiz", told.at)
        assert entry.subject == str(told.reference_id)
        assert before.act is Act.ADDED_PATIENT
        assert await bad(practice, rosa) == ""


async def _newest_is(practice: Office, rosa: UUID, act: Act) -> bool:
    return (await log(practice, rosa)).entries[0].act is act


async def _account(practice: Office, name: str) -> UUID:
    """Somebody with an account, as identity's table has them."""
    account_id = uuid4()
    await practice.sql(
        """
        INSERT INTO identity.account (id, email, name, date_of_birth, password_hash,
                                      password_set_at, terms_version, terms_at, created_at)
        VALUES ($1, $2, $3, '1988-09-30', 'x', now(), '1', now(), now())
        """,
        account_id,
        f"{account_id}@example.com",
        name,
    )
    return account_id


async def _announce(servers: Servers, event: Any) -> None:
    """As the service's relay would, and if it comes to that, as often."""
    service = event.subject.split(".")[1]
    client = await nats.connect(
        servers.nats_url,
        nkeys_seed=servers.credentials(service),
        inbox_prefix=f"_INBOX_{service}".encode(),
    )
    try:
        body = event.model_dump_json().encode()
        await client.jetstream().publish(event.subject, body, stream=service)
    finally:
        await client.close()
