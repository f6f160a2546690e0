"""Results that staff type in or correct."""

from datetime import datetime
from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.base import Refused
from libs.contracts.records import AddResult, CorrectResult, Refusal, ResultKept
from libs.contracts.visa import Role, Visa
from libs.runtime import once
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.records import filing
from services.records.domain import typed
from services.records.domain.patient import name
from services.records.domain.result import (
    LOINC,
    Code,
    Moment,
    Precision,
    ReferenceRange,
    Result,
    ResultStatus,
)
from services.records.store import results as store

WHO = {Role.CLINICIAN, Role.ADMINISTRATOR}
"""Who may type in results: the front desk may not."""

router = NatsRouter()


@answers(router, AddResult)
async def add_result(asked: AddResult, pool: Database, now: Now, gate: AtGate) -> ResultKept:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO)
    test = name(asked.test_name)
    if not test:
        raise Refused(Refusal.VALUE_NOT_USABLE)
    band = ReferenceRange(
        low=typed.limit(asked.range_low),
        high=typed.limit(asked.range_high),
        text=asked.range_text,
    )
    loinc = asked.loinc.strip()
    code = Code(system=LOINC, code=loinc) if loinc else Code(system="text", code=test)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=AddResult):
            return earlier
        result = Result(
            source_id=f"staff {uuid7()}",
            patient_key="",
            code=code,
            name=test,
            value=typed.value(asked.value, asked.unit),
            status=ResultStatus.FINAL,
            collected=Moment(at=asked.collected_at, precision=Precision(asked.precision.value)),
            ranges=(band,) if (band.low, band.high, band.text) != (None, None, "") else (),
            comment=asked.comment,
        )
        reply = await _file(db, visa, asked.patient_id, result, now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=AddResult, reply=reply)
    return reply


@answers(router, CorrectResult)
async def correct_result(
    asked: CorrectResult, pool: Database, now: Now, gate: AtGate
) -> ResultKept:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=CorrectResult):
            return earlier
        row = await store.get_for_correction(
            db, visa.practice_id, asked.patient_id, asked.result_id
        )
        band = ReferenceRange(low=row["range_low"], high=row["range_high"], text=row["range_text"])
        result = Result(
            source_id=row["source_id"],
            patient_key="",
            code=Code(system=row["system"], code=row["code"]),
            name=row["name"],
            value=typed.value(asked.value, asked.unit or row["unit"]),
            status=ResultStatus.CORRECTED,
            collected=Moment(
                at=row["collected_at"],
                precision=Precision(row["precision"]),
                zoned=row["zoned"],
            )
            if row["collected_at"]
            else None,
            issued=Moment(at=now, precision=Precision.INSTANT),
            ranges=(band,) if (band.low, band.high, band.text) != (None, None, "") else (),
            specimen=row["specimen"],
            performer=row["performer"],
            orderer=row["orderer"],
            comment=asked.comment or row["comment"],
        )
        reply = await _file(db, visa, asked.patient_id, result, now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=CorrectResult, reply=reply)
    return reply


async def _file(
    db: Connection, visa: Visa, patient_id: UUID, result: Result, *, now: datetime
) -> ResultKept:
    await filing.file_results(db, visa.practice_id, patient_id, [result], import_id=None, now=now)
    known = await store.list_known(db, visa.practice_id, patient_id, [result.source_id])
    return ResultKept(result_id=known[result.source_id].id)
