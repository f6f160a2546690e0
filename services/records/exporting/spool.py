"""Where the pieces of a file go as they are made: its own bytes sealed, documents where they lie.

What is made is sealed under the patient's data key, a chunk at a time, so that a file of any size
takes no more memory than a chunk. A file is ready all at once, or not at all.
"""

from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.refusals import Refusal
from libs.runtime.database import Pool, transaction
from libs.runtime.keyring import KeyRing
from libs.vault.vault import Vault
from services.records.domain.document import Document
from services.records.domain.export import (
    LARGEST,
    MADE_SIZE,
    Export,
    Segment,
    encoded_length,
    made_for,
)
from services.records.exporting.pieces import Base64, Checksum, Original, Piece
from services.records.store import exports as store

CHECKSUM = 4
"""Bytes of a CRC-32."""


@dataclass(slots=True)
class Spool:
    """One file being made."""

    pool: Pool
    ring: KeyRing
    export: Export
    segments: list[Segment] = field(default_factory=list)
    size: int = 0
    _buffer: bytearray = field(default_factory=bytearray)
    _contents: list[UUID] = field(default_factory=list)
    _made: int = 0
    """Bytes in the content that is growing, with those that wait in the buffer."""

    def __post_init__(self) -> None:
        self._contents = made_for(self.export.id)

    async def add(self, piece: Piece) -> None:
        """The next piece; refused once the file is larger than a file may be."""
        match piece:
            case bytes():
                await self._write(piece)
            case Original(document):
                self._refer("original", document, document.size)
            case Base64(document):
                self._refer("base64", document, encoded_length(document.size))
            case Checksum(document):
                self._refer("crc32", document, CHECKSUM)
        if self.size > LARGEST:
            raise Refused(Refusal.TOO_LARGE)

    async def finish(self) -> None:
        """All pieces are there: the last of what was made is sealed as well."""
        if self._buffer:
            await self._flush(len(self._buffer))
        if self._made:
            await self._finish_content()

    def _refer(self, form: str, document: Document, length: int) -> None:
        if length:
            self._grow(
                Segment(
                    position=self.size, length=length, form=form, content_id=document.content_id
                )
            )

    async def _write(self, made: bytes) -> None:
        if not made:
            return
        if self._made + len(made) > MADE_SIZE:
            await self.finish()
            self._contents.pop(0)
            self._made = 0
            if not self._contents:
                raise Refused(Refusal.TOO_LARGE)
        self._grow(
            Segment(
                position=self.size,
                length=len(made),
                form="made",
                content_id=self._contents[0],
                start=self._made,
            )
        )
        self._made += len(made)
        self._buffer += made
        while len(self._buffer) >= CHUNK_SIZE:
            await self._flush(CHUNK_SIZE)

    def _grow(self, segment: Segment) -> None:
        last = self.segments[-1] if self.segments else None
        if last and last.form == segment.form == "made" and last.content_id == segment.content_id:
            self.segments[-1] = Segment(
                position=last.position,
                length=last.length + segment.length,
                form="made",
                content_id=last.content_id,
                start=last.start,
            )
        else:
            self.segments.append(segment)
        self.size += segment.length

    async def _flush(self, length: int) -> None:
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        async with transaction(self.pool, practice=self.export.practice_id) as db:
            vault = Vault(db, self.ring, self.export.practice_id)
            begun = self._made - len(self._buffer) > length
            content_id = self._contents[0]
            opened = (
                await vault.open(content_id)
                if begun
                else await vault.begin(content_id, owner_id=self.export.patient_id)
            )
            await vault.append(opened, data)

    async def _finish_content(self) -> None:
        async with transaction(self.pool, practice=self.export.practice_id) as db:
            vault = Vault(db, self.ring, self.export.practice_id)
            opened = await vault.open(self._contents[0])
            await vault.finish(opened, look=lambda _: None)


async def forget(vault: Vault, export_id: UUID) -> None:
    """A file, and all that was made for it."""
    await store.remove_export(vault.db, vault.practice_id, export_id)
    await vault.remove(made_for(export_id))
