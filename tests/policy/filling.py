"""What is in the three records: one thing of each kind, with the words of its part in it."""

import json
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from libs.contracts.identity.staff import InviteStaff
from libs.contracts.messaging.queue import AddNote
from libs.contracts.messaging.settings import SaveTemplate
from libs.contracts.messaging.writing import (
    AddAttachmentChunk,
    Category,
    FinishAttachment,
    SaveDraft,
    SendDraft,
    Sent,
    StartAttachment,
)
from libs.contracts.records.documents import FileDocument
from libs.contracts.records.exports import (
    ExportState,
    Format,
    Kind,
    MakeExport,
    Selection,
    ShowExport,
)
from libs.contracts.records.health import AddResult, ShowHealth
from libs.contracts.records.imports import (
    AddChunk,
    ImportState,
    ShowImport,
    StartImport,
    StartUpload,
)
from libs.contracts.records.sending import ListSendings, SendingState, SendRecord
from libs.contracts.visa import Role
from libs.runtime.clock import utcnow
from tests.policy.making import Maker, hash_of
from tests.policy.world import BORN, Record
from tests.records.bundles import patient, result
from tests.waiting import until


async def fill(maker: Maker) -> None:
    for owner, record in maker.world.records.items():
        staff = "administrator elsewhere" if owner == "tara" else "administrator"
        writer = Writer(maker, record, staff=staff)
        await writer.results()
        record.ids["document"] = str(await writer.document())
        record.ids["upload"] = str(await writer.upload(b"anything", "anything.txt"))
        record.spare["upload"] = str(await writer.upload(b"anything else", "anything.txt"))
        await writer.exports()
        await writer.sendings()
        await writer.imports()
        await writer.messages()
        await writer.templates()
        await writer.mails()
        await writer.people()
        await writer.colleagues()


class Writer:
    """The patient and the staff of one record, writing into it."""

    def __init__(self, maker: Maker, record: Record, *, staff: str) -> None:
        self._maker = maker
        self._record = record
        self._staff_name = staff

    @property
    def _staff(self) -> str:
        return self._maker.visa(self._staff_name, self._record.owner)

    @property
    def _patient(self) -> str:
        return self._maker.visa(self._record.owner, self._record.owner)

    async def results(self) -> None:
        record, ask = self._record, self._maker.ask
        kept = await ask(
            AddResult(
                visa=self._staff,
                key=uuid4(),
                patient_id=record.patient_id,
                test_name=f"Ferritin {record.owner}",
                value="3.1",
                unit="g/dL",
                collected_at=utcnow(),
                comment=record.words["results"],
            )
        )
        record.ids["result"] = str(kept.result_id)
        health = await ask(ShowHealth(visa=self._patient, patient_id=record.patient_id))
        assert health.tests
        record.ids["test"] = health.tests[0].key

    async def upload(self, content: bytes, file_name: str) -> UUID:
        start = StartUpload(visa=self._staff, key=uuid4(), file_name=file_name)
        upload_id = (await self._maker.ask(start)).upload_id
        chunk = AddChunk(visa=self._staff, upload_id=upload_id, number=0, data=content)
        await self._maker.ask(chunk)
        return upload_id

    async def document(self) -> UUID:
        record, said = self._record, self._record.words["documents"]
        filed = await self._maker.ask(
            FileDocument(
                visa=self._staff,
                key=uuid4(),
                upload_id=await self.upload(f"Read: {said}".encode(), f"{said}.txt"),
                patient_id=record.patient_id,
                title=f"Letter {said}",
                kind="Letter",
            )
        )
        return filed.document_id

    async def exports(self) -> None:
        """Files of the patient's own making."""
        for ids in (self._record.ids, self._record.spare):
            asked = MakeExport(
                visa=self._patient,
                patient_id=self._record.patient_id,
                key=uuid4(),
                selection=Selection(kinds=frozenset({Kind.LABS})),
                format=Format.HTML,
            )
            ids["export"] = str((await self._maker.ask(asked)).export_id)
            await until(partial(self._is_made, ids["export"]), within=60)

    async def _is_made(self, export_id: str) -> bool:
        asked = ShowExport(
            visa=self._patient, patient_id=self._record.patient_id, export_id=UUID(export_id)
        )
        return (await self._maker.ask(asked)).state is ExportState.READY

    async def sendings(self) -> None:
        """Records that the patient sent to somebody."""
        for ids in (self._record.ids, self._record.spare):
            asked = SendRecord(
                visa=self._patient,
                passport=self._maker.passport(self._record.owner),
                patient_id=self._record.patient_id,
                key=uuid4(),
                recipient=f"{uuid4().hex}@clinic.example.com",
                selection=Selection(kinds=frozenset({Kind.LABS})),
                password="maple-orbit-tundra",
            )
            ids["sending"] = str((await self._maker.ask(asked)).sending_id)
        await until(self._are_sent, within=60)

    async def _are_sent(self) -> bool:
        asked = ListSendings(visa=self._patient, patient_id=self._record.patient_id)
        found = (await self._maker.ask(asked)).sendings
        return all(one.state is SendingState.SENT for one in found)

    async def imports(self) -> None:
        """One about somebody whom the practice does not know: it waits."""
        said = self._record.words["practice"]
        for ids in (self._record.ids, self._record.spare):
            bundle = {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {"resource": patient(given="Nobody", family=f"Of {said}")},
                    {"resource": result(uuid4().hex)},
                ],
            }
            upload_id = await self.upload(json.dumps(bundle).encode(), f"{said}.json")
            started = await self._maker.ask(
                StartImport(
                    visa=self._staff,
                    upload_id=upload_id,
                    declared_type="application/fhir+json",
                )
            )
            ids["import"] = str(started.import_id)
            await until(partial(self._waits, ids["import"]), within=60)

    async def _waits(self, import_id: str) -> bool:
        asked = ShowImport(visa=self._staff, import_id=UUID(import_id))
        return (await self._maker.ask(asked)).state is ImportState.WAITING

    async def messages(self) -> None:
        """A question with a file, an answer with another, a note, and drafts."""
        record, words = self._record, self._record.words
        asked, file = await self._sent(self._patient, words["messages"], title=words["messages"])
        answered, answer_file = await self._sent(
            self._staff, words["messages"], conversation_id=asked.conversation_id
        )
        record.ids |= {
            "conversation": str(asked.conversation_id),
            "sent": str(asked.message_id),
            "sent file": str(file),
            "message": str(answered.message_id),
            "file": str(answer_file),
        }
        await self._maker.ask(
            AddNote(
                visa=self._staff,
                key=uuid4(),
                conversation_id=asked.conversation_id,
                text=words["notes"],
            )
        )
        for ids, part in ((record.ids, "drafts"), (record.spare, "messages")):
            draft_id, attached = await self._draft(self._patient, words[part], words[part])
            ids |= {"draft": str(draft_id), "draft file": str(attached)}

    async def _sent(
        self, visa: str, words: str, *, title: str = "", conversation_id: UUID | None = None
    ) -> tuple[Sent, UUID]:
        draft_id, attached = await self._draft(visa, words, title, conversation_id)
        send = SendDraft(visa=visa, patient_id=self._record.patient_id, draft_id=draft_id)
        return await self._maker.ask(send), attached

    async def _draft(
        self, visa: str, words: str, title: str, conversation_id: UUID | None = None
    ) -> tuple[UUID, UUID]:
        draft_id, attachment_id = uuid4(), uuid4()
        place: dict[str, Any] = {
            "visa": visa,
            "patient_id": self._record.patient_id,
            "draft_id": draft_id,
        }
        await self._maker.ask(
            SaveDraft(
                **place,
                category=None if conversation_id else Category.HEALTH,
                title=title,
                body=f"Words: {words}",
                conversation_id=conversation_id,
            )
        )
        file = place | {"attachment_id": attachment_id}
        await self._maker.ask(StartAttachment(**file, file_name=f"{words}.txt"))
        await self._maker.ask(
            AddAttachmentChunk(**file, number=0, data=f"It says {words}".encode())
        )
        await self._maker.ask(FinishAttachment(**file))
        return draft_id, attachment_id

    async def templates(self) -> None:
        owner = self._record.owner
        admin = "administrator elsewhere" if owner == "tara" else "administrator"
        said = self._record.words["practice"]
        for ids in (self._record.ids, self._record.spare):
            template_id = uuid4()
            await self._maker.ask(
                SaveTemplate(
                    visa=self._maker.visa(admin, owner),
                    template_id=template_id,
                    name=f"Template {said}",
                    text=said,
                )
            )
            ids["template"] = str(template_id)

    async def mails(self) -> None:
        """The letter that invited her."""
        found = await until(
            lambda: self._maker.admin.fetchval(
                "SELECT id FROM notifier.mail_job WHERE recipient = $1 AND state = 'sent'",
                self._record.email,
            )
        )
        self._record.ids["mail"] = self._record.spare["mail"] = str(found)

    async def colleagues(self) -> None:
        """People whom her practice has invited to its team."""
        for ids in (self._record.ids, self._record.spare):
            email = f"{uuid4().hex}@example.com"
            await self._maker.ask(
                InviteStaff(
                    practice_id=self._record.practice_id,
                    name=f"Colleague {self._record.words['practice']}",
                    email=email,
                    date_of_birth=BORN,
                    role=Role.CLINICIAN,
                ),
                by="operator",
            )
            ids["colleague"] = str(
                await self._maker.admin.fetchval(
                    "SELECT id FROM identity.invitation WHERE email = $1", email
                )
            )

    async def people(self) -> None:
        """Her session, and an account of her practice's staff."""
        actors = self._maker.world.actors
        self._record.ids["session"] = str(
            await self._maker.admin.fetchval(
                "SELECT id FROM identity.session WHERE token_hash = $1",
                hash_of(actors[self._record.owner].token),
            )
        )
        self._record.ids["account"] = str(actors[self._staff_name].account_id)
