"""Nothing of a preview is filed before somebody says so; and who may see and decide what."""

from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.records.imports import (
    ConfirmImport,
    Import,
    ImportState,
    ListImports,
    ReadImport,
    SettleImport,
    ShowImport,
    StartImport,
)
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import ask
from tests.records.bundles import bundle, note, patient, result
from tests.records.office import Office
from tests.records.test_imports import only, settle, values

ROSA = patient()


async def confirm(practice: Office, brought: Import) -> Import:
    asked = ConfirmImport(visa=practice.staff, import_id=brought.import_id)
    await ask(practice.broker, asked)
    return await practice.report(brought.import_id)


async def test_a_preview_says_what_would_become_of_everything_and_files_nothing(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.bring(bundle(ROSA, result("a"), result("b", "3.2"), note("m")))
    preview = await practice.bring(
        bundle(
            ROSA,
            result("a"),
            result("b", "3.3", status="corrected"),
            result("c", "3.4"),
            note("m"),
            note("n", b"Another."),
        ),
        preview=True,
    )
    subject = only(preview)
    assert preview.state is ImportState.PREVIEW
    assert (subject.results_taken, subject.results_corrected, subject.results_unchanged) == (
        1,
        1,
        1,
    )
    assert (subject.documents_taken, subject.documents_unchanged) == (1, 1)
    assert await values(practice, rosa) == ["3.1", "3.2"]
    assert (await practice.documents(rosa)).total == 1
    done = await confirm(practice, preview)
    assert (done.state, only(done)) == (ImportState.DONE, subject)
    assert await values(practice, rosa) == ["3.1", "3.3", "3.4"]
    assert (await practice.documents(rosa)).total == 2
    assert (await confirm(practice, preview)).state is ImportState.DONE


async def test_a_preview_can_be_discarded_and_then_nothing_is_filed(practice: Office) -> None:
    rosa = await practice.add_patient()
    preview = await practice.bring(bundle(ROSA, result("a")), preview=True)
    await settle(practice, preview, None, discard_reason="Not ours")
    assert (await practice.show(preview.import_id)).state is ImportState.DISCARDED
    with pytest.raises(Refused, match=Refusal.SETTLED_ALREADY):
        await confirm(practice, preview)
    assert await values(practice, rosa) == []


async def test_who_is_meant_can_be_decided_before_anything_is_filed(practice: Office) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    people = ROSA, patient("p2", "Karl"), patient("p3", "Otto")
    results = result("a"), result("b", "3.2", of="p2"), result("c", "3.3", of="p3")
    preview = await practice.bring(bundle(*people, *results), preview=True)
    numbers = {one.name.partition(" ")[0]: one.number for one in preview.subjects}
    await settle(practice, preview, numbers["Karl"], patient_id=ana)
    await settle(practice, preview, numbers["Otto"], discard_reason="Nobody of ours")
    await settle(practice, preview, numbers["Rosa"], discard_reason="Another Rosa")
    with pytest.raises(Refused, match=Refusal.SETTLED_ALREADY):
        await settle(practice, preview, numbers["Otto"], patient_id=ana)
    assert await values(practice, ana) == []
    done = await confirm(practice, preview)
    assert done.state is ImportState.DONE
    assert (await values(practice, rosa), await values(practice, ana)) == ([], ["3.2"])


async def test_a_preview_of_nobody_we_know_waits_at_once(practice: Office) -> None:
    rosa = await practice.add_patient("Rosa", "Meyer")
    preview = await practice.bring(bundle(ROSA, result("a")), preview=True)
    assert preview.state is ImportState.WAITING
    await settle(practice, preview, only(preview).number, patient_id=rosa)
    assert (await practice.report(preview.import_id)).state is ImportState.DONE
    assert await values(practice, rosa) == ["3.1"]


async def test_what_a_machine_sends_is_not_kept_back_by_somebodys_preview(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    file = bundle(ROSA, result("a"))
    preview = await practice.bring(file, preview=True)
    sent = await practice.bring(file, by="machine")
    assert (sent.import_id, sent.state) == (preview.import_id, ImportState.DONE)
    assert await values(practice, rosa) == ["3.1"]
    at_once = bundle(ROSA, result("b", "3.9"))
    one = await practice.start_import(at_once, preview=True)
    two = await practice.start_import(at_once, by="machine")
    assert one == two
    assert (await practice.report(one)).state is ImportState.DONE
    assert await values(practice, rosa) == ["3.1", "3.9"]


async def test_a_machine_starts_and_sees_imports_of_its_practice_and_nothing_of_its_patients(
    practice: Office,
) -> None:
    await practice.add_patient("Rosa", "Meyer")
    file = bundle(ROSA, result("a"))
    brought = await practice.bring(file, by="machine")
    assert only(brought).candidates
    seen = await ask(
        practice.broker, ShowImport(visa=practice.machine, import_id=brought.import_id)
    )
    assert (seen.source, only(seen).candidates) == ("machine", ())
    assert seen.state is ImportState.WAITING
    listed = await ask(practice.broker, ListImports(visa=practice.operator))
    assert [line.import_id for line in listed.imports] == [brought.import_id]
    refused: list[Any] = [
        ReadImport(visa=practice.machine, import_id=brought.import_id, number=0),
        ConfirmImport(visa=practice.machine, import_id=brought.import_id),
        SettleImport(
            visa=practice.machine,
            key=uuid4(),
            import_id=brought.import_id,
            discard_reason="mine",
        ),
    ]
    for asked in refused:
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await ask(practice.broker, asked)


async def test_another_practice_and_a_patient_see_and_change_nothing_of_it(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    brought = await practice.bring(bundle(patient(given="Karl"), result("a")))
    stranger = practice.another()
    upload_id = await practice.upload(b"hello")

    def requests(visa: str) -> list[Any]:
        import_id = brought.import_id
        return [
            ShowImport(visa=visa, import_id=import_id),
            ReadImport(visa=visa, import_id=import_id, number=0),
            ConfirmImport(visa=visa, import_id=import_id),
            SettleImport(visa=visa, key=uuid4(), import_id=import_id, number=1, patient_id=rosa),
        ]

    for asked in requests(stranger.staff):
        with pytest.raises(Refused, match=Refusal.UNKNOWN_IMPORT):
            await ask(practice.broker, asked)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_UPLOAD):
        await ask(practice.broker, StartImport(visa=stranger.machine, upload_id=upload_id))
    assert (await ask(practice.broker, ListImports(visa=stranger.staff))).imports == ()
    for asked in [*requests(practice.patient(rosa)), ListImports(visa=practice.patient(rosa))]:
        with pytest.raises(Refused, match=Refusal.NOT_ALLOWED):
            await ask(practice.broker, asked)
    # Whoever is at another practice is never whom a file is about here.
    other = await stranger.add_patient("Karl")
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await settle(practice, brought, only(brought).number, patient_id=other)
    assert only(await practice.show(brought.import_id)).candidates[0].patient_id == rosa


async def test_the_same_file_at_two_practices_is_two_imports_each_with_its_own_patient(
    practice: Office,
) -> None:
    stranger = practice.another()
    rosa, theirs = await practice.add_patient(), await stranger.add_patient()
    file = bundle(ROSA, result("a"), note("n"))
    mine, other = await practice.bring(file), await stranger.bring(file)
    assert mine.import_id != other.import_id
    assert (only(mine).patient_id, only(other).patient_id) == (rosa, theirs)
    assert await values(practice, rosa) == await values(stranger, theirs) == ["3.1"]
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await values(practice, theirs)


async def test_the_original_is_kept_sealed_and_goes_with_the_only_patient_it_is_about(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    file = bundle(ROSA, result("a"), note("n", b"The biopsy showed"))
    brought = await practice.bring(file)
    assert await practice.original(brought.import_id) == file
    owners = await practice.sql("SELECT DISTINCT owner_id FROM content")
    assert [row["owner_id"] for row in owners] == [rosa]
    unknown = await practice.bring(bundle(patient(given="Karl"), result("b")))
    owner = await practice.sql("SELECT owner_id FROM content WHERE id = $1", unknown.import_id)
    assert owner[0]["owner_id"] == practice.practice_id
    chunks = await practice.sql("SELECT sealed FROM content_chunk")
    assert not any(b"biopsy" in row["sealed"] or b"Alvarez" in row["sealed"] for row in chunks)
    assert [row["content_id"] for row in await practice.sql("SELECT content_id FROM import")] == [
        brought.import_id,
        unknown.import_id,
    ]
