"""A record is closed to its patient by the practice, and opened again."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.base import Done
from libs.contracts.records.sending import SendingEnded
from libs.contracts.records.standing import DeactivatePatient, ReactivatePatient, StandingChanged
from libs.contracts.visa import Role, Visa
from libs.runtime import outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.records.activity import enter, enter_all
from services.records.domain import standing as rules
from services.records.domain.activity import Happened, actor_of
from services.records.store import patients, sendings

WHO_MAY = (Role.ADMINISTRATOR, Role.CLINICIAN)

router = NatsRouter()


@answers(router, DeactivatePatient)
async def deactivate_patient(
    asked: DeactivatePatient, pool: Database, now: Now, gate: AtGate
) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO_MAY)
    closing = rules.Closing(at=now, by=visa.actor_name, reason=rules.why(asked.reason))
    async with transaction(pool, practice=visa.practice_id) as db:
        patient = await patients.lock_patient(db, visa.practice_id, asked.patient_id)
        if not patient.active:
            return Done()
        await _save(db, visa, patient.patient_id, closing)
        for sending_id in await sendings.list_open(db, visa.practice_id, asked.patient_id, now=now):
            place = {"practice_id": visa.practice_id, "sending_id": sending_id}
            await outbox.announce(db, SendingEnded(**place))
        happened = Happened(
            patient_id=asked.patient_id,
            actor=actor_of(visa),
            act=Act.DEACTIVATED_PATIENT,
            reason=closing.reason,
            at=now,
        )
        await enter_all(db, visa.practice_id, [happened])
    return Done()


@answers(router, ReactivatePatient)
async def reactivate_patient(
    asked: ReactivatePatient, pool: Database, now: Now, gate: AtGate
) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=WHO_MAY)
    async with transaction(pool, practice=visa.practice_id) as db:
        patient = await patients.lock_patient(db, visa.practice_id, asked.patient_id)
        if patient.active:
            return Done()
        await _save(db, visa, patient.patient_id, None)
        await enter(db, visa, asked.patient_id, Act.REACTIVATED_PATIENT, now=now)
    return Done()


async def _save(
    db: Connection, visa: Visa, patient_id: UUID, closing: rules.Closing | None
) -> None:
    """Kept here, and told to everyone who lets somebody see it."""
    change = await patients.save_standing(db, visa.practice_id, patient_id, closing)
    told = StandingChanged(
        practice_id=visa.practice_id,
        patient_id=patient_id,
        active=closing is None,
        change=change,
    )
    await outbox.announce(db, told)
