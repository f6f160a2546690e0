"""The contents of a record that was sent, sealed under its own key as the vault seals a patient's.

It does what the vault does for whoever puts pieces together: begin, append, finish, open, read.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from libs.runtime.database import Connection
from libs.runtime.keyring import Damaged, seal, unseal
from libs.vault.content import Content, length_of
from libs.vault.vault import NothingStored, Opened
from services.records.store import packages as store


@dataclass(frozen=True, slots=True)
class Package:
    """One of them, in one transaction."""

    db: Connection
    practice_id: UUID
    sending_id: UUID
    key: bytes = field(repr=False)

    async def begin(self, content_id: UUID, *, owner_id: UUID) -> Opened:
        """New content, of which nothing has come in yet."""
        await store.add_content(self.db, self.practice_id, self.sending_id, content_id)
        return self._opened(content_id, owner_id=owner_id, size=0, crc32=None)

    async def open(self, content_id: UUID) -> Opened:
        """What is there, finished or still coming in."""
        row = await store.find_content(self.db, self.practice_id, self.sending_id, content_id)
        if row is None:
            raise NothingStored
        return self._opened(
            content_id, owner_id=self.sending_id, size=row["size"], crc32=row["crc32"]
        )

    async def append(self, opened: Opened, data: bytes) -> Opened:
        """The next chunk; its checksum goes on from the one before."""
        content = opened.content
        number = content.chunks
        sealed = seal(self.key, data, belongs_to=self._binds(content.id, number))
        place = self.practice_id, self.sending_id, content.id
        await store.add_chunk(self.db, *place, number, sealed)
        size, crc32 = content.size + len(data), zlib.crc32(data, content.crc32 or 0)
        await store.save_content(self.db, *place, size=size, crc32=crc32)
        return replace(opened, content=replace(content, size=size, crc32=crc32))

    async def finish(self, opened: Opened, *, look: Callable[[bytes], None]) -> Opened:  # noqa: ARG002
        """All has come in: each chunk was bound and counted as it did."""
        return opened

    async def read(self, opened: Opened, number: int) -> bytes:
        """One chunk, checked."""
        content = opened.content
        sealed = await store.find_chunk(
            self.db, self.practice_id, self.sending_id, content.id, number
        )
        if sealed is None:
            raise Damaged
        data = unseal(self.key, sealed, belongs_to=self._binds(content.id, number))
        if len(data) != length_of(number, size=content.size):
            raise Damaged
        return data

    async def crc32(self, opened: Opened) -> int:
        """What archives check it by."""
        return opened.content.crc32 or 0

    def _opened(self, content_id: UUID, *, owner_id: UUID, size: int, crc32: int | None) -> Opened:
        content = Content(id=content_id, owner_id=owner_id, size=size, sha256="", crc32=crc32)
        return Opened(content=content, key=self.key)

    def _binds(self, content_id: UUID, number: int) -> str:
        return f"sent|{self.practice_id}|{self.sending_id}|{content_id}|{number}"
