"""Files that come in, chunk after chunk, before they are anything."""

from faststream.nats import NatsRouter
from uuid_utils.compat import uuid7

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.records.imports import AddChunk, StartUpload, Upload
from libs.contracts.records.refusals import Refusal
from libs.runtime import once
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction
from libs.vault import media
from libs.vault.vault import Vault
from services.records.domain import upload as rules
from services.records.means import AtKeyRing, intact
from services.records.store import uploads

router = NatsRouter()


@answers(router, StartUpload)
async def start_upload(
    asked: StartUpload, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Upload:
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    async with transaction(pool, practice=visa.practice_id) as db:
        by, what = visa.account_id, StartUpload
        if earlier := await once.earlier(db, asked.key, by=by, what=what):
            return earlier
        upload = rules.Upload(
            practice_id=visa.practice_id,
            id=uuid7(),
            account_id=visa.account_id,
            file_name=media.name_given(asked.file_name),
            media_type=media.name_given(asked.media_type),
            started_at=now,
        )
        await uploads.add_upload(db, upload)
        await Vault(db, ring, visa.practice_id).begin(upload.id, owner_id=visa.practice_id)
        reply = Upload(upload_id=upload.id)
        await once.keep(db, asked.key, by=by, what=what, reply=reply)
    return reply


@answers(router, AddChunk)
async def add_chunk(
    asked: AddChunk, pool: Database, now: Now, gate: AtGate, ring: AtKeyRing
) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, machines=True)
    async with transaction(pool, practice=visa.practice_id) as db:
        upload = await uploads.lock_upload(
            db, visa.practice_id, asked.upload_id, account_id=visa.account_id
        )
        if upload.became_id:
            raise Refused(Refusal.UNKNOWN_UPLOAD)
        vault = Vault(db, ring, visa.practice_id)
        with intact(upload.id):
            opened = await vault.open(upload.id)
            if rules.taken(opened.content.size, asked.number, asked.data):
                await vault.append(opened, asked.data)
            elif await vault.read(opened, asked.number) != asked.data:
                raise Refused(Refusal.CHUNK_OUT_OF_ORDER)
    return Done()
