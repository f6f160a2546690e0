"""A record that was sent, in the hands of somebody who means harm; and one that breaks off."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from libs.contracts.base import Refused
from libs.contracts.delegation import AccessRevoked
from libs.contracts.records.exports import Format
from libs.contracts.records.refusals import Refusal
from libs.contracts.records.sending import (
    DescribeSending,
    ListSendings,
    ReadSending,
    RevokeSending,
    SendingState,
    ShowDoor,
    Unlock,
    WriteBack,
)
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from libs.runtime.database import Pool, transaction
from libs.runtime.keyring import new_data_key
from services.records.domain import sending as rules
from services.records.domain.sending import SILENCE, Sending
from services.records.handlers.sending import unlocked
from services.records.sending import packing, ticket
from services.records.sending.locking import Locks
from services.records.store import sendings as store
from services.records.store import tries
from tests import parts
from tests.messaging import ward
from tests.records import office
from tests.records.office import Office
from tests.records.test_sending import PASSWORD, asked, listed, passport, refusal, sent, unlocks
from tests.servers import Servers
from tests.waiting import until


@pytest.fixture
async def practice(clean: Servers) -> AsyncIterator[Office]:
    async with office.opened(clean, ward.app(clean), with_identity=True) as opened:
        yield opened


@pytest.fixture
async def pool(clean: Servers) -> AsyncIterator[Pool]:
    """As records itself comes to the database."""
    async with asyncpg.create_pool(
        clean.database_url("records"), server_settings={"search_path": "records"}
    ) as connected:
        yield connected


async def newest(practice: Office, pool: Pool, rosa: UUID) -> Sending:
    async with transaction(pool, practice=practice.practice_id) as db:
        return (await store.list_sendings(db, practice.practice_id, rosa))[0]


async def test_what_the_password_gives_opens_for_half_an_hour_and_only_here(
    practice: Office, pool: Pool
) -> None:
    rosa = await practice.add_patient()
    await sent(practice, rosa)
    here, now, secret, key = await newest(practice, pool, rosa), utcnow(), new_data_key(), b"k" * 32
    written = ticket.written(here, secret, key, now=now)
    assert ticket.read(here, secret, written, now=now + timedelta(minutes=29, seconds=58)) == key
    for place, by, given, at in (
        (here, secret, written, now + timedelta(minutes=30)),
        (here, new_data_key(), written, now),
        (replace(here, id=uuid4()), secret, written, now),
        (replace(here, practice_id=uuid4()), secret, written, now),
        (here, secret, written[:-1], now),
        (here, secret, b"", now),
        (here, secret, key, now),
    ):
        with pytest.raises(Refused, match=Refusal.WRONG_PASSWORD):
            ticket.read(place, by, given, now=at)


async def test_a_link_works_up_to_its_last_moment(practice: Office, pool: Pool) -> None:
    rosa = await practice.add_patient()
    await sent(practice, rosa, days=7)
    sending = await newest(practice, pool, rosa)
    assert sending.expires_at == sending.sent_at + timedelta(days=7)
    before = sending.expires_at - timedelta(microseconds=1)
    assert sending.standing(now=before) is SendingState.SENT
    assert sending.standing(now=sending.expires_at) is SendingState.EXPIRED
    async with transaction(pool, practice=practice.practice_id) as db:
        assert not await tries.save_opened(db, sending, now=sending.expires_at)
        assert await tries.save_opened(db, sending, now=before)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("wq8#Lw2!vZr", Refusal.PASSWORD_TOO_SHORT),
        ("wq8#Lw2!vZr5", None),
        ("wq8#Lw2!vZr5".ljust(200, "."), None),
        ("wq8#Lw2!vZr5".ljust(201, "."), Refusal.PASSWORD_NOT_USABLE),
        ("wq8#" * 250_000, Refusal.PASSWORD_NOT_USABLE),
        ("wq8#Lw2!vZr5\ud800", Refusal.PASSWORD_NOT_USABLE),
    ],
    ids=["11", "12", "200", "201", "a million", "half a character"],
)
def test_a_password_has_12_to_200_characters(password: str, code: Refusal | None) -> None:
    if code is None:
        assert rules.password(password) == password
        return
    with pytest.raises(Refused, match=code):
        rules.password(password)


async def test_a_password_is_the_same_however_a_keyboard_composes_it(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa, password="blåbär-orbit-tundra-lemon")
    typed = unicodedata.normalize("NFD", "blåbär-orbit-tundra-lemon")
    assert (await unlocks(practice, token, typed)).patient == "Rosa Alvarez"


async def test_the_key_itself_is_handed_to_nobody(practice: Office, pool: Pool) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    handed = (await unlocks(practice, token)).key
    sending = await newest(practice, pool, rosa)
    key = unlocked(await Locks().key(PASSWORD, sending.salt, sending.cost), sending)
    link_key = (await ask(practice.broker, ShowDoor(token=token))).link_key
    assert key not in handed
    assert await refusal(practice, Unlock(token=token, key=key)) == Refusal.WRONG_PASSWORD
    with pytest.raises(Refused):  # what the link shows opens no ticket
        ticket.read(sending, link_key, handed, now=utcnow())


async def test_what_opens_one_record_opens_no_other(practice: Office) -> None:
    rosa, zoe = await practice.add_patient(), await practice.add_patient(given="Zoe")
    one, other = await sent(practice, rosa), await sent(practice, zoe)
    key = (await unlocks(practice, one)).key
    for request in (
        Unlock(token=other, key=key),
        ReadSending(token=other, key=key, format=Format.PDF, number=0),
        WriteBack(token=other, key=key, note="Hello"),
    ):
        assert await refusal(practice, request) == Refusal.WRONG_PASSWORD
    for number in (-1, 10**6):
        beyond = ReadSending(token=one, key=key, format=Format.PDF, number=number)
        assert await refusal(practice, beyond) == Refusal.UNKNOWN_SENDING
    assert (await ask(practice.broker, ShowDoor(token=other))).tries_left == 5


async def test_fifty_guesses_at_once_are_five_and_lock_it(practice: Office) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    guesses = [refusal(practice, Unlock(token=token, password=f"guess {n}")) for n in range(50)]
    said = await asyncio.gather(*guesses)
    assert said.count(Refusal.WRONG_PASSWORD) == 5
    assert said.count(Refusal.SENDING_LOCKED) + said.count(Refusal.BUSY) == 45
    assert (await listed(practice, rosa))[0].state is SendingState.LOCKED


async def test_a_try_that_nobody_had_time_for_is_none(
    practice: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    with monkeypatch.context() as crowd:
        crowd.setattr("services.records.sending.locking.Locks.key", _busy)
        assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.BUSY
    assert (await ask(practice.broker, ShowDoor(token=token))).tries_left == 5


async def _busy(*_: object) -> bytes:
    raise Refused(Refusal.BUSY)


async def test_a_stranger_who_locks_a_link_locks_no_other_and_the_sender_sends_again(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    token = await sent(practice, rosa)
    for _ in range(5):
        await refusal(practice, Unlock(token=token, password="not-the-password"))
    again = await sent(practice, rosa)
    assert (await unlocks(practice, again)).patient == "Rosa Alvarez"
    assert [one.state for one in await listed(practice, rosa)] == [
        SendingState.OPENED,
        SendingState.LOCKED,
    ]


async def test_what_counts_as_failed_is_never_sent_after_all_and_leaves_nothing(
    practice: Office, pool: Pool
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    token = await sent(practice, rosa)
    now = utcnow()
    await practice.sql(
        "UPDATE sending SET state = 'packing', heard_at = $1", now - SILENCE - timedelta(seconds=1)
    )
    assert (await listed(practice, rosa))[0].state is SendingState.FAILED
    sending = await newest(practice, pool, rosa)
    async with transaction(pool, practice=practice.practice_id) as db:
        assert not await store.keep_word(db, sending, now=now)
        assert not await store.save_packed(db, sending, now=now)
    assert await packing.sweep(pool, now=now) == 1
    assert (await listed(practice, rosa))[0].state is SendingState.FAILED
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.SENDING_OVER
    for table in ("sending_content", "sending_chunk", "sending_file", "sending_segment"):
        assert await practice.sql(f"SELECT FROM {table}") == []


async def test_its_sender_sees_how_far_packing_has_come(practice: Office) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    await sent(practice, rosa)
    await practice.sql("UPDATE sending SET state = 'packing', heard_at = $1", utcnow())
    [one] = await listed(practice, rosa)
    assert (one.state, one.packed, one.holds.size) == (SendingState.PACKING, 8, 8)
    await practice.sql("DELETE FROM sending_file")
    await practice.sql("DELETE FROM sending_content")
    assert (await listed(practice, rosa))[0].packed == 0


async def test_whose_access_is_revoked_while_it_is_packed_has_sent_nothing(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    await practice.file(rosa, b"%PDF-1.7")
    async with _nothing_can_be_packed(practice):
        off = await ask(practice.broker, asked(practice, rosa), within=20)
        await _revoke(practice, rosa)
        await asyncio.sleep(0.2)

    async def failed() -> bool:
        return (await listed(practice, rosa))[0].state is SendingState.FAILED

    await until(failed, within=20)
    asked_for = DescribeSending(practice_id=practice.practice_id, sending_id=off.sending_id)
    async with parts.asking(practice.servers, "notifier") as notifier:
        with pytest.raises(Refused, match=Refusal.SENDING_OVER):
            await ask(notifier, asked_for)


async def test_the_patient_takes_back_what_somebody_sent_whose_access_is_over(
    practice: Office,
) -> None:
    rosa = await practice.add_patient()
    ana = replace(practice, account_id=uuid4())
    limits = {"patient_id": rosa, "limits": frozenset(Limit)}
    visa = ana.visa(Capacity.DELEGATE, actor_name="Ana Ruiz", **limits)
    token = await sent(practice, rosa, visa=visa, passport=passport(ana))
    [one] = await listed(practice, rosa)
    assert (one.sender, one.sender_id) == ("Ana Ruiz for Rosa Alvarez", ana.account_id)
    visa = ana.visa(Capacity.DELEGATE, **limits)
    await _revoke(ana, rosa)
    revoke = RevokeSending(visa=visa, patient_id=rosa, sending_id=one.sending_id)
    await until(lambda: _is_refused(practice, revoke))
    assert (await unlocks(practice, token)).sender == one.sender
    revoke = revoke.model_copy(update={"visa": practice.patient(rosa)})
    await ask(practice.broker, revoke)
    assert await refusal(practice, Unlock(token=token, password=PASSWORD)) == Refusal.SENDING_OVER
    zoe = await practice.add_patient(given="Zoe")
    elsewhere = {"visa": practice.patient(zoe), "patient_id": zoe}
    assert await refusal(practice, revoke.model_copy(update=elsewhere)) == Refusal.UNKNOWN_SENDING


async def _is_refused(practice: Office, revoke: RevokeSending) -> bool:
    listing = ListSendings(visa=revoke.visa, patient_id=revoke.patient_id)
    try:
        await ask(practice.broker, listing)
    except Refused:
        return await refusal(practice, revoke) == "not_allowed"
    return False


@asynccontextmanager
async def _nothing_can_be_packed(practice: Office) -> AsyncIterator[None]:
    """The packer waits meanwhile."""
    db = await asyncpg.connect(
        practice.servers.database_url("admin"), server_settings={"search_path": "records"}
    )
    async with db.transaction():
        await db.execute("LOCK TABLE sending_content IN ACCESS EXCLUSIVE MODE")
        yield
    await db.close()


async def _revoke(practice: Office, rosa: UUID) -> None:
    """The end of this account's access, as delegation announces it."""
    now = utcnow()
    revoked = AccessRevoked(
        practice_id=practice.practice_id,
        patient_id=rosa,
        account_id=practice.account_id,
        at=now,
        revoked_at=now,
        invitation_id=uuid4(),
        invitation_version=1,
    )
    async with parts.asking(practice.servers, "delegation") as delegation:
        await delegation.publish(revoked, AccessRevoked.subject)
