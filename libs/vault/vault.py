"""Where content is sealed as it goes in and opened as it comes out, a chunk at a time.

Whatever was changed, cut off, swapped or moved since it was stored does not open: `Damaged`.
"""

import hashlib
import zlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from libs.runtime.database import Connection
from libs.runtime.keyring import Damaged, KeyRing, new_data_key, seal, unseal
from libs.vault import contents
from libs.vault.content import (
    Content,
    binds_chunk,
    binds_data_key,
    binds_growing,
    binds_whole,
    length_of,
)


class NothingStored(Exception):
    """There is no such content at this practice."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """Content with the key that it is sealed under."""

    content: Content
    key: bytes


@dataclass(frozen=True, slots=True)
class Vault:
    """A practice's content, in one transaction."""

    db: Connection
    ring: KeyRing
    practice_id: UUID

    async def begin(self, content_id: UUID, *, owner_id: UUID) -> Opened:
        """New content, of which nothing has come in yet."""
        content = Content(id=content_id, owner_id=owner_id, size=0, sha256="")
        return await self._add(content)

    async def open(self, content_id: UUID) -> Opened:
        """What is there, finished or still coming in."""
        row = await contents.find_content(self.db, self.practice_id, content_id)
        if row is None:
            raise NothingStored
        content = Content(
            id=content_id,
            owner_id=row["owner_id"],
            size=row["size"],
            sha256=row["sha256"],
            crc32=row["crc32"],
        )
        data_key = self._unwrap(content.owner_id, row["key_id"], row["data_key"])
        key = unseal(data_key, row["content_key"], belongs_to=self._binds(content))
        return Opened(content=content, key=key)

    async def append(self, opened: Opened, data: bytes) -> Opened:
        """The next chunk of what is still coming in."""
        content = opened.content
        await self._add_chunk(opened, content.chunks, data)
        size = content.size + len(data)
        await contents.save_size(self.db, self.practice_id, content.id, size)
        return replace(opened, content=replace(content, size=size))

    async def finish(self, opened: Opened, *, look: Callable[[bytes], None]) -> Opened:
        """All has come in; `look` sees each piece. From here on it never changes."""
        digest, crc32 = hashlib.sha256(), 0
        async for piece in self.pieces(opened):
            digest.update(piece)
            crc32 = zlib.crc32(piece, crc32)
            look(piece)
        finished = replace(opened.content, sha256=digest.hexdigest(), crc32=crc32)
        return await self._save(opened, finished)

    async def give(self, opened: Opened, *, owner_id: UUID) -> Opened:
        """To another owner: from here on it opens with their data key, and with no other."""
        return await self._save(opened, replace(opened.content, owner_id=owner_id))

    async def keep(self, content: Content, pieces: AsyncIterator[bytes]) -> None:
        """Content whose size and checksum were told before, and are held to here."""
        opened = await self._add(content)
        digest, size, number, crc32 = hashlib.sha256(), 0, 0, 0
        async for piece in pieces:
            digest.update(piece)
            crc32 = zlib.crc32(piece, crc32)
            size += len(piece)
            await self._add_chunk(opened, number, piece)
            number += 1
        if (digest.hexdigest(), size, number) != (content.sha256, content.size, content.chunks):
            raise Damaged
        await contents.save_crc32(self.db, self.practice_id, content.id, crc32)

    async def crc32(self, opened: Opened) -> int:
        """What archives check it by; found out now where that was not done as it came in."""
        if opened.content.crc32 is not None:
            return opened.content.crc32
        crc32 = 0
        async for piece in self.pieces(opened):
            crc32 = zlib.crc32(piece, crc32)
        await contents.save_crc32(self.db, self.practice_id, opened.content.id, crc32)
        return crc32

    async def read(self, opened: Opened, number: int) -> bytes:
        """One chunk, checked."""
        content = opened.content
        sealed = await contents.find_chunk(self.db, self.practice_id, content.id, number)
        if sealed is None:
            raise Damaged
        belongs_to = binds_chunk(self.practice_id, content.id, number)
        data = unseal(opened.key, sealed, belongs_to=belongs_to)
        if len(data) != length_of(number, size=content.size):
            raise Damaged
        return data

    async def pieces(self, opened: Opened) -> AsyncIterator[bytes]:
        """All of it, a chunk at a time."""
        for number in range(opened.content.chunks):
            yield await self.read(opened, number)

    async def key_of(self, owner_id: UUID) -> bytes:
        """The owner's data key; made the first time that something of theirs is kept."""
        if key := (await self.keys_of([owner_id])).get(owner_id):
            return key
        belongs_to = binds_data_key(self.practice_id, owner_id)
        key_id, wrapped = self.ring.wrap(new_data_key(), belongs_to=belongs_to)
        await contents.add_data_key(
            self.db, self.practice_id, owner_id, key_id=key_id, wrapped=wrapped
        )
        if key := (await self.keys_of([owner_id])).get(owner_id):
            return key
        raise Damaged

    async def keys_of(self, owner_ids: Collection[UUID]) -> dict[UUID, bytes]:
        """The data keys of these owners, of those who have one that was not destroyed."""
        rows = await contents.list_data_keys(self.db, self.practice_id, owner_ids)
        return {
            row["owner_id"]: self._unwrap(row["owner_id"], row["key_id"], row["wrapped"])
            for row in rows
        }

    async def remove(self, content_ids: Sequence[UUID]) -> None:
        """Content that nothing refers to any more."""
        await contents.remove_content(self.db, self.practice_id, content_ids)

    async def destroy(self, owner_id: UUID) -> None:
        """An owner's data key is destroyed, and all that was sealed under it with it."""
        await contents.destroy_data_key(self.db, self.practice_id, owner_id)

    async def _add(self, content: Content) -> Opened:
        opened = Opened(content=content, key=new_data_key())
        wrapped = await self._wrapped(opened)
        await contents.add_content(self.db, self.practice_id, content, wrapped=wrapped)
        return opened

    async def _save(self, opened: Opened, content: Content) -> Opened:
        saved = replace(opened, content=content)
        wrapped = await self._wrapped(saved)
        await contents.save_content(self.db, self.practice_id, content, wrapped=wrapped)
        return saved

    async def _add_chunk(self, opened: Opened, number: int, data: bytes) -> None:
        content_id = opened.content.id
        sealed = seal(
            opened.key, data, belongs_to=binds_chunk(self.practice_id, content_id, number)
        )
        await contents.add_chunk(self.db, self.practice_id, content_id, number, sealed)

    async def _wrapped(self, opened: Opened) -> bytes:
        data_key = await self.key_of(opened.content.owner_id)
        return seal(data_key, opened.key, belongs_to=self._binds(opened.content))

    def _unwrap(self, owner_id: UUID, key_id: str, wrapped: bytes | None) -> bytes:
        if wrapped is None:
            raise Damaged
        belongs_to = binds_data_key(self.practice_id, owner_id)
        return self.ring.unwrap(key_id, wrapped, belongs_to=belongs_to)

    def _binds(self, content: Content) -> str:
        if content.sha256:
            return binds_whole(self.practice_id, content)
        return binds_growing(self.practice_id, content.owner_id, content.id)
