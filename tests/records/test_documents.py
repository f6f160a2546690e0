"""Documents: filed once, found again, shown to whom they belong, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from libs.contracts.base import Refused
from libs.contracts.records.documents import (
    FileDocument,
    ListDocuments,
    Opening,
    ReadDocument,
    RenderDocument,
    ShowDocument,
)
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Limit
from libs.runtime.broker import ask
from tests.corpus import CORPUS, content, files, needs_corpus
from tests.records import office
from tests.records.office import Office, together
from tests.servers import Servers

CHART = (
    b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Visit</title>'
    b"<component><structuredBody><component><section><title>Plan</title><text>Rest, and "
    b"<content>tea</content></text></section></component></structuredBody></component>"
    b"</ClinicalDocument>"
)


async def show(practice: Office, rosa: UUID, document_id: UUID, visa: str = "") -> Any:
    asked = ShowDocument(visa=visa or practice.staff, patient_id=rosa, document_id=document_id)
    return await ask(practice.broker, asked)


async def page(practice: Office, rosa: UUID, document_id: UUID) -> str:
    await practice.open(rosa, document_id)
    asked = RenderDocument(visa=practice.staff, patient_id=rosa, document_id=document_id)
    return (await ask(practice.broker, asked, within=20)).html


async def test_a_filed_document_is_shown_with_all_that_was_said_of_it(practice: Office) -> None:
    rosa = await practice.add_patient()
    letter = await practice.file(
        rosa, b"%PDF-1.7", title=" Dear\nRosa ", file_name="a.pdf", dated=date(2026, 5, 2)
    )
    shown = await show(practice, rosa, letter)
    line = shown.document
    assert (line.title, line.kind, line.author) == ("Dear Rosa", "Letter", "Nora Lind")
    assert (line.media_type, line.file_name, line.size) == ("application/pdf", "a.pdf", 8)
    assert (line.dated, line.replaced) == (date(2026, 5, 2), False)
    assert (shown.viewable, shown.chunks) == (True, 1)
    assert (shown.person.given, shown.person.birth_date) == ("Rosa", date(1961, 4, 12))


async def test_the_same_form_files_once_and_the_same_file_of_the_same_day_is_one_document(
    practice: Office,
) -> None:
    rosa, key, day = await practice.add_patient(), uuid4(), date(2026, 5, 2)
    upload_id = await practice.upload(b"letter", "letter.txt")
    form = {"key": key, "upload_id": upload_id, "patient_id": rosa, "title": "Letter"}
    twenty = await together(
        *(
            ask(practice.broker, FileDocument(visa=practice.staff, **form), within=20)
            for _ in range(20)
        )
    )
    assert len({filed.document_id for filed in twenty}) == 1
    again = await practice.file(rosa, b"letter")
    assert again == twenty[0].document_id
    others = {
        await practice.file(rosa, b"letter", dated=day),
        await practice.file(rosa, b"letter", title="Another"),
        await practice.file(rosa, b"letter."),
    }
    assert len(others | {again}) == 4
    assert (await practice.documents(rosa)).total == 4
    stored = await practice.sql("SELECT 1 FROM content")
    assert len(stored) == 4


async def test_an_upload_becomes_one_document_only(practice: Office) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    upload_id = await practice.upload(b"letter")
    said = await together(
        *(
            ask(
                practice.broker,
                FileDocument(
                    visa=practice.staff,
                    key=uuid4(),
                    upload_id=upload_id,
                    patient_id=who,
                    title="Letter",
                ),
                within=20,
            )
            for who in (rosa, ana) * 5
        )
    )
    refused = [one for one in said if isinstance(one, Refused)]
    assert {one.code for one in refused} == {Refusal.UNKNOWN_UPLOAD}
    assert len(said) - len(refused) == 1


@pytest.mark.parametrize(
    ("data", "name", "refusal"),
    [
        (b"", "letter.txt", Refusal.EMPTY),
        (b"MZ" + bytes(100), "letter.pdf", Refusal.TYPE_NOT_TAKEN),
        (b"%PDF-1.7", "letter.pdf.exe", Refusal.TYPE_NOT_TAKEN),
        (b"<script>alert(1)</script>", "note.txt", Refusal.TYPE_NOT_TAKEN),
        (b"<svg onload='alert(1)'/>", "scan.png", Refusal.TYPE_NOT_TAKEN),
    ],
)
async def test_what_is_empty_or_runs_is_refused_and_leaves_no_trace(
    practice: Office, data: bytes, name: str, refusal: Refusal
) -> None:
    rosa = await practice.add_patient()
    with pytest.raises(Refused, match=refusal):
        await practice.file(rosa, data, file_name=name)
    assert (await practice.documents(rosa)).total == 0


NAMES = [
    "../../../etc/passwd.pdf",
    "a\x00b.pdf",
    "scan\r\nSet-Cookie: a=b.pdf",
    "photo_\u202efdp.png",
    "CON",
    "名前.pdf",
    "😀" * 300,
    "'; DROP TABLE document; --.pdf",
    "<img src=x onerror=alert(1)>.pdf",
]


async def test_a_name_is_kept_as_data(practice: Office) -> None:
    rosa = await practice.add_patient()
    for name in NAMES:
        letter = await practice.file(rosa, b"%PDF-1.7", file_name=name, title=name, kind=name)
        line = (await show(practice, rosa, letter)).document
        assert line.file_name == name.replace("\x00", "")[-255:]
        assert line.title == " ".join(name.replace("\x00", "").split())[:300]
        assert line.kind in (await practice.documents(rosa)).kinds


@needs_corpus
async def test_every_naughty_string_is_a_title_like_any_other(practice: Office) -> None:
    rosa = await practice.add_patient()
    strings = (CORPUS / "misc/big-list-of-naughty-strings__blns.txt").read_text("utf-8")
    naughty = [line for line in strings.splitlines() if line and not line.startswith("#")][::12]
    for number, title in enumerate(naughty):
        letter = await practice.file(rosa, b"%d" % number, title=title, file_name="n.txt")
        line = (await show(practice, rosa, letter)).document
        assert line.title == (" ".join(title.split())[:300] or "n.txt")


@pytest.fixture
async def known(clean: Servers) -> AsyncIterator[Office]:
    """A practice that identity knows, without its calendar yet."""
    async with office.opened(clean, office.identity(clean)) as opened:
        yield opened


async def test_documents_are_found_by_kind_day_and_words_page_by_page(known: Office) -> None:
    practice = known
    await practice.add_practice()
    rosa = await practice.add_patient()
    for number in range(1, 61):
        await practice.file(
            rosa,
            b"letter %d" % number,
            title=f"Señor Ruíz’s letter {number:02d}",
            kind="Letter" if number % 2 else "Visit note",
            dated=date(2025, 12, 31) + timedelta(days=number % 59),
        )
    first = await practice.documents(rosa)
    second = await practice.documents(rosa, after=first.after)
    every = [*first.documents, *second.documents]
    assert (first.total, len(first.documents), second.after) == (60, 50, "")
    assert first.kinds == ("Letter", "Visit note")
    assert len({line.document_id for line in every}) == 60
    days = [line.dated for line in every if line.dated]
    assert days == sorted(days, reverse=True)

    async def found(**wanted: Any) -> set[str]:
        listed = await practice.documents(rosa, **wanted)
        assert listed.total == len(listed.documents)
        return {line.title[-2:] for line in listed.documents}

    assert len(await found(kind="Letter")) == 30
    assert await found(kind="letter") == set()
    assert await found(start=date(2026, 1, 5), end=date(2026, 1, 5)) == {"05"}
    assert await found(start=date(2025, 12, 31), end=date(2026, 1, 1)) == {"59", "01", "60"}
    assert await found(q="SENOR ruizs 07") == {"07"}
    assert await found(q="lind 08", kind="Visit note") == {"08"}
    assert await found(q="100%") == set()
    assert len((await practice.documents(rosa, after="nonsense")).documents) == 50


@pytest.mark.parametrize(
    ("zone", "came", "day"),
    [
        ("Pacific/Auckland", "2026-09-26 12:00", date(2026, 9, 27)),  # the clock goes forward there
        ("Pacific/Auckland", "2026-09-26 11:59", date(2026, 9, 26)),
        ("Pacific/Auckland", "2026-04-05 11:59", date(2026, 4, 5)),  # and back
        ("Pacific/Auckland", "2026-04-05 12:00", date(2026, 4, 6)),
        ("America/St_Johns", "2026-03-08 03:29", date(2026, 3, 7)),
        ("America/St_Johns", "2026-03-08 03:30", date(2026, 3, 8)),
        ("America/St_Johns", "2026-11-01 02:29", date(2026, 10, 31)),
        ("America/St_Johns", "2026-11-02 03:29", date(2026, 11, 1)),
    ],
)
async def test_a_document_without_a_date_is_found_by_the_practices_day(
    known: Office, zone: str, came: str, day: date
) -> None:
    await known.add_practice(zone)
    rosa = await known.add_patient()
    await known.file(rosa, b"a letter")
    await known.sql(
        "UPDATE document SET added_at = $1, day = ($1::timestamptz AT TIME ZONE 'UTC')::date",
        datetime.fromisoformat(f"{came}Z"),
    )

    async def found(start: date | None, end: date | None) -> int:
        return (await known.documents(rosa, start=start, end=end)).total

    one = timedelta(days=1)
    assert await found(day, day) == 1
    assert await found(day, None) == await found(None, day) == 1
    assert await found(day + one, None) == await found(None, day - one) == 0


async def test_a_chart_is_made_readable_and_nothing_else_is(practice: Office) -> None:
    rosa = await practice.add_patient()
    chart = await practice.file(rosa, CHART, file_name="visit.xml")
    assert (await show(practice, rosa, chart)).viewable
    html = await page(practice, rosa, chart)
    assert "tea" in html
    assert "<script" not in html
    note = await practice.file(rosa, b"a note")
    broken = await practice.file(rosa, CHART[:-20], file_name="broken.xml")
    assert not (await show(practice, rosa, broken)).viewable
    for other in (note, broken):
        with pytest.raises(Refused, match=Refusal.NOT_VIEWABLE):
            await page(practice, rosa, other)


async def test_a_chart_longer_than_a_page_may_be_is_only_to_be_downloaded(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    long = CHART.replace(b"Rest", b"<paragraph>Rest &lt; \xe2\x89\xa5</paragraph>" * 60_000)
    chart = await practice.file(rosa, long, file_name="long.xml")
    assert not (await show(practice, rosa, chart)).viewable
    assert await practice.content(rosa, chart) == long


async def test_only_the_patient_a_delegate_with_that_limit_and_their_staff_see_them(
    practice: Office,
) -> None:
    rosa, ana = await practice.add_patient(), await practice.add_patient("Ana", mrn="2")
    letter = await practice.file(rosa, CHART, file_name="visit.xml")
    stranger = practice.another()

    def requests(visa: str, patient_id: UUID) -> list[Any]:
        about = {"patient_id": patient_id, "document_id": letter}
        return [
            ShowDocument(visa=visa, opening=Opening.VIEW, **about),
            ReadDocument(visa=visa, number=0, **about),
            RenderDocument(visa=visa, **about),
        ]

    for visa in (practice.patient(rosa), practice.patient(rosa, [Limit.DOCUMENTS])):
        for asked in requests(visa, rosa):
            assert await ask(practice.broker, asked, within=20)
        listed = ListDocuments(visa=visa, patient_id=rosa)
        assert (await ask(practice.broker, listed)).total == 1

    refused = [
        (practice.patient(rosa, [Limit.RESULTS]), rosa, Refusal.NOT_ALLOWED),
        (practice.patient(ana), rosa, Refusal.NOT_ALLOWED),
        (practice.patient(ana), ana, Refusal.UNKNOWN_DOCUMENT),
        (practice.machine, rosa, Refusal.NOT_ALLOWED),
        (practice.operator, rosa, Refusal.NOT_ALLOWED),
        (practice.staff, ana, Refusal.UNKNOWN_DOCUMENT),
        (stranger.staff, rosa, Refusal.UNKNOWN_DOCUMENT),
        (stranger.machine, rosa, Refusal.NOT_ALLOWED),
        (stranger.patient(rosa), rosa, Refusal.UNKNOWN_DOCUMENT),
        ("", rosa, Refusal.NOT_ALLOWED),
    ]
    for visa, patient_id, refusal in refused:
        for asked in requests(visa, patient_id):
            with pytest.raises(Refused, match=refusal):
                await ask(practice.broker, asked)
    for visa in (stranger.staff, stranger.patient(rosa)):
        with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
            await ask(practice.broker, ListDocuments(visa=visa, patient_id=rosa))
    with pytest.raises(Refused, match=Refusal.UNKNOWN_PATIENT):
        await practice.file(uuid4(), b"letter")


@needs_corpus
async def test_every_file_of_the_corpus_is_given_back_byte_for_byte_or_refused(
    practice: Office,
) -> None:
    rosa, refused, process = await practice.add_patient(), [], psutil.Process()
    before = process.memory_info().rss
    for path in files("files"):
        async with asyncio.timeout(5):
            try:
                filed = await practice.file(rosa, content(path), file_name=path.name)
            except Refused as refusal:
                refused.append((path.name, refusal.code))
                continue
            assert await practice.content(rosa, filed) == content(path), path.name
    assert refused == [("defusedxml__xmltestdata_dtd.xml", Refusal.TYPE_NOT_TAKEN)]
    assert process.memory_info().rss - before < 100 * 1024 * 1024


@needs_corpus
async def test_every_clinical_document_of_the_corpus_can_be_read(practice: Office) -> None:
    rosa = await practice.add_patient()
    for path in files("ccda"):
        data = content(path)
        is_whole = b"<ClinicalDocument" in data
        filed = await practice.file(rosa, data, file_name=path.name)
        assert (await show(practice, rosa, filed)).viewable is is_whole
        if is_whole:
            async with asyncio.timeout(5):
                assert "<article" in await page(practice, rosa, filed)
