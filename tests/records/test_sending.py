"""A record sent to somebody: locked, opened with the password alone, and taken back."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.contracts.activity import Act
from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.messaging.mailbox import Letter, ReadLetters
from libs.contracts.messaging.queue import ListQueue
from libs.contracts.records.activity import ListActivity
from libs.contracts.records.exports import Format, Kind, Selection
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    OPEN_AT_ONCE,
    Addressee,
    DescribeNote,
    DescribeSending,
    ListSendings,
    ReadSending,
    RecordSent,
    RevokeSending,
    Sending,
    SendingState,
    SendingTold,
    SendRecord,
    ShowDoor,
    Unlock,
    Unlocked,
    WriteBack,
)
from libs.contracts.visa import Limit, Passport
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.records.sending import packing
from tests import parts
from tests.messaging import ward
from tests.records import office
from tests.records.office import Office
from tests.records.test_exports import in_ccda, in_fhir, in_page, message, result
from tests.servers import Servers
from tests.waiting import until

PASSWORD = "maple-orbit-tundra-lemon"
CANARY = "Zwergspitzmaus"


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


def passport(practice: Office, *, proven_at: datetime | None = None) -> str:
    now = utcnow()
    said = Passport(
        session_id=uuid4(),
        account_id=practice.account_id,
        name="Rosa Alvarez",
        proven_at=proven_at or now,
        issued_at=now,
        expires_at=now + timedelta(seconds=10),
    )
    return parts.sealed(practice.servers, said, by="identity")


def asked(practice: Office, rosa: UUID, **changes: Any) -> SendRecord:
    said: dict[str, Any] = {
        "visa": practice.patient(rosa),
        "passport": passport(practice),
        "patient_id": rosa,
        "key": uuid4(),
        "recipient": "dr.okafor@clinic.example.com",
        "selection": Selection(kinds=frozenset(Kind)),
        "notes": f"Dear Dr. Okafor,\n{CANARY}",
        "password": PASSWORD,
    }
    return SendRecord(**said | changes)


async def listed(practice: Office, rosa: UUID) -> list[Sending]:
    found = await ask(practice.broker, ListSendings(visa=practice.patient(rosa), patient_id=rosa))
    return list(found.sendings)


async def sent(practice: Office, rosa: UUID, **changes: Any) -> str:
    """A record that is packed; the end of its link."""
    off = await ask(practice.broker, asked(practice, rosa, **changes), within=20)

    async def packed() -> bool:
        [one] = [one for one in await listed(practice, rosa) if one.sending_id == off.sending_id]
        assert one.state is not SendingState.FAILED
        return one.state is not SendingState.PACKING

    await until(packed, within=60)
    async with parts.asking(practice.servers, "notifier") as notifier:
        letter = await ask(
            notifier,
            DescribeSending(practice_id=practice.practice_id, sending_id=off.sending_id),
        )
    assert letter.email == "dr.okafor@clinic.example.com"
    return letter.path.removeprefix("/shared/")


async def unlocks(practice: Office, token: str, password: str = PASSWORD) -> Unlocked:
    return await ask(practice.broker, Unlock(token=token, password=password), within=20)


async def taken(practice: Office, token: str, opened: Unlocked, wanted: Format) -> bytes:
    size = next(file.size for file in opened.files if file.format is wanted)
    chunks = [
        (
            await ask(
                practice.broker,
                ReadSending(token=token, key=opened.key, format=wanted, number=number),
            )
        ).data
        for number in range(-(-size // CHUNK_SIZE))
    ]
    assert sum(map(len, chunks)) == size
    return b"".join(chunks)


async def test_no_more_than_twenty_sent_records_are_kept_at_once(practice: Office) -> None:
    rosa = await practice.add_patient()
    keys = [uuid4() for _ in range(OPEN_AT_ONCE)]
    first, *_ = [
        await ask(practice.broker, asked(practice, rosa, key=key), within=20) for key in keys
    ]
    assert await refusal(practice, asked(practice, rosa)) == Refusal.TOO_MANY_SENDINGS
    again = asked(practice, rosa, key=keys[0])
    assert await ask(practice.broker, again, within=20) == first
    assert len(await listed(practice, rosa)) == OPEN_AT_ONCE
    await ask(practice.broker, asked(practice, await practice.add_patient()), within=20)

    async def all_packed() -> bool:
        return {one.state for one in await listed(practice, rosa)} == {SendingState.SENT}

    await until(all_packed, within=60)
    assert await refusal(practice, asked(practice, rosa)) == Refusal.TOO_MANY_SENDINGS
    back = RevokeSending(visa=practice.patient(rosa), patient_id=rosa, sending_id=first.sending_id)
    await ask(practice.broker, back)
    await ask(practice.broker, asked(practice, rosa), within=20)


async def refusal(practice: Office, request: Any) -> str:
    try:
        await ask(practice.broker, request, within=20)
    except Refused as refused:
        return refused.code
    raise AssertionError("it was not refused")


async def acts(practice: Office, rosa: UUID) -> list[tuple[Act, str, str]]:
    page = await ask(practice.broker, ListActivity(visa=practice.patient(rosa), patient_id=rosa))
    return [(entry.act, entry.actor_name, entry.subject) for entry in page.entries]


async def test_whoever_has_link_and_password_gets_all_that_was_chosen(practice: Office) -> None:
    rosa = await practice.add_patient()
    paper = f"{CANARY} ".encode() * 40_000
    items = {
        str(await result(practice, rosa, utcnow() - timedelta(days=3))),
        str(await practice.file(rosa, paper, title=f"About {CANARY}", file_name="a.txt")),
        str(await message(practice, rosa, CANARY)),
    }
    token = await sent(practice, rosa)
    door = await ask(practice.broker, ShowDoor(token=token))
    assert (door.state, door.practice.name) == (SendingState.SENT, "Lakeside Oncology")
    opened = await unlocks(practice, token)
    assert (opened.patient, opened.notes) == ("Rosa Alvarez", f"Dear Dr. Okafor,\n{CANARY}")
    assert [file.format for file in opened.files] == list(Format)
    assert in_page(await taken(practice, token, opened, Format.HTML)) == items
    assert in_fhir(await taken(practice, token, opened, Format.FHIR)) == items
    assert in_ccda(await taken(practice, token, opened, Format.CCDA)) == items
    archive = zipfile.ZipFile(io.BytesIO(await taken(practice, token, opened, Format.ZIP)))
    assert archive.testzip() is None
    assert paper in [archive.read(name) for name in archive.namelist()]
    [one] = await listed(practice, rosa)
    assert (one.state, one.holds.results, one.holds.documents) == (SendingState.OPENED, 1, 1)
    assert (await acts(practice, rosa))[:2] == [
        (Act.OPENED_SENT_RECORD, "dr.okafor@clinic.example.com", "dr.okafor@clinic.example.com"),
        (Act.SENT_RECORD, "", "dr.okafor@clinic.example.com"),
    ]


async def test_nothing_that_is_stored_or_announced_says_what_was_sent(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, CANARY.encode() * 100, title="Letter", file_name="a.txt")
    token = await sent(practice, rosa)
    opened = await unlocks(practice, token)
    stored = b""
    for table in ("sending", "sending_content", "sending_chunk", "sending_file", "outbox"):
        rows = await practice.sql(f"SELECT t::text AS row FROM {table} t")
        stored += "\n".join(row["row"] for row in rows).encode()
        stored += b"".join(
            bytes.fromhex(part.partition('"')[0].partition(",")[0])
            for row in rows
            for part in row["row"].split("\\x")[1:]
            if len(part.partition('"')[0].partition(",")[0]) % 2 == 0
        )
    for event in (RecordSent, SendingTold):
        for told in await parts.stored(practice.servers, event):
            stored += told.model_dump_json().encode()
    assert b"okafor" in stored  # what is looked through is really there
    for secret in (CANARY.encode(), PASSWORD.encode(), opened.key, opened.key.hex().encode()):
        assert secret not in stored
    assert token.encode() not in stored


async def test_five_wrong_passwords_lock_it_and_its_sender_is_told(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    for left in range(4, -1, -1):
        wrong = Unlock(token=token, password="not-the-password")
        assert await refusal(practice, wrong) == Refusal.WRONG_PASSWORD
        assert (await ask(practice.broker, ShowDoor(token=token))).tries_left == left
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == (
        Refusal.SENDING_LOCKED
    )
    assert (await listed(practice, rosa))[0].state is SendingState.LOCKED
    told = await until(lambda: parts.stored(practice.servers, SendingTold))
    assert [one.state for one in told] == [SendingState.LOCKED]


async def test_many_tries_at_once_are_no_more_than_five(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    wrong = [refusal(practice, Unlock(token=token, password=f"wrong {n}")) for n in range(12)]
    said = await asyncio.gather(*wrong)
    assert said.count(Refusal.WRONG_PASSWORD) <= 5
    assert set(said) <= {Refusal.WRONG_PASSWORD, Refusal.SENDING_LOCKED, Refusal.BUSY}
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == (
        Refusal.SENDING_LOCKED
    )


async def test_wrong_passwords_count_for_good_whatever_right_ones_come_between(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    for left in (4, 3, 2, 1):
        await refusal(practice, Unlock(token=token, password="not-the-password"))
        await unlocks(practice, token)
        assert (await ask(practice.broker, ShowDoor(token=token))).tries_left == left
    await refusal(practice, Unlock(token=token, password="not-the-password"))
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == (
        Refusal.SENDING_LOCKED
    )


async def test_software_says_for_whom_it_opens_a_record_and_the_log_has_it(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    for opener in ("St. Anna\n Hospital", "x" * 201, "\x00"):
        asked = Unlock(token=token, password=PASSWORD, opener=opener)
        await ask(practice.broker, asked, within=20)
    opened = [subject for act, _, subject in await acts(practice, rosa) if "opened" in act]
    assert opened == ["dr.okafor@clinic.example.com", "x" * 200, "St. Anna Hospital"]


async def test_what_is_revoked_opens_nothing_from_that_moment_on(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    token = await sent(practice, rosa)
    opened = await unlocks(practice, token)
    [one] = await listed(practice, rosa)
    await ask(
        practice.broker,
        RevokeSending(visa=practice.patient(rosa), patient_id=rosa, sending_id=one.sending_id),
    )
    key = opened.key
    for request in (
        Unlock(token=token, password=PASSWORD),
        Unlock(token=token, key=key),
        ReadSending(token=token, key=key, format=Format.PDF, number=0),
        WriteBack(token=token, key=key, note="Hello"),
    ):
        assert await refusal(practice, request) == Refusal.SENDING_OVER
    for table in ("sending_content", "sending_chunk", "sending_file", "sending_segment"):
        assert await practice.sql(f"SELECT FROM {table}") == []
    [row] = await practice.sql("SELECT wrapped, notes FROM sending")
    assert (row["wrapped"], row["notes"]) == (None, b"")
    assert (await acts(practice, rosa))[0][0] is Act.REVOKED_SENT_RECORD


async def test_what_has_had_its_time_opens_nothing_and_is_swept_away(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa, days=7)
    await practice.sql("UPDATE sending SET expires_at = now()")
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.SENDING_OVER
    assert (await listed(practice, rosa))[0].state is SendingState.EXPIRED
    import asyncpg

    async with asyncpg.create_pool(
        practice.servers.database_url("records"), server_settings={"search_path": "records"}
    ) as pool:
        assert await packing.sweep(pool, now=utcnow()) == 1
        assert await packing.sweep(pool, now=utcnow()) == 0
    assert await practice.sql("SELECT FROM sending_chunk") == []


async def test_a_link_that_was_tampered_with_leads_nowhere(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    last = "A" if token[-2] != "A" else "B"
    for wrong in ("", "nonsense", token[:-2] + last + token[-1], token[:-4], f"{token}AAAA"):
        assert await refusal(practice, ShowDoor(token=wrong)) == Refusal.UNKNOWN_SENDING
        assert await refusal(practice, Unlock(token=wrong, password=PASSWORD)) == (
            Refusal.UNKNOWN_SENDING
        )
    assert await refusal(practice, Unlock(token=token, key=bytes(32))) == Refusal.WRONG_PASSWORD
    wrong_key = ReadSending(token=token, key=bytes(32), format=Format.PDF, number=0)
    assert await refusal(practice, wrong_key) == Refusal.WRONG_PASSWORD


async def test_the_recipient_writes_back_once_and_the_sender_reads_it(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    opened = await unlocks(practice, token)
    await ask(practice.broker, WriteBack(token=token, key=opened.key, note="Thank you, Rosa."))
    assert (await listed(practice, rosa))[0].note == "Thank you, Rosa."
    again = WriteBack(token=token, key=opened.key, note="And once more.")
    assert await refusal(practice, again) == Refusal.WRITTEN_ALREADY
    [row] = await practice.sql("SELECT note FROM sending")
    assert b"Thank" not in row["note"]


async def test_a_note_for_the_care_team_is_a_message_that_staff_and_patient_read(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    opened = await unlocks(practice, token)
    note = WriteBack(token=token, key=opened.key, note=CANARY, to=Addressee.CARE_TEAM)
    await ask(practice.broker, note)

    async def arrived() -> list[Letter]:
        asked = ReadLetters(visa=practice.patient(rosa), patient_id=rosa)
        async with parts.asking(practice.servers, "records") as records:
            return list((await ask(records, asked)).letters)

    [letter] = await until(arrived)
    assert (letter.body, letter.from_practice) == (CANARY, False)
    assert letter.author == "dr.okafor@clinic.example.com (was sent the record)"
    queue = await ask(practice.broker, ListQueue(visa=practice.staff))
    assert [case.on_behalf for case in queue.cases] == [letter.author]
    [one] = await listed(practice, rosa)
    assert (one.note, one.note_to) == (CANARY, Addressee.CARE_TEAM)
    assert (await acts(practice, rosa))[0][0] is Act.ANSWERED_SENT_RECORD
    async with parts.asking(practice.servers, "messaging") as messaging:
        place = {"practice_id": practice.practice_id, "sending_id": one.sending_id}
        assert (await ask(messaging, DescribeNote(**place))).note == CANARY


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "a" * 11}, Refusal.PASSWORD_TOO_SHORT),
        ({"password": "Password123456"}, Refusal.PASSWORD_GUESSABLE),
        ({"password": "Dr.Okafor@clinic.example.com"}, Refusal.PASSWORD_GUESSABLE),
        ({"password": "Rosa-Alvarez"}, Refusal.PASSWORD_GUESSABLE),
        ({"password": "lakeside oncology"}, Refusal.PASSWORD_GUESSABLE),
        ({"password": "a" * 201}, Refusal.PASSWORD_NOT_USABLE),
        ({"password": "a" * 12 + "\x00"}, Refusal.PASSWORD_NOT_USABLE),
        ({"recipient": ""}, Refusal.EMAIL_MISSING),
        ({"recipient": "a@example.com, b@example.com"}, Refusal.EMAIL_NOT_USABLE),
        ({"recipient": "a@example.com\r\nBcc: b@example.com"}, Refusal.EMAIL_NOT_USABLE),
        ({"notes": "n" * 1001}, Refusal.NOTES_TOO_LONG),
        ({"selection": Selection(kinds=frozenset())}, "not_allowed"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_reason(
    practice: Office, changes: dict[str, Any], code: str
) -> None:
    rosa = await practice.add_patient()
    assert await refusal(practice, asked(practice, rosa, **changes)) == code
    assert await listed(practice, rosa) == []


async def test_only_who_may_send_and_has_proved_who_they_are_sends(practice: Office) -> None:
    rosa = await practice.add_patient()
    old = passport(practice, proven_at=utcnow() - timedelta(minutes=10))
    assert await refusal(practice, asked(practice, rosa, passport=old)) == Refusal.PROOF_NEEDED
    without = practice.patient(rosa, [Limit.RESULTS, Limit.DOCUMENTS, Limit.MESSAGES])
    assert await refusal(practice, asked(practice, rosa, visa=without)) == "not_allowed"
    labs_only = practice.patient(rosa, [Limit.SENDING, Limit.RESULTS])
    assert await refusal(practice, asked(practice, rosa, visa=labs_only)) == "not_allowed"
    assert await refusal(practice, asked(practice, rosa, visa=practice.staff)) == "not_allowed"
    assert await listed(practice, rosa) == []


async def test_the_same_form_sends_once(practice: Office) -> None:
    rosa = await practice.add_patient()
    key = uuid4()
    first = await ask(practice.broker, asked(practice, rosa, key=key), within=20)
    again = await ask(practice.broker, asked(practice, rosa, key=key), within=20)
    assert first == again
    assert len(await listed(practice, rosa)) == 1


async def test_what_a_replica_did_not_finish_has_failed(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    await practice.sql(
        "UPDATE sending SET state = 'packing', heard_at = now() - interval '31 seconds'"
    )
    assert (await listed(practice, rosa))[0].state is SendingState.FAILED
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.SENDING_OVER
