"""Results that staff type in or correct."""

from uuid import UUID

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.records.health import AddResult, CorrectResult, ResultKept
from libs.contracts.visa import Role
from libs.runtime import once
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.records import filing
from services.records.activity import enter
from services.records.domain import typed
from services.records.domain.result import (
    Code,
    Moment,
    Precision,
    ReferenceRange,
    Result,
    ResultStatus,
)
from services.records.store import patients
from services.records.store import results as store

WHO = {Role.CLINICIAN, Role.ADMINISTRATOR}
"""Who may type in results: the front desk may not."""

router = NatsRouter()


@answers(router, AddResult)
async def add_result(asked: AddResult, pool: Database, now: Now, gate: AtGate) -> ResultKept:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO)
    name, code = typed.test(asked.test_name, asked.loinc)
    result = Result(
        source_id=f"staff {uuid7()}",
        patient_key="",
        code=code,
        name=name,
        value=typed.value(asked.value, asked.unit),
        status=ResultStatus.FINAL,
        collected=Moment(
            at=typed.collected(asked.collected_at, now=now),
            precision=Precision(asked.precision.value),
        ),
        ranges=_ranges(
            ReferenceRange(
                low=typed.limit(asked.range_low),
                high=typed.limit(asked.range_high),
                text=typed.line(asked.range_text, typed.LONGEST_NAME),
            )
        ),
        comment=typed.comment(asked.comment),
    )
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=AddResult):
            return earlier
        place: tuple[UUID, UUID] = (visa.practice_id, asked.patient_id)
        await filing.file_results(db, *place, [result], import_id=None, now=now)
        reply = ResultKept(result_id=await store.get_id(db, *place, result.source_id))
        await once.keep(db, asked.key, by=visa.account_id, what=AddResult, reply=reply)
        await enter(db, visa, asked.patient_id, Act.ADDED_RESULT, reply.result_id, now=now)
    return reply


@answers(router, CorrectResult)
async def correct_result(
    asked: CorrectResult, pool: Database, now: Now, gate: AtGate
) -> ResultKept:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO)
    reply = ResultKept(result_id=asked.result_id)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=visa.account_id, what=CorrectResult):
            return earlier
        place: tuple[UUID, UUID] = (visa.practice_id, asked.patient_id)
        await patients.lock_patient(db, *place)
        row = await store.get_for_correction(db, *place, asked.result_id)
        collected, issued = row["collected_at"], max(now, row["issued_at"] or now)
        result = Result(
            source_id=row["source_id"],
            patient_key="",
            code=Code(system=row["system"], code=row["code"]),
            name=row["name"],
            value=typed.value(asked.value, asked.unit or row["unit"]),
            status=ResultStatus.CORRECTED,
            collected=collected
            and Moment(at=collected, precision=Precision(row["precision"]), zoned=row["zoned"]),
            issued=Moment(at=issued, precision=Precision.INSTANT),
            ranges=_ranges(
                ReferenceRange(low=row["range_low"], high=row["range_high"], text=row["range_text"])
            ),
            specimen=row["specimen"],
            performer=row["performer"],
            orderer=row["orderer"],
            comment=typed.comment(asked.comment) or row["comment"],
        )
        await filing.file_results(db, *place, [result], import_id=None, now=now)
        await once.keep(db, asked.key, by=visa.account_id, what=CorrectResult, reply=reply)
        await enter(db, visa, asked.patient_id, Act.CORRECTED_RESULT, reply.result_id, now=now)
    return reply


def _ranges(band: ReferenceRange) -> tuple[ReferenceRange, ...]:
    """A range, if it says anything."""
    return () if band == ReferenceRange() else (band,)
