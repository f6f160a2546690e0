"""A practice at work with its records, through the contract: what tests speak through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web
from faststream.nats import NatsBroker

import services.identity.app
import services.records.app
from libs.contracts.content import CHUNK_SIZE, Chunk
from libs.contracts.identity.practices import AddPractice
from libs.contracts.records.documents import (
    Document,
    DocumentList,
    FileDocument,
    ListDocuments,
    Opening,
    ReadDocument,
    ShowDocument,
)
from libs.contracts.records.imports import (
    AddChunk,
    Import,
    ImportState,
    ReadImport,
    ShowImport,
    StartImport,
    StartUpload,
)
from libs.contracts.records.patients import AddPatient
from libs.contracts.visa import Capacity, Limit, Role, Visa
from libs.runtime.broker import ask
from libs.runtime.clock import utcnow
from services.identity.config import Config as IdentityConfig
from services.records.config import Config
from tests import parts
from tests.servers import Servers
from tests.waiting import until

BORN = date(1961, 4, 12)
TIME_ZONE = "America/New_York"


def config(servers: Servers) -> Config:
    return Config(
        database_url=servers.database_url("records"),
        nats_url=servers.nats_url,
        nats_credentials=servers.credentials("records"),
        visa_keys=servers.keys.visa_keys,
        key_ring=servers.keys.key_ring,
    )


def identity(servers: Servers) -> web.Application:
    return services.identity.app.build(
        IdentityConfig(
            database_url=servers.database_url("identity"),
            nats_url=servers.nats_url,
            nats_credentials=servers.credentials("identity"),
            visa_keys=servers.keys.visa_keys,
            visa_signing_key=servers.keys.signing["identity"],
            link_key=servers.keys.link_key,
            key_ring=servers.keys.key_ring,
            argon2_memory_kib=8,
            argon2_passes=1,
            argon2_lanes=1,
        )
    )


@dataclass
class Office:
    """One practice: its staff, its machine, its patients."""

    servers: Servers
    broker: NatsBroker
    practice_id: UUID
    account_id: UUID

    def another(self) -> "Office":
        """Another practice of the same installation."""
        return Office(self.servers, self.broker, uuid4(), uuid4())

    @property
    def staff(self) -> str:
        """A visa that holds for 10 seconds, so a new one each time."""
        return self.visa(Capacity.STAFF, role=Role.CLINICIAN, actor_name="Nora Lind")

    @property
    def machine(self) -> str:
        return self.visa(Capacity.MACHINE)

    @property
    def operator(self) -> str:
        return self.visa(Capacity.MACHINE, account_id=UUID(int=0))

    def patient(self, patient_id: UUID, limits: Iterable[Limit] = tuple(Limit)) -> str:
        return self.visa(Capacity.SELF, patient_id=patient_id, limits=frozenset(limits))

    def visa(self, capacity: Capacity, **said: Any) -> str:
        now = utcnow()
        given = {
            "capacity": capacity,
            "practice_id": self.practice_id,
            "account_id": self.account_id,
            "issued_at": now,
            "expires_at": now + timedelta(seconds=10),
        }
        issuer = "identity" if capacity in (Capacity.STAFF, Capacity.MACHINE) else "delegation"
        return parts.sealed(self.servers, Visa(**given | said), by=issuer)

    async def add_practice(self, time_zone: str = TIME_ZONE) -> None:
        """What identity has to know of it."""
        async with parts.asking(self.servers, "operator") as operator:
            await ask(
                operator,
                AddPractice(
                    practice_id=self.practice_id,
                    name="Lakeside Oncology",
                    phone="555-0100",
                    address="1 Lake Street",
                    hours="9 to 5",
                    emergency="Call 911.",
                    time_zone=time_zone,
                    contact_email="desk@lakeside.example.com",
                ),
            )

    async def add_patient(
        self, given: str = "Rosa", family: str = "Alvarez", born: date = BORN, mrn: str = ""
    ) -> UUID:
        asked = AddPatient(
            visa=self.staff,
            key=uuid4(),
            given=given,
            family=family,
            birth_date=born,
            mrn=mrn,
            invite=False,
            even_so=True,
        )
        return (await ask(self.broker, asked)).patient_id

    async def upload(
        self, content: bytes, file_name: str = "", media_type: str = "", visa: str = ""
    ) -> UUID:
        """All of it, chunk by chunk."""
        machine = bool(visa) and visa == "machine"
        start = StartUpload(
            visa=self.machine if machine else self.staff,
            key=uuid4(),
            file_name=file_name,
            media_type=media_type,
        )
        upload_id = (await ask(self.broker, start)).upload_id
        for number, begins in enumerate(range(0, len(content), CHUNK_SIZE)):
            data = content[begins : begins + CHUNK_SIZE]
            held = self.machine if machine else self.staff
            asked = AddChunk(visa=held, upload_id=upload_id, number=number, data=data)
            await ask(self.broker, asked, within=10)
        return upload_id

    async def file(  # noqa: PLR0913
        self,
        patient_id: UUID,
        content: bytes,
        *,
        title: str = "Letter",
        file_name: str = "letter.txt",
        kind: str = "Letter",
        dated: date | None = None,
        key: UUID | None = None,
    ) -> UUID:
        """A document, as staff upload one."""
        upload_id = await self.upload(content, file_name)
        asked = FileDocument(
            visa=self.staff,
            key=key or uuid4(),
            upload_id=upload_id,
            patient_id=patient_id,
            title=title,
            kind=kind,
            dated=dated,
        )
        return (await ask(self.broker, asked, within=20)).document_id

    async def documents(self, patient_id: UUID, **wanted: Any) -> DocumentList:
        asked = ListDocuments(visa=self.staff, patient_id=patient_id, **wanted)
        return await ask(self.broker, asked)

    async def open(
        self, patient_id: UUID, document_id: UUID, *, visa: str = "", **how: Any
    ) -> Document:
        """Open it, as whoever wants its content has to."""
        asked = ShowDocument(
            visa=visa or self.staff,
            patient_id=patient_id,
            document_id=document_id,
            **{"opening": Opening.VIEW} | how,
        )
        return await ask(self.broker, asked)

    async def content(self, patient_id: UUID, document_id: UUID) -> bytes:
        """A document as it is given back, chunk by chunk."""
        await self.open(patient_id, document_id)

        async def chunk(number: int) -> Chunk:
            asked = ReadDocument(
                visa=self.staff, patient_id=patient_id, document_id=document_id, number=number
            )
            return await ask(self.broker, asked)

        return await _all(chunk)

    async def start_import(  # noqa: PLR0913
        self,
        content: bytes,
        *,
        patient_id: UUID | None = None,
        preview: bool = False,
        file_name: str = "",
        declared_type: str = "",
        by: str = "staff",
    ) -> UUID:
        upload_id = await self.upload(content, file_name, visa=by)
        asked = StartImport(
            visa=self.machine if by == "machine" else self.staff,
            upload_id=upload_id,
            patient_id=patient_id,
            preview=preview,
            declared_type=declared_type,
        )
        return (await ask(self.broker, asked, within=20)).import_id

    async def start_uploaded(self, upload_id: UUID) -> UUID:
        asked = StartImport(visa=self.staff, upload_id=upload_id)
        return (await ask(self.broker, asked, within=20)).import_id

    async def bring(self, content: bytes, *, within: float = 60, **how: Any) -> Import:
        """Import it, and wait for the report."""
        return await self.report(await self.start_import(content, **how), within=within)

    async def report(self, import_id: UUID, *, within: float = 60) -> Import:
        """The report of an import that has been read."""
        read: Import = await until(lambda: self._read(import_id), within=within)
        return read

    async def _read(self, import_id: UUID) -> Import | None:
        shown = await self.show(import_id)
        return None if shown.state is ImportState.READING else shown

    async def show(self, import_id: UUID) -> Import:
        return await ask(self.broker, ShowImport(visa=self.staff, import_id=import_id))

    async def original(self, import_id: UUID) -> bytes:
        """The file of an import as it is given back."""

        async def chunk(number: int) -> Chunk:
            asked = ReadImport(visa=self.staff, import_id=import_id, number=number)
            return await ask(self.broker, asked)

        return await _all(chunk)

    async def sql(self, statement: str, *values: Any) -> list[Any]:
        """As whoever has the database itself in hand."""
        admin = await asyncpg.connect(
            self.servers.database_url("admin"), server_settings={"search_path": "records"}
        )
        try:
            rows: list[Any] = await admin.fetch(statement, *values)
            return rows
        finally:
            await admin.close()


async def _all(chunk: Callable[[int], Awaitable[Chunk]]) -> bytes:
    whole, number = b"", 0
    while True:
        piece = await chunk(number)
        whole += piece.data
        if piece.last:
            return whole
        number += 1


@asynccontextmanager
async def opened(
    servers: Servers, *beside: web.Application, with_identity: bool = False
) -> AsyncIterator[Office]:
    """A practice, with the records service, and what is beside it, running in this process."""
    apps = [services.records.app.build(config(servers)), *beside]
    if with_identity:
        apps.append(identity(servers))
    async with parts.running(*apps), parts.asking(servers) as broker:
        office = Office(servers, broker, uuid4(), uuid4())
        if with_identity:
            await office.add_practice()
        yield office


async def together(*asked: Any) -> list[Any]:
    """All at once; what is refused is in the list as it was said."""
    return await asyncio.gather(*asked, return_exceptions=True)
