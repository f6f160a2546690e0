"""A record handed over: the same items in every form, counted before, read from anywhere."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from lxml import etree

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.messaging.writing import (
    AddAttachmentChunk,
    Category,
    FinishAttachment,
    SaveDraft,
    SendDraft,
    StartAttachment,
)
from libs.contracts.records.activity import ListActivity
from libs.contracts.records.exports import (
    CancelExport,
    Counted,
    CountSelection,
    Export,
    ExportState,
    Format,
    Kind,
    MakeExport,
    ReadExport,
    Selection,
    ShowExport,
)
from libs.contracts.records.health import AddResult
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from libs.runtime.keyring import KeyRing
from services.records.exporting import making
from services.records.exporting.archive import SUMS
from tests.messaging import ward
from tests.records import office
from tests.records.office import Office
from tests.servers import Servers
from tests.waiting import until

ALL = frozenset(Kind)
V3 = "{urn:hl7-org:v3}"
UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


async def result(practice: Office, rosa: UUID, at: datetime, value: str = "3.1") -> UUID:
    asked = AddResult(
        visa=practice.staff,
        key=uuid4(),
        patient_id=rosa,
        test_name="Albumin",
        value=value,
        unit="g/dL",
        range_low="3.5",
        range_high="5.0",
        collected_at=at,
    )
    return (await ask(practice.broker, asked)).result_id


async def message(
    practice: Office, rosa: UUID, body: str = "Is this normal?", *, file: bytes = b""
) -> UUID:
    draft = uuid4()
    said = {"patient_id": rosa, "draft_id": draft}
    await ask(
        practice.broker,
        SaveDraft(
            visa=practice.patient(rosa),
            category=Category.HEALTH,
            title="My result",
            body=body,
            **said,
        ),
    )
    if file:
        place = said | {"visa": practice.patient(rosa), "attachment_id": uuid4()}
        await ask(practice.broker, StartAttachment(**place, file_name="Skin: left/arm.txt"))
        for number in range(-(-len(file) // CHUNK_SIZE)):
            data = file[number * CHUNK_SIZE : (number + 1) * CHUNK_SIZE]
            await ask(practice.broker, AddAttachmentChunk(**place, number=number, data=data))
        await ask(practice.broker, FinishAttachment(**place))
    sent = await ask(practice.broker, SendDraft(visa=practice.patient(rosa), **said))
    return sent.message_id


async def counted(practice: Office, rosa: UUID, **chosen: Any) -> Counted:
    asked = CountSelection(
        visa=practice.patient(rosa),
        patient_id=rosa,
        selection=Selection(**{"kinds": ALL} | chosen),
    )
    return await ask(practice.broker, asked)


async def make(practice: Office, rosa: UUID, wanted: Format, **chosen: Any) -> Export:
    asked = MakeExport(
        visa=practice.patient(rosa),
        patient_id=rosa,
        key=chosen.pop("key", None) or uuid4(),
        selection=Selection(**{"kinds": ALL} | chosen),
        format=wanted,
    )
    return await ask(practice.broker, asked)


async def finished(practice: Office, rosa: UUID, export: Export) -> Export:
    async def look() -> Export | None:
        asked = ShowExport(visa=practice.patient(rosa), patient_id=rosa, export_id=export.export_id)
        shown = await ask(practice.broker, asked)
        return None if shown.state is ExportState.MAKING else shown

    found: Export = await until(look, within=60)
    return found


async def chunk(practice: Office, rosa: UUID, export: Export, number: int) -> bytes:
    asked = ReadExport(
        visa=practice.patient(rosa), patient_id=rosa, export_id=export.export_id, number=number
    )
    return (await ask(practice.broker, asked)).data


async def whole(practice: Office, rosa: UUID, wanted: Format, **chosen: Any) -> bytes:
    export = await finished(practice, rosa, await make(practice, rosa, wanted, **chosen))
    assert export.state is ExportState.READY
    chunks = -(-export.size // CHUNK_SIZE)
    parts = [await chunk(practice, rosa, export, number) for number in range(chunks)]
    assert sum(map(len, parts)) == export.size
    return b"".join(parts)


def text_of(pdf: bytes) -> str:
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def in_fhir(data: bytes) -> set[str]:
    items = {"Observation", "DocumentReference", "Communication"}
    return {
        entry["resource"]["id"]
        for entry in json.loads(data)["entry"]
        if entry["resource"]["resourceType"] in items
    }


def in_ccda(data: bytes) -> set[str]:
    """What can be read, which is what there is for machines."""
    root = etree.fromstring(data)
    named = set(UUIDS.findall(" ".join(one.get("ID", "") for one in root.iter())))
    entries = {
        str(number.get("root")).lower()
        for kind in ("observation", "act")
        for entry in root.iter(f"{V3}{kind}")
        for number in entry.findall(f"{V3}id")
    }
    assert entries <= named
    return named


def in_page(data: bytes) -> set[str]:
    return set(UUIDS.findall(" ".join(re.findall(r'id="([^"]+)"', data.decode()))))


async def test_every_form_holds_the_items_that_were_counted(practice: Office) -> None:
    rosa = await practice.add_patient()
    now = utcnow()
    items = {
        str(await result(practice, rosa, now - timedelta(days=400))),
        str(await result(practice, rosa, now - timedelta(days=2), "3.4")),
        str(await practice.file(rosa, b"%PDF-1.7 one", file_name="a.pdf")),
        str(await practice.file(rosa, b"tea " * 100_000, title="Zwölf Blätter", file_name="ä.txt")),
        str(await message(practice, rosa, file=b"It itches. " * 50_000)),
    }
    count = await counted(practice, rosa)
    assert (count.results, count.documents, count.messages) == (2, 2, 1)
    assert count.size == 12 + 400_000
    assert in_page(await whole(practice, rosa, Format.HTML)) == items
    assert in_fhir(await whole(practice, rosa, Format.FHIR)) == items
    assert in_ccda(await whole(practice, rosa, Format.CCDA)) == items
    assert set(UUIDS.findall(text_of(await whole(practice, rosa, Format.PDF)))) == items
    with zipfile.ZipFile(io.BytesIO(await whole(practice, rosa, Format.ZIP))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    sums = files.pop("SHA256SUMS.txt").decode().splitlines()
    assert {f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()} == set(
        sums
    )
    by_ending = {name.partition(".")[2]: data for name, data in files.items() if "/" not in name}
    assert in_page(by_ending["html"]) == in_fhir(by_ending["fhir.json"]) == items
    assert in_ccda(by_ending["ccda.xml"]) == items
    assert set(UUIDS.findall(text_of(by_ending["pdf"]))) == items
    assert {data for name, data in files.items() if name.startswith("documents/")} == {
        b"%PDF-1.7 one",
        b"tea " * 100_000,
    }
    [sent] = [name for name in files if name.startswith("messages/")]
    assert sent.endswith(" Skin_ left_arm.txt")
    assert files[sent] == b"It itches. " * 50_000


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 3, 8, 4, 59, 59, tzinfo=UTC), date(2026, 3, 7)),
        (datetime(2026, 3, 8, 5, 0, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC), date(2026, 3, 8)),
        (datetime(2026, 3, 9, 4, 0, tzinfo=UTC), date(2026, 3, 9)),
        (datetime(2025, 11, 2, 3, 59, 59, tzinfo=UTC), date(2025, 11, 1)),
        (datetime(2025, 11, 2, 4, 0, tzinfo=UTC), date(2025, 11, 2)),
        (datetime(2025, 11, 3, 4, 59, 59, tzinfo=UTC), date(2025, 11, 2)),
        (datetime(2025, 11, 3, 5, 0, tzinfo=UTC), date(2025, 11, 3)),
    ],
)
async def test_a_day_is_the_practices_also_when_its_clocks_change(
    practice: Office, moment: datetime, day: date
) -> None:
    rosa = await practice.add_patient()
    await result(practice, rosa, moment)
    one = timedelta(days=1)
    for chosen, expected in (
        ({"start": day, "end": day}, 1),
        ({"start": day + one}, 0),
        ({"end": day - one}, 0),
        ({"start": day}, 1),
        ({"end": day}, 1),
    ):
        assert (await counted(practice, rosa, **chosen)).results == expected
    page = await whole(practice, rosa, Format.HTML, start=day, end=day)
    assert len(in_page(page)) == 1


async def test_messages_are_chosen_by_the_practices_days_too(practice: Office) -> None:
    rosa = await practice.add_patient()
    await message(practice, rosa)
    await practice.sql("UPDATE messaging.message SET sent_at = '2026-03-09T03:59:59Z'")
    day = date(2026, 3, 8)
    assert (await counted(practice, rosa, start=day, end=day)).messages == 1
    assert (await counted(practice, rosa, start=day + timedelta(days=1))).messages == 0


async def test_any_part_of_a_file_may_be_asked_for_first(practice: Office) -> None:
    rosa = await practice.add_patient()
    content = bytes(range(256)) * 3001
    await practice.file(rosa, content, file_name="scan.bin")
    for wanted in (Format.FHIR, Format.ZIP):
        export = await finished(practice, rosa, await make(practice, rosa, wanted))
        chunks = -(-export.size // CHUNK_SIZE)
        backwards = [await chunk(practice, rosa, export, n) for n in reversed(range(chunks))]
        assert len(b"".join(backwards)) == export.size
        together = b"".join(reversed(backwards))
        forwards = [await chunk(practice, rosa, export, number) for number in range(chunks)]
        assert b"".join(forwards) == together
        for beyond in (chunks, -1):
            with pytest.raises(Refused, match=Refusal.UNKNOWN_EXPORT):
                await chunk(practice, rosa, export, beyond)


async def test_a_file_stands_in_the_log_and_the_same_form_makes_one(practice: Office) -> None:
    rosa = await practice.add_patient()
    key, day = uuid4(), date(2026, 3, 8)
    first = await make(practice, rosa, Format.PDF, key=key, start=day)
    again = await make(practice, rosa, Format.PDF, key=key, start=day)
    assert first.export_id == again.export_id
    await whole(practice, rosa, Format.HTML)
    asked = ListActivity(visa=practice.patient(rosa), patient_id=rosa)
    entries = (await ask(practice.broker, asked)).entries
    assert [(entry.act, entry.subject) for entry in entries[:2]] == [
        (Act.SAW_RECORD, "../.."),
        (Act.DOWNLOADED_RECORD, "pdf 2026-03-08/.."),
    ]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_a_file_is_called_by_the_practices_day(practice: Office, zone: str) -> None:
    rosa = await practice.add_patient()
    await practice.sql("UPDATE identity.practice SET time_zone = $1", zone)
    export = await finished(practice, rosa, await make(practice, rosa, Format.ZIP))
    day = utcnow().astimezone(ZoneInfo(zone)).date()
    data = b"".join(
        [
            await chunk(practice, rosa, export, number)
            for number in range(-(-export.size // CHUNK_SIZE))
        ]
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = {name.partition(".")[0] for name in archive.namelist() if name != SUMS}
    assert export.file_name == f"health-record-{day}.zip"
    assert names == {f"health-record-{day}"}


async def test_only_what_an_access_holds_can_be_chosen_and_read(practice: Office) -> None:
    rosa = await practice.add_patient()
    await result(practice, rosa, utcnow())
    limited = practice.patient(rosa, [Limit.DOCUMENTS, Limit.MESSAGES])
    everything = Selection(kinds=ALL)
    refused: list[Any] = [
        CountSelection(visa=limited, patient_id=rosa, selection=everything),
        MakeExport(
            visa=limited, patient_id=rosa, key=uuid4(), selection=everything, format=Format.HTML
        ),
        MakeExport(
            visa=practice.staff,
            patient_id=rosa,
            key=uuid4(),
            selection=everything,
            format=Format.HTML,
        ),
        MakeExport(
            visa=practice.patient(rosa),
            patient_id=rosa,
            key=uuid4(),
            selection=Selection(kinds=frozenset()),
            format=Format.HTML,
        ),
    ]
    for asked in refused:
        with pytest.raises(Refused, match="not_allowed"):
            await ask(practice.broker, asked)
    export = await finished(practice, rosa, await make(practice, rosa, Format.HTML))
    with pytest.raises(Refused, match="not_allowed"):
        await ask(
            practice.broker,
            ReadExport(visa=limited, patient_id=rosa, export_id=export.export_id, number=0),
        )
    other = practice.visa(
        Capacity.DELEGATE, patient_id=rosa, limits=frozenset(Limit), account_id=uuid4()
    )
    with pytest.raises(Refused, match=Refusal.UNKNOWN_EXPORT):
        await ask(
            practice.broker,
            ReadExport(visa=other, patient_id=rosa, export_id=export.export_id, number=0),
        )


async def test_what_is_cancelled_or_a_day_old_is_gone_with_all_that_was_made(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    export = await finished(practice, rosa, await make(practice, rosa, Format.ZIP))
    asked = CancelExport(visa=practice.patient(rosa), patient_id=rosa, export_id=export.export_id)
    await ask(practice.broker, asked)
    with pytest.raises(Refused, match=Refusal.UNKNOWN_EXPORT):
        await chunk(practice, rosa, export, 0)
    await finished(practice, rosa, await make(practice, rosa, Format.ZIP))
    servers = practice.servers
    ring = KeyRing.parse(servers.keys.key_ring)
    async with asyncpg.create_pool(
        servers.database_url("records"), server_settings={"search_path": "records"}
    ) as pool:
        assert await making.sweep(pool, ring, now=utcnow() + timedelta(hours=23)) == 0
        assert await making.sweep(pool, ring, now=utcnow() + timedelta(hours=25)) == 1
    [row] = await practice.sql("SELECT count(*) FROM content")
    assert row["count"] == 1  # the document


async def test_what_a_replica_did_not_finish_is_said_to_have_failed_and_is_begun_anew(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    key = uuid4()
    export = await finished(practice, rosa, await make(practice, rosa, Format.PDF, key=key))
    await practice.sql(
        "UPDATE export SET state = 'making', heard_at = now() - interval '31 seconds'"
    )
    assert (await finished(practice, rosa, export)).state is ExportState.FAILED
    with pytest.raises(Refused, match=Refusal.NOT_READY):
        await chunk(practice, rosa, export, 0)
    again = await finished(practice, rosa, await make(practice, rosa, Format.PDF, key=key))
    assert again.export_id != export.export_id
    assert again.state is ExportState.READY
