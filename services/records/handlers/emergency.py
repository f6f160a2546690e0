"""A chart is opened in an emergency, by somebody whose role does not include it."""

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.activity import Act
from libs.contracts.records.emergency import LASTS, ChartOpened, EmergencyAccess, OpenChart
from libs.contracts.visa import Role
from libs.runtime import once, outbox
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from services.records.activity import enter_all
from services.records.domain import emergency as rules
from services.records.domain.activity import Happened, actor_of
from services.records.store import emergencies as store
from services.records.store import patients

router = NatsRouter()


@answers(router, OpenChart)
async def open_chart(asked: OpenChart, pool: Database, now: Now, gate: AtGate) -> EmergencyAccess:
    visa = gate.admit_staff(asked.visa, now=now, roles={Role.FRONT_DESK})
    reason = rules.why(asked.reason)
    by, place = visa.account_id, (visa.practice_id, asked.patient_id)
    async with transaction(pool, practice=visa.practice_id) as db:
        if earlier := await once.earlier(db, asked.key, by=by, what=OpenChart):
            return earlier
        await patients.lock_patient(db, *place)
        if ends_at := await store.find_open(db, *place, account_id=by, now=now):
            reply = EmergencyAccess(ends_at=ends_at)
        else:
            reply = EmergencyAccess(ends_at=now + LASTS)
            await store.add_access(db, *place, account_id=by, ends_at=reply.ends_at)
            opened = ChartOpened(
                practice_id=visa.practice_id, patient_id=asked.patient_id, account_id=by, at=now
            )
            await outbox.announce(db, opened)
            happened = Happened(
                patient_id=asked.patient_id,
                actor=actor_of(visa),
                act=Act.EMERGENCY_ACCESS,
                reason=reason,
                at=now,
            )
            await enter_all(db, visa.practice_id, [happened])
        await once.keep(db, asked.key, by=by, what=OpenChart, reply=reply)
    return reply
