"""Documents inside of imported files: each once, the newest version in front, and on its own day."""

import base64
from collections.abc import AsyncIterator
from datetime import date

import pytest

from libs.contracts.records.documents import DocumentLine
from libs.contracts.records.imports import ImportState
from libs.contracts.records.moments import Precision
from tests.records import office
from tests.records.bundles import bundle, note, patient
from tests.records.office import Office
from tests.records.test_imports import only
from tests.servers import Servers

ROSA = patient()


@pytest.fixture
async def clinic(clean: Servers) -> AsyncIterator[Office]:
    """A practice that identity knows, with a time zone."""
    async with office.opened(clean, with_identity=True) as opened:
        yield opened


def report(ref: str, text: bytes, *, at: str = "2026-05-02") -> dict[str, object]:
    form = {"contentType": "text/plain", "data": base64.b64encode(text).decode()}
    return {
        "resourceType": "DiagnosticReport",
        "id": ref,
        "status": "final",
        "code": {"text": "History and physical note"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": at,
        "presentedForm": [form],
    }


async def listed(practice: Office, rosa: object) -> list[DocumentLine]:
    return list((await practice.documents(rosa)).documents)  # type: ignore[arg-type]


async def test_a_document_is_kept_as_its_author_said_it_and_given_back_byte_for_byte(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    pdf = b"%PDF-1.7 " + bytes(range(256)) * 3000
    await practice.bring(bundle(ROSA, note("scan", pdf, media_type="application/pdf")))
    (line,) = await listed(practice, rosa)
    assert (line.title, line.kind, line.media_type) == (
        "Note scan",
        "Progress note",
        "application/pdf",
    )
    assert (line.file_name, line.size) == ("Note scan.pdf", len(pdf))
    assert (line.dated, line.precision) == (date(2026, 5, 2), Precision.DAY)
    assert await practice.content(rosa, line.document_id) == pdf


@pytest.mark.parametrize(
    ("at", "day", "precision"),
    [
        ("2026-05-02T23:30:00-04:00", date(2026, 5, 2), Precision.INSTANT),
        ("2026-05-03T03:30:00Z", date(2026, 5, 2), Precision.INSTANT),
        ("2026-05-03T04:30:00Z", date(2026, 5, 3), Precision.INSTANT),
        ("2026-05-02", date(2026, 5, 2), Precision.DAY),
        ("2026-05", date(2026, 5, 1), Precision.MONTH),
        ("2026", date(2026, 1, 1), Precision.YEAR),
    ],
)
async def test_the_day_of_a_document_is_that_of_the_practices_calendar(
    clinic: Office, at: str, day: date, precision: Precision
) -> None:
    rosa = await clinic.add_patient()
    await clinic.bring(bundle(ROSA, note("n", at=at)))
    (line,) = await listed(clinic, rosa)
    assert (line.dated, line.precision) == (day, precision)
    found = await clinic.documents(rosa, start=day, end=day)
    assert found.total == 1


async def test_the_same_note_as_a_document_and_with_a_report_is_one(practice: Office) -> None:
    rosa, text = await practice.add_patient(), b"History: none."
    await practice.bring(bundle(ROSA, note("n", text)))
    brought = await practice.bring(bundle(ROSA, report("r", text)))
    assert only(brought).documents_unchanged == 1
    again = await practice.bring(bundle(ROSA, report("r", text, at="2026-06-02")))
    assert only(again).documents_taken == 1
    assert len(await listed(practice, rosa)) == 2


async def test_what_staff_uploaded_already_is_not_filed_once_more(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"All is well.")
    brought = await practice.bring(bundle(ROSA, note("n")))
    assert only(brought).documents_unchanged == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_newer_version_replaces_the_earlier_one_in_whatever_order_they_come(
    practice: Office, order: tuple[int, int]
) -> None:
    rosa = await practice.add_patient()
    files = [
        bundle(ROSA, note("v1", b"Draft.", at="2026-05-02")),
        bundle(
            ROSA,
            note("v1", b"Draft.", at="2026-05-02"),
            note("v2", b"Signed.", at="2026-05-03", replaces="v1"),
        ),
    ]
    for number in order:
        await practice.bring(files[number])
    newest, earlier = await listed(practice, rosa)
    assert (newest.title, newest.replaced) == ("Note v2", False)
    assert (earlier.title, earlier.replaced) == ("Note v1", True)


async def test_another_content_under_the_same_name_is_another_version(practice: Office) -> None:
    rosa = await practice.add_patient()
    first, second = bundle(ROSA, note("n", b"One.")), bundle(ROSA, note("n", b"Two."))
    for file in (first, second):
        brought = await practice.bring(file)
        assert only(brought).documents_taken == 1
    for file in (bundle(ROSA, note("n", b"One."), of=7), bundle(ROSA, note("n", b"Two."), of=7)):
        assert only(await practice.bring(file)).documents_unchanged == 1
    lines = await listed(practice, rosa)
    texts = {await practice.content(rosa, one.document_id): one.replaced for one in lines}
    assert texts == {b"One.": True, b"Two.": False}


async def test_a_document_that_its_author_takes_back_is_shown_no_more(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.bring(bundle(ROSA, note("n"), note("m", b"Another.")))
    withdrawn = bundle(ROSA, note("n", status="entered-in-error"))
    preview = await practice.bring(withdrawn, preview=True)
    assert len(await listed(practice, rosa)) == 2
    await practice.start_import(withdrawn)
    brought = await practice.report(preview.import_id)
    assert only(brought).documents_taken == 1
    assert [line.title for line in await listed(practice, rosa)] == ["Note m"]
    await practice.bring(bundle(ROSA, note("n"), of=9))
    assert [line.title for line in await listed(practice, rosa)] == ["Note m"]


async def test_a_program_in_a_file_is_left_out_and_a_web_page_is_only_to_be_downloaded(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    brought = await practice.bring(
        bundle(
            ROSA,
            note("p", b"MZ" + bytes(200), media_type="application/pdf"),
            note("h", b"<html><script>alert(1)</script>", media_type="text/html"),
        )
    )
    assert brought.state is ImportState.DONE
    (left_out,) = brought.left_out
    assert (left_out.reason, left_out.what, left_out.where) == (
        "not_supported",
        "Program",
        "Note p",
    )
    (line,) = await listed(practice, rosa)
    assert (line.media_type, line.file_name) == ("text/html", "Note h.html")
