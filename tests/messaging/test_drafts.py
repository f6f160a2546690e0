"""Drafts and files: kept, taken up again, limited in words that can be told apart."""

import asyncio
import io
import zipfile
from typing import Any
from uuid import uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.messaging.mailbox import ListDrafts
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.writing import (
    BODY_LIMIT,
    FILE_LIMIT,
    FILES_LIMIT,
    STAFF_BODY_LIMIT,
    SUBJECT_LIMIT,
    AddAttachmentChunk,
    Category,
    DropDraft,
    FinishAttachment,
    RemoveAttachment,
    SaveDraft,
    SendDraft,
    ShowDraft,
    StartAttachment,
)
from services.messaging.domain.files import BEGUN_AT_MOST
from tests.messaging.ward import PDF, Someone, Ward, open_ward
from tests.servers import Servers


def pdf(size: int) -> bytes:
    return PDF + b"\n" * (size - len(PDF))


async def test_a_draft_is_there_after_a_restart(clean: Servers) -> None:
    async with open_ward(clean) as ward:
        rosa = ward.patient()
        begun = await rosa.drafts("I was about to say", title="Later")
        file = await rosa.attaches(begun.draft_id)
    async with open_ward(clean) as again:
        rosa.ward.broker = again.broker
        [kept] = (await rosa.asks(ListDrafts)).drafts
    assert (kept.subject, kept.body, kept.category) == ("Later", "I was about to say", "health")
    assert kept.attachments == (file,)


async def test_the_same_words_again_change_nothing_and_older_ones_lose_nothing(ward: Ward) -> None:
    rosa = ward.patient()
    first = await rosa.drafts("One")
    same = await rosa.drafts("One", draft_id=first.draft_id, version=0)
    assert same.version == first.version
    second = await rosa.drafts("One two", draft_id=first.draft_id, version=first.version)
    assert second.version == first.version + 1
    stale = {"draft_id": first.draft_id, "version": first.version, "title": "A question"}
    refused = await rosa.is_refused(SaveDraft, **stale, body="One three", category="health")
    assert refused == Refusal.STALE_DRAFT
    assert (await rosa.asks(ShowDraft, draft_id=first.draft_id)).body == "One two"


async def test_a_draft_is_its_writers_alone(ward: Ward) -> None:
    rosa = ward.patient()
    ana, nora = ward.delegate(rosa), ward.nurse(rosa)
    draft = await rosa.drafts("Not yet")
    for other in (ana, nora, ward.patient("Bill Bones")):
        assert await other.is_refused(ShowDraft, draft_id=draft.draft_id) == Refusal.UNKNOWN_DRAFT
        assert await other.is_refused(SendDraft, draft_id=draft.draft_id) == Refusal.UNKNOWN_DRAFT
        await other.asks(DropDraft, draft_id=draft.draft_id)
        assert (await other.asks(ListDrafts)).drafts == ()
    assert (await rosa.asks(ShowDraft, draft_id=draft.draft_id)).body == "Not yet"
    await rosa.asks(DropDraft, draft_id=draft.draft_id)
    assert (await rosa.asks(ListDrafts)).drafts == ()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"title": " \u200b "}, Refusal.SUBJECT_MISSING),
        ({"title": "s" * (SUBJECT_LIMIT + 1)}, Refusal.SUBJECT_TOO_LONG),
        ({"body": " \n\t"}, Refusal.BODY_MISSING),
        ({"body": "b" * (BODY_LIMIT + 1)}, Refusal.BODY_TOO_LONG),
        ({"category": None}, Refusal.CATEGORY_MISSING),
    ],
)
async def test_a_message_that_is_not_whole_stays_a_draft(
    ward: Ward, said: dict[str, Any], refusal: Refusal
) -> None:
    rosa = ward.patient()
    draft = await rosa.drafts(**said)
    assert await rosa.is_refused(SendDraft, draft_id=draft.draft_id) == refusal
    [kept] = (await rosa.asks(ListDrafts)).drafts
    assert (kept.subject, kept.body) == (draft.subject, draft.body)


async def test_the_longest_message_of_each_side_is_sent(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    sent = await rosa.sends("b" * BODY_LIMIT, title="s" * SUBJECT_LIMIT)
    await nora.answers(sent, "c" * STAFF_BODY_LIMIT)
    too_long = await nora.drafts("c" * (STAFF_BODY_LIMIT + 1), conversation_id=sent.conversation_id)
    assert await nora.is_refused(SendDraft, draft_id=too_long.draft_id) == Refusal.BODY_TOO_LONG


async def test_files_go_both_ways_byte_for_byte(ward: Ward) -> None:
    rosa = ward.patient()
    nora = ward.nurse(rosa)
    draft = await rosa.drafts("See this")
    photo = b"\xff\xd8\xff\xe0" + bytes(range(256)) * (3 * CHUNK_SIZE // 256)
    first = await rosa.attaches(draft.draft_id, photo, "IMG_1.bin")
    second = await rosa.attaches(draft.draft_id, b"Just words.", "notes")
    assert (first.media_type, second.media_type) == ("image/jpeg", "text/plain")
    sent = await rosa.asks(SendDraft, draft_id=draft.draft_id)
    shown = (await nora.case(sent)).messages[0]
    assert shown.attachments == (first, second)
    assert await nora.content(sent.message_id, first.attachment_id) == photo
    answer = await nora.drafts("Read this", conversation_id=sent.conversation_id)
    leaflet = await nora.attaches(answer.draft_id, pdf(5000), "leaflet.pdf")
    told = await nora.asks(SendDraft, draft_id=answer.draft_id)
    assert await rosa.content(told.message_id, leaflet.attachment_id) == pdf(5000)
    assert (await rosa.inbox()).messages[0].attachments == 1
    for stranger in (ward.patient(), ward.another().nurse(rosa)):
        with pytest.raises(Refused, match=Refusal.UNKNOWN_FILE):
            await stranger.content(told.message_id, leaflet.attachment_id)


async def test_files_have_limits_and_each_is_said(ward: Ward) -> None:
    rosa = ward.patient()
    draft_id = (await rosa.drafts("With files")).draft_id
    with pytest.raises(Refused, match=Refusal.FILE_TOO_LARGE):
        await rosa.attaches(draft_id, pdf(FILE_LIMIT + 1))
    await clear(rosa, draft_id)
    await rosa.attaches(draft_id, pdf(FILE_LIMIT), "a.pdf")
    with pytest.raises(Refused, match=Refusal.FILES_TOO_LARGE):
        await rosa.attaches(draft_id, pdf(FILE_LIMIT), "b.pdf", attachment_id=uuid4())
    await clear(rosa, draft_id)
    for number in range(4):
        await rosa.attaches(draft_id, PDF, f"{number}.pdf")
    with pytest.raises(Refused, match=Refusal.TOO_MANY_FILES):
        await rosa.attaches(draft_id, PDF, "5.pdf")
    kept = await rosa.asks(ShowDraft, draft_id=draft_id)
    assert [file.file_name for file in kept.attachments] == ["0.pdf", "1.pdf", "2.pdf", "3.pdf"]
    assert kept.body == "With files"


async def test_files_that_broke_off_keep_no_others_out(ward: Ward) -> None:
    rosa = ward.patient()
    draft_id = (await rosa.drafts("With files")).draft_id
    for number in range(20):
        place = {"draft_id": draft_id, "attachment_id": uuid4()}
        await rosa.asks(StartAttachment, **place, file_name=f"{number}.pdf")
        await rosa.asks(AddAttachmentChunk, **place, number=0, data=pdf(CHUNK_SIZE))
    for number in range(4):
        await rosa.attaches(draft_id, PDF, f"{number}.pdf")
    async with ward.rows() as rows:
        assert await rows.fetchval("SELECT count(*) FROM content") <= 4 + BEGUN_AT_MOST
    sent = await rosa.asks(SendDraft, draft_id=draft_id)
    shown = (await rosa.sees(sent.message_id)).messages[0].attachments
    assert [file.file_name for file in shown] == ["0.pdf", "1.pdf", "2.pdf", "3.pdf"]
    async with ward.rows() as rows:
        assert await rows.fetchval("SELECT count(*) FROM content") == 4


@pytest.mark.parametrize(
    ("sizes", "refusal"),
    [([1000] * 6, Refusal.TOO_MANY_FILES), ([FILE_LIMIT] * 2, Refusal.FILES_TOO_LARGE)],
)
async def test_files_that_come_side_by_side_keep_to_the_limits(
    ward: Ward, sizes: list[int], refusal: Refusal
) -> None:
    rosa = ward.patient()
    draft_id = (await rosa.drafts("With files")).draft_id
    places = [{"draft_id": draft_id, "attachment_id": uuid4()} for _ in sizes]
    refused = []
    for place in places:
        await rosa.asks(StartAttachment, **place, file_name="a.pdf")
    for place, size in zip(places, sizes, strict=True):
        content = pdf(size)
        for number, begins in enumerate(range(0, size, CHUNK_SIZE)):
            data = content[begins : begins + CHUNK_SIZE]
            await rosa.asks(AddAttachmentChunk, **place, number=number, data=data)
    for place in places:
        try:
            await rosa.asks(FinishAttachment, **place)
        except Refused as no:
            refused.append(no.code)
    assert set(refused) == {refusal}
    kept = (await rosa.asks(ShowDraft, draft_id=draft_id)).attachments
    assert len(kept) + len(refused) == len(sizes)
    assert sum(file.size for file in kept) <= FILES_LIMIT
    assert len(kept) <= 4


async def clear(who: Someone, draft_id: object) -> None:
    """Nothing of the draft's files is left, finished or not."""
    async with who.ward.rows() as rows:
        ids = await rows.fetch("SELECT id FROM attachment WHERE draft_id = $1", draft_id)
    for row in ids:
        await who.asks(RemoveAttachment, draft_id=draft_id, attachment_id=row["id"])


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", b"0" * 50_000_000)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "refusal"),
    [
        (b"", "nothing.pdf", Refusal.FILE_EMPTY),
        (bomb(), "photos.zip", Refusal.FILE_FORBIDDEN),
        (bomb(), "photo.jpg", Refusal.FILE_FORBIDDEN),
        (b"MZ\x90\x00" + b"\x00" * 60, "letter.pdf", Refusal.FILE_FORBIDDEN),
        (b"<html><script>alert(1)</script>", "letter.txt", Refusal.FILE_FORBIDDEN),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg", Refusal.FILE_FORBIDDEN),
        (b"\x00\x01\x02\x03" * 9, "scan.pdf", Refusal.FILE_FORBIDDEN),
    ],
)
async def test_what_a_file_is_decides_and_not_its_name(
    ward: Ward, content: bytes, name: str, refusal: Refusal
) -> None:
    rosa = ward.patient()
    draft_id = (await rosa.drafts("Look at this")).draft_id
    with pytest.raises(Refused, match=refusal):
        await rosa.attaches(draft_id, content, name)
    kept = await rosa.asks(ShowDraft, draft_id=draft_id)
    assert (kept.body, kept.attachments) == ("Look at this", ())
    async with ward.rows() as rows:
        assert await rows.fetchval("SELECT count(*) FROM content") == 0


async def test_the_same_file_sent_many_times_at_once_is_one(ward: Ward) -> None:
    rosa = ward.patient()
    draft_id, attachment_id = (await rosa.drafts()).draft_id, uuid4()
    sent = pdf(CHUNK_SIZE + 100)
    await asyncio.gather(
        *(rosa.attaches(draft_id, sent, "a.pdf", attachment_id) for _ in range(10))
    )
    kept = await rosa.asks(ShowDraft, draft_id=draft_id)
    assert [file.size for file in kept.attachments] == [len(sent)]
    place = {"draft_id": draft_id, "attachment_id": attachment_id}
    for number, data in ((0, b"other"), (7, b"later"), (2, b"after the end")):
        refused = await rosa.is_refused(AddAttachmentChunk, **place, number=number, data=data)
        assert refused == Refusal.FILE_CHANGED


async def test_a_sent_draft_takes_nothing_more(ward: Ward) -> None:
    rosa = ward.patient()
    draft = await rosa.drafts("Gone")
    sent = await rosa.asks(SendDraft, draft_id=draft.draft_id)
    late = await rosa.drafts("Gone, and more", draft_id=draft.draft_id, version=draft.version)
    assert (late.sent, late.body) == (sent.message_id, "")
    refused = await rosa.is_refused(StartAttachment, draft_id=draft.draft_id, attachment_id=uuid4())
    assert refused == Refusal.DRAFT_SENT
    assert await rosa.asks(SendDraft, draft_id=draft.draft_id) == sent


async def test_a_hundred_drafts_are_enough(ward: Ward) -> None:
    rosa = ward.patient()
    await asyncio.gather(*(rosa.drafts(f"Draft {number}") for number in range(100)))
    refused = await rosa.is_refused(
        SaveDraft, draft_id=uuid4(), body="One more", category=Category.RX
    )
    assert refused == Refusal.TOO_MANY


async def test_looking_for_drafts_makes_nothing_for_somebody_who_may_be_no_patient(
    ward: Ward,
) -> None:
    """Staff can ask about any id: one of another practice leaves no trace in theirs."""
    nurse = ward.nurse(ward.patient())
    assert (await nurse.asks(ListDrafts)).drafts == ()
    async with ward.rows() as rows:
        assert (
            await rows.fetchval(
                "SELECT count(*) FROM data_key WHERE practice_id = $1", ward.practice_id
            )
            == 0
        )
