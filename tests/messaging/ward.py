"""A practice and its patients who write to each other, through the contract."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web
from faststream.nats import NatsBroker

import services.messaging.app
from libs.contracts.base import R, Refused, Request
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.messaging.mailbox import (
    Conversation,
    CountUnread,
    Inbox,
    ListInbox,
    MarkRead,
    ReadAttachment,
    ShowMessage,
)
from libs.contracts.messaging.queue import CaseFile, ListQueue, Queue, ShowCase
from libs.contracts.messaging.writing import (
    AddAttachmentChunk,
    Attachment,
    Category,
    Draft,
    FinishAttachment,
    SaveDraft,
    SendDraft,
    Sent,
    StartAttachment,
)
from libs.contracts.visa import Capacity, Limit, Role, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.messaging.config import Config
from tests import parts
from tests.servers import Servers

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def app(servers: Servers) -> web.Application:
    return services.messaging.app.build(
        Config(
            database_url=servers.database_url("messaging"),
            nats_url=servers.nats_url,
            nats_credentials=servers.credentials("messaging"),
            visa_keys=servers.keys.visa_keys,
            key_ring=servers.keys.key_ring,
        )
    )


@dataclass(kw_only=True)
class Someone:
    """Somebody at one side of a conversation, with an account and a name."""

    ward: "Ward"
    name: str
    capacity: Capacity
    patient_id: UUID
    account_id: UUID = field(default_factory=uuid4)
    limits: Iterable[Limit] = tuple(Limit)
    role: Role | None = None

    @property
    def visa(self) -> str:
        """It holds for 10 seconds, so a new one each time."""
        now = utcnow()
        staff = self.capacity is Capacity.STAFF
        visa = Visa(
            capacity=self.capacity,
            practice_id=self.ward.practice_id,
            patient_id=None if staff else self.patient_id,
            limits=frozenset() if staff else frozenset(self.limits),
            role=self.role,
            account_id=self.account_id,
            actor_name=self.name,
            issued_at=now,
            expires_at=now + timedelta(seconds=10),
        )
        return parts.sealed(self.ward.servers, visa, by="identity" if staff else "delegation")

    async def asks(self, request: type[Request[R]], **said: Any) -> R:
        """With a visa of theirs, and about their patient where the request wants one."""
        if "patient_id" in request.model_fields:
            said = {"patient_id": self.patient_id} | said
        return await ask(self.ward.broker, request(visa=self.visa, **said), within=20)

    async def is_refused(self, request: type[Request[Any]], **said: Any) -> str:
        """The code of the no."""
        try:
            await self.asks(request, **said)
        except Refused as refused:
            return refused.code
        raise AssertionError("it was not refused")

    async def drafts(self, body: str = "Is this normal?", **said: Any) -> Draft:
        given = {"draft_id": uuid4(), "category": Category.HEALTH, "title": "A question"}
        return await self.asks(SaveDraft, **given | {"body": body} | said)

    async def attaches(
        self,
        draft_id: UUID,
        content: bytes = PDF,
        file_name: str = "letter.pdf",
        attachment_id: UUID | None = None,
    ) -> Attachment:
        place = {"draft_id": draft_id, "attachment_id": attachment_id or uuid4()}
        await self.asks(StartAttachment, **place, file_name=file_name)
        for number, begins in enumerate(range(0, len(content), CHUNK_SIZE)):
            data = content[begins : begins + CHUNK_SIZE]
            await self.asks(AddAttachmentChunk, **place, number=number, data=data)
        return await self.asks(FinishAttachment, **place)

    async def sends(self, body: str = "Is this normal?", **said: Any) -> Sent:
        draft = await self.drafts(body, **said)
        return await self.asks(SendDraft, draft_id=draft.draft_id)

    async def replies(self, message_id: UUID, body: str = "Thank you.") -> Sent:
        return await self.sends(body, reply_to=message_id, category=None, title="")

    async def answers(self, sent: Sent, body: str = "Yes, it is.", **said: Any) -> Sent:
        draft = await self.drafts(body, conversation_id=sent.conversation_id, title="")
        return await self.asks(SendDraft, draft_id=draft.draft_id, **said)

    async def inbox(self, **said: Any) -> Inbox:
        return await self.asks(ListInbox, **said)

    async def unread(self) -> int:
        return (await self.asks(CountUnread)).count

    async def reads(self, *message_ids: UUID) -> int:
        return (await self.asks(MarkRead, message_ids=message_ids)).count

    async def sees(self, message_id: UUID) -> Conversation:
        return await self.asks(ShowMessage, message_id=message_id)

    async def case(self, sent: Sent) -> CaseFile:
        return await self.asks(ShowCase, conversation_id=sent.conversation_id)

    async def queue(self, **said: Any) -> Queue:
        return await ask(self.ward.broker, ListQueue(visa=self.visa, **said))

    async def content(self, message_id: UUID, attachment_id: UUID) -> bytes:
        content, number = b"", 0
        while True:
            chunk = await self.asks(
                ReadAttachment, message_id=message_id, attachment_id=attachment_id, number=number
            )
            content += chunk.data
            number += 1
            if chunk.last:
                return content


@dataclass
class Ward:
    """One practice."""

    servers: Servers
    broker: NatsBroker
    practice_id: UUID = field(default_factory=uuid4)

    def another(self) -> "Ward":
        """Another practice of the same installation."""
        return Ward(self.servers, self.broker)

    def patient(self, name: str = "Rosa Alvarez") -> Someone:
        return Someone(ward=self, name=name, capacity=Capacity.SELF, patient_id=uuid4())

    def delegate(
        self, patient: Someone, name: str = "Ana Ruiz", limits: Iterable[Limit] = tuple(Limit)
    ) -> Someone:
        return Someone(
            ward=self,
            name=name,
            capacity=Capacity.DELEGATE,
            patient_id=patient.patient_id,
            limits=limits,
        )

    def nurse(
        self,
        patient: Someone,
        name: str = "Nora Lindqvist, RN",
        role: Role = Role.CLINICIAN,
        account_id: UUID | None = None,
    ) -> Someone:
        """A member of staff, at work on this patient."""
        return Someone(
            ward=self,
            name=name,
            capacity=Capacity.STAFF,
            patient_id=patient.patient_id,
            role=role,
            account_id=account_id or uuid4(),
        )

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[asyncpg.Connection]:
        """The tables, as their owner sees them."""
        admin = await asyncpg.connect(self.servers.database_url("admin"))
        await admin.execute("SET search_path TO messaging")
        try:
            yield admin
        finally:
            await admin.close()


@asynccontextmanager
async def open_ward(servers: Servers, *, replicas: int = 1) -> AsyncIterator[Ward]:
    apps = [app(servers) for _ in range(replicas)]
    async with parts.running(*apps), parts.asking(servers) as broker:
        yield Ward(servers, broker)
