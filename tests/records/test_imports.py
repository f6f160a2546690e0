"""Files from laboratories: read once, filed to whom they are certain to belong, and reported."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.records.health import Health, ShowHealth
from libs.contracts.records.imports import Import, ImportState, ListImports, SettleImport, Subject
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import ask
from tests.records.bundles import bundle, message, note, patient, result
from tests.records.office import Office, together

ROSA = patient()


async def health(practice: Office, rosa: UUID) -> Health:
    return await ask(practice.broker, ShowHealth(visa=practice.staff, patient_id=rosa))


async def values(practice: Office, rosa: UUID) -> list[str]:
    tests = (await health(practice, rosa)).tests or ()
    return sorted(one.value for test in tests for one in test.history)


async def settle(practice: Office, brought: Import, number: int | None, **said: Any) -> None:
    asked = SettleImport(
        visa=practice.staff,
        key=said.pop("key", None) or uuid4(),
        import_id=brought.import_id,
        number=number,
        **said,
    )
    await ask(practice.broker, asked, within=20)


def only(brought: Import) -> Subject:
    (subject,) = brought.subjects
    return subject


async def test_what_belongs_to_a_patient_for_certain_is_filed_and_reported(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    brought = await practice.bring(
        bundle(ROSA, result("a"), result("b", "3.4"), {"resourceType": "Claim", "id": "c"}),
        file_name="labs.json",
    )
    subject = only(brought)
    assert (brought.state, brought.format, brought.problem) == (ImportState.DONE, "fhir", "")
    assert (brought.source, brought.file_name) == ("staff", "labs.json")
    assert (subject.name, subject.birth_date) == ("Rosa Alvarez", date(1961, 4, 12))
    assert (subject.patient_id, subject.settled, subject.why_waiting) == (rosa, "matched", "")
    assert (subject.results_found, subject.results_taken, subject.results_unchanged) == (2, 2, 0)
    (left_out,) = brought.left_out
    assert (left_out.reason, left_out.count) == ("not_supported", 1)
    assert await values(practice, rosa) == ["3.1", "3.4"]


async def test_the_same_file_again_is_the_same_import_and_the_same_in_another_file_is_unchanged(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    file = bundle(ROSA, result("a"), note("n"))
    first = await practice.bring(file)
    again = await practice.bring(file)
    other = await practice.bring(bundle(ROSA, result("a"), note("n"), of=2))
    assert again == first
    assert other.import_id != first.import_id
    subject = only(other)
    assert (subject.results_taken, subject.results_unchanged) == (0, 1)
    assert (subject.documents_taken, subject.documents_unchanged) == (0, 1)
    assert await values(practice, rosa) == ["3.1"]
    assert (await practice.documents(rosa)).total == 1


async def test_twenty_at_once_of_the_same_file_are_one_import(practice: Office) -> None:
    rosa = await practice.add_patient()
    ids = await asyncio.gather(
        *(practice.start_import(bundle(ROSA, result("a"))) for _ in range(20))
    )
    assert len(set(ids)) == 1
    await practice.report(ids[0])
    assert await values(practice, rosa) == ["3.1"]


async def test_a_correction_is_counted_as_one(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.bring(bundle(ROSA, result("a", "3.1")))
    brought = await practice.bring(bundle(ROSA, result("a", "3.4", status="corrected")))
    assert only(brought).results_corrected == 1
    assert await values(practice, rosa) == ["3.4"]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (bundle(ROSA, result("a")), "fhir"),
        (bundle(ROSA, result("a")) + b"\n" + bundle(ROSA, result("b")), "fhir_ndjson"),
        (message("3.1"), "hl7v2"),
    ],
)
async def test_each_format_is_recognised(practice: Office, file: bytes, kind: str) -> None:
    await practice.add_patient()
    brought = await practice.bring(file, by="machine")
    assert (brought.format, brought.source, brought.state) == (kind, "machine", "done")


@pytest.mark.parametrize(
    ("file", "declared", "said"),
    [
        (b"hello", "", "neither FHIR JSON"),
        (b'{"resourceType": "Bundle", "entry": [', "", ""),
        (b"%PDF-1.7", "", "It is a PDF"),
        (message("3.1"), "application/fhir+json", "looks like HL7 v2"),
        (b"<ClinicalDocument xmlns='urn:hl7-org:v3'><a>", "", "cut off"),
    ],
)
async def test_a_file_that_cannot_be_read_waits_with_a_sentence_and_can_be_discarded(
    practice: Office, file: bytes, declared: str, said: str
) -> None:
    brought = await practice.bring(file, declared_type=declared)
    assert (brought.state, brought.subjects) == (ImportState.WAITING, ())
    assert said in brought.problem
    assert brought.problem.endswith(".")
    assert await practice.original(brought.import_id) == file
    await settle(practice, brought, None, discard_reason="Sent to the wrong place")
    assert (await practice.show(brought.import_id)).state is ImportState.DISCARDED
    with pytest.raises(Refused, match=Refusal.SETTLED_ALREADY):
        await settle(practice, brought, None, discard_reason="Once more")
    anew = await practice.bring(file, declared_type=declared)
    assert anew.import_id != brought.import_id


async def test_an_empty_file_is_no_import(practice: Office) -> None:
    with pytest.raises(Refused, match=Refusal.EMPTY):
        await practice.start_import(b"")


async def test_somebody_unknown_waits_and_is_filed_when_a_person_says_who_it_is(
    practice: Office,
) -> None:
    rosa = await practice.add_patient("Rosa", "Meyer")
    brought = await practice.bring(bundle(ROSA, result("a"), note("n")))
    subject = only(brought)
    assert (brought.state, subject.why_waiting) == (ImportState.WAITING, "no_match")
    assert (subject.results_found, subject.documents_found) == (1, 1)
    assert [one.patient_id for one in subject.candidates] == [rosa]
    assert (await health(practice, rosa)).tests == ()
    await settle(practice, brought, subject.number, patient_id=rosa)
    settled = await practice.report(brought.import_id)
    subject = only(settled)
    assert (settled.state, subject.settled) == (ImportState.DONE, "assigned")
    assert (subject.results_taken, subject.documents_taken, subject.candidates) == (1, 1, ())
    assert await values(practice, rosa) == ["3.1"]
    assert (await practice.documents(rosa)).total == 1


async def test_two_who_may_be_meant_wait_with_both_named(practice: Office) -> None:
    several = {
        await practice.add_patient("Rosa", mrn="1"),
        await practice.add_patient("Rosa", mrn="2"),
    }
    brought = await practice.bring(bundle(ROSA, result("a")))
    subject = only(brought)
    assert subject.why_waiting == "several_match"
    assert {one.patient_id for one in subject.candidates} == several


async def test_a_result_about_nobody_waits_too(practice: Office) -> None:
    rosa = await practice.add_patient()
    brought = await practice.bring(bundle(result("a", of="somewhere-else")))
    assert only(brought).why_waiting == "not_enough_to_match"
    await settle(practice, brought, only(brought).number, patient_id=rosa)
    assert (await practice.report(brought.import_id)).state is ImportState.DONE
    assert await values(practice, rosa) == ["3.1"]


async def test_each_of_several_patients_gets_their_own_and_only_the_unknown_waits(
    practice: Office,
) -> None:
    rosa = await practice.add_patient(mrn="M-1")
    ana = await practice.add_patient("Ana", "Ruiz", date(1988, 9, 30), mrn="M-2")
    file = (
        message("3.1", "3.2")
        + message("4.5", mrn="M-2", name="RUIZ^ANA", born="19880930", sent=2)
        + message("1.0", mrn="M-3", name="BRANDT^KARL", born="19500101", sent=3)
    )
    brought = await practice.bring(file, by="machine")
    assert brought.state is ImportState.WAITING
    assert await values(practice, rosa) == ["3.1", "3.2"]
    assert await values(practice, ana) == ["4.5"]
    waiting, *known = brought.subjects
    assert (waiting.name, waiting.results_found) == ("KARL BRANDT", 1)
    assert {one.patient_id for one in known} == {rosa, ana}
    await settle(practice, brought, waiting.number, discard_reason="Not our patient")
    shown = await practice.show(brought.import_id)
    assert (shown.state, shown.subjects[-1].settled) == (ImportState.DONE, "discarded")


async def test_a_file_that_contradicts_itself_about_somebody_files_nothing_of_them(
    practice: Office,
) -> None:
    rosa = await practice.add_patient(mrn="M-1")
    file = message("3.1") + message("9.9", name="BRANDT^KARL", born="19500101", sent=2)
    brought = await practice.bring(file)
    assert (only(brought).why_waiting, only(brought).results_found) == ("no_match", 2)
    assert await values(practice, rosa) == []


async def test_a_file_about_a_chosen_patient_must_be_about_them(practice: Office) -> None:
    rosa = await practice.add_patient()
    ana = await practice.add_patient("Ana", "Ruiz", date(1988, 9, 30))
    brought = await practice.bring(bundle(ROSA, result("a")), patient_id=ana)
    assert only(brought).why_waiting == "other_patient"
    assert await values(practice, ana) == []
    fits = await practice.bring(bundle(ROSA, result("a")), patient_id=rosa)
    assert fits.import_id != brought.import_id
    assert fits.state is ImportState.DONE
    alone = await practice.bring(bundle(result("b", "4.0", of="x")), patient_id=rosa)
    assert alone.state is ImportState.DONE
    two = bundle(result("c", "5.0", of="x"), result("d", "6.0", of="y"))
    brought = await practice.bring(two, patient_id=rosa)
    assert {one.why_waiting for one in brought.subjects} == {"not_enough_to_match"}
    assert await values(practice, rosa) == ["3.1", "4.0"]
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await practice.start_import(bundle(ROSA, result("z")), patient_id=uuid4())


async def test_whoever_waits_is_found_when_the_file_is_sent_again_after_they_were_added(
    practice: Office,
) -> None:
    file = bundle(ROSA, result("a"))
    brought = await practice.bring(file, by="machine")
    assert brought.state is ImportState.WAITING
    rosa = await practice.add_patient()
    again = await practice.bring(file, by="machine")
    assert (again.import_id, again.state) == (brought.import_id, ImportState.DONE)
    assert (only(again).results_found, only(again).results_taken) == (1, 1)
    assert await values(practice, rosa) == ["3.1"]


async def test_a_patient_of_whom_there_is_nothing_waits_for_nothing(practice: Office) -> None:
    brought = await practice.bring(bundle(ROSA))
    assert (brought.state, brought.subjects) == (ImportState.DONE, ())
    (left_out,) = brought.left_out
    assert left_out.reason == "not_supported"


async def test_of_fifty_who_settle_at_once_one_does(practice: Office) -> None:
    rosa = await practice.add_patient("Rosa", "Meyer")
    ana = await practice.add_patient("Ana", "Ruiz", mrn="2")
    brought = await practice.bring(bundle(ROSA, result("a")))
    number = only(brought).number
    said = await together(
        *(
            settle(practice, brought, number, patient_id=(rosa, ana)[which % 2])
            for which in range(50)
        )
    )
    refused = [one.code for one in said if isinstance(one, Refused)]
    assert (len(refused), set(refused)) == (49, {Refusal.SETTLED_ALREADY})
    await practice.report(brought.import_id)
    filed = await values(practice, rosa) + await values(practice, ana)
    assert filed == ["3.1"]


async def test_the_same_decision_sent_twice_is_one(practice: Office) -> None:
    rosa = await practice.add_patient("Rosa", "Meyer")
    brought, key = await practice.bring(bundle(ROSA, result("a"))), uuid4()
    for _ in range(3):
        await settle(practice, brought, only(brought).number, patient_id=rosa, key=key)
    with pytest.raises(Refused, match=Refusal.SETTLED_ALREADY):
        await settle(practice, brought, only(brought).number, patient_id=rosa)
    for nothing in ({}, {"patient_id": rosa, "discard_reason": "both"}):
        with pytest.raises(Refused, match=Refusal.VALUE_NOT_USABLE):
            await settle(practice, brought, only(brought).number, **nothing)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_IMPORT):
        await settle(practice, brought, 99, patient_id=rosa)


async def test_several_who_wait_in_one_file_can_be_settled_one_after_another_at_once(
    practice: Office,
) -> None:
    people = [patient(f"p{number}", f"Name{number}") for number in range(6)]
    results = [result("a", f"{number}.5", of=f"p{number}") for number in range(6)]
    listed = [await practice.add_patient(f"N{number}", mrn=str(number)) for number in range(6)]
    brought = await practice.bring(bundle(*people, *results))
    assert len(brought.subjects) == 6
    await asyncio.gather(
        *(
            settle(practice, brought, one.number, patient_id=listed[int(one.name[4])])
            for one in brought.subjects
        )
    )
    report = await practice.report(brought.import_id)
    assert report.state is ImportState.DONE
    assert [one.results_taken for one in report.subjects] == [1] * 6
    for number, somebody in enumerate(listed):
        assert await values(practice, somebody) == [f"{number}.5"]


async def test_imports_are_listed_newest_first_with_what_became_of_them(practice: Office) -> None:
    await practice.add_patient()
    known = await practice.bring(bundle(ROSA, result("a"), {"resourceType": "Claim"}))
    unknown = await practice.bring(bundle(patient(given="Karl"), result("b")))
    unreadable = await practice.bring(b"hello")
    listed = await ask(practice.broker, ListImports(visa=practice.staff))
    assert [line.import_id for line in listed.imports] == [
        unreadable.import_id,
        unknown.import_id,
        known.import_id,
    ]
    newest, middle, oldest = listed.imports
    assert (listed.waiting, newest.waiting, middle.waiting, oldest.waiting) == (2, 1, 1, 0)
    assert (oldest.taken, oldest.unchanged, oldest.left_out) == (1, 0, 1)
    waiting = await ask(practice.broker, ListImports(visa=practice.staff, waiting=True))
    assert [line.import_id for line in waiting.imports] == [
        unreadable.import_id,
        unknown.import_id,
    ]


async def test_a_long_list_of_imports_comes_in_pages(practice: Office) -> None:
    ids = [await practice.start_import(b"hello %d" % number) for number in range(53)]
    first = await ask(practice.broker, ListImports(visa=practice.staff))
    second = await ask(practice.broker, ListImports(visa=practice.staff, after=first.after))
    seen = [line.import_id for line in (*first.imports, *second.imports)]
    assert (len(first.imports), second.after) == (50, "")
    assert seen == sorted(ids, reverse=True)
    odd = await ask(practice.broker, ListImports(visa=practice.staff, after="nonsense"))
    assert len(odd.imports) == 50
