"""A record handed over: counted, made into a file, and read a chunk at a time."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate, Gate, NotAllowed
from libs.contracts.activity import Act
from libs.contracts.base import Done, Refused
from libs.contracts.content import CHUNK_SIZE, Chunk
from libs.contracts.identity.practices import Practice, ShowPractice
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
from libs.contracts.records.refusals import Refusal
from libs.contracts.visa import Capacity, Visa
from libs.runtime.broker import Asking, answers, ask
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from libs.vault.vault import NothingStored, Vault
from services.records.activity import enter
from services.records.domain import export as rules
from services.records.domain.chart import file_name, may_choose
from services.records.exporting import loading, unspooling
from services.records.exporting.making import AtMakers
from services.records.exporting.spool import forget
from services.records.means import AtKeyRing
from services.records.store import exports as store

router = NatsRouter()


@answers(router, CountSelection)
async def count_selection(
    asked: CountSelection, pool: Database, now: Now, gate: AtGate, broker: Asking
) -> Counted:
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    _assure(visa, asked.selection.kinds)
    place = asked.patient_id, asked.selection
    practice = await ask(broker, ShowPractice(practice_id=visa.practice_id))
    letters = await loading.count_letters(broker, asked.visa, practice, *place)
    async with transaction(pool, practice=visa.practice_id) as db:
        return await loading.count(db, practice, *place, letters=letters)


@answers(router, MakeExport)
async def make_export(  # noqa: PLR0913
    asked: MakeExport,
    pool: Database,
    now: Now,
    gate: AtGate,
    ring: AtKeyRing,
    broker: Asking,
    makers: AtMakers,
) -> Export:
    """Messages are asked for while the visa holds; the rest is made afterwards."""
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    _assure(visa, asked.selection.kinds)
    place = asked.patient_id, asked.selection
    practice = await ask(broker, ShowPractice(practice_id=visa.practice_id))
    letters = await loading.read_letters(broker, asked.visa, practice, *place)
    wanted = _wanted(asked, visa, practice, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        export = await store.add_export(db, wanted)
        if export.state is ExportState.FAILED or export.is_lost(now=now):
            await forget(Vault(db, ring, visa.practice_id), export.id)
            export = await store.add_export(db, wanted)
        if export.id == wanted.id:
            act, subject = _said(asked)
            await enter(db, visa, asked.patient_id, act, subject, now=now)
    if export.id == wanted.id:
        fetch = loading.letter_files(broker, practice.practice_id, asked.patient_id)
        makers.begin(pool, export, practice, chosen=asked.selection, letters=letters, fetch=fetch)
    return rules.shown(export, now=now)


@answers(router, ShowExport)
async def show_export(asked: ShowExport, pool: Database, now: Now, gate: AtGate) -> Export:
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        export = await store.get_export(
            db,
            visa.practice_id,
            asked.patient_id,
            asked.export_id,
            account_id=visa.account_id,
        )
    return rules.shown(export, now=now)


@answers(router, ReadExport)
async def read_export(
    asked: ReadExport, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Chunk:
    """What the visa holds is looked at for each chunk: an access may end in the middle."""
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        export = await store.get_export(
            db,
            visa.practice_id,
            asked.patient_id,
            asked.export_id,
            account_id=visa.account_id,
        )
        _assure(visa, export.kinds)
        if export.state is not ExportState.READY:
            raise Refused(Refusal.NOT_READY)
        begin, stop = asked.number * CHUNK_SIZE, min((asked.number + 1) * CHUNK_SIZE, export.size)
        if not 0 <= begin < stop:
            raise Refused(Refusal.UNKNOWN_EXPORT)
        vault = Vault(db, ring, visa.practice_id)
        segments = await store.list_segments(
            db, visa.practice_id, export.id, begin=begin, stop=stop
        )
        try:
            data = await unspooling.read(vault, segments, begin=begin, stop=stop)
        except NothingStored:
            raise Refused(Refusal.UNKNOWN_EXPORT) from None
    return Chunk(data=data, last=stop == export.size)


@answers(router, CancelExport)
async def cancel_export(
    asked: CancelExport, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    """Whoever is still making it finds out, and then forgets what was made, which none else can."""
    visa = _admit(gate, asked.visa, asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        export = await store.get_export(
            db,
            visa.practice_id,
            asked.patient_id,
            asked.export_id,
            account_id=visa.account_id,
        )
        if not await store.save_state(db, export, ExportState.FAILED):
            await forget(Vault(db, ring, visa.practice_id), export.id)
    return Done()


def _admit(gate: Gate, sealed: str, patient_id: UUID, *, now: datetime) -> Visa:
    """The patient, or a delegate; staff have the record itself."""
    visa = gate.admit(sealed, now=now, patient_id=patient_id)
    if visa.capacity not in (Capacity.SELF, Capacity.DELEGATE):
        raise NotAllowed
    return visa


def _assure(visa: Visa, kinds: frozenset[Kind]) -> None:
    """Every part that is chosen is part of the access."""
    if not may_choose(visa, kinds):
        raise NotAllowed


def _wanted(asked: MakeExport, visa: Visa, practice: Practice, *, now: datetime) -> rules.Export:
    return rules.Export(
        practice_id=visa.practice_id,
        id=uuid7(),
        patient_id=asked.patient_id,
        account_id=visa.account_id,
        key=asked.key,
        format=asked.format,
        kinds=asked.selection.kinds,
        file_name=f"{file_name(now, practice)}.{rules.ENDINGS[asked.format]}",
        media_type=rules.MEDIA_TYPES[asked.format],
        state=ExportState.MAKING,
        total=rules.steps(asked.format),
        begun_at=now,
        heard_at=now,
    )


def _said(asked: MakeExport) -> tuple[Act, str]:
    """What stands in the log of it."""
    days = _days(asked.selection)
    if asked.format is Format.HTML:
        return Act.SAW_RECORD, days
    return Act.DOWNLOADED_RECORD, f"{asked.format} {days}"


def _days(selection: Selection) -> str:
    """An interval of days, with `..` for an open end (ISO 8601-2)."""
    start, end = selection.start, selection.end
    return f"{start.isoformat() if start else '..'}/{end.isoformat() if end else '..'}"
