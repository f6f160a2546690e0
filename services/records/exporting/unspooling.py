"""The bytes of a finished file, from wherever they lie; any of them may be asked for first."""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.content import CHUNK_SIZE
from libs.vault.vault import Opened
from services.records.domain.export import Segment, raw_range
from services.records.exporting.sealing import Sealing
from services.records.means import intact


async def read(sealing: Sealing, segments: Sequence[Segment], *, begin: int, stop: int) -> bytes:
    """These bytes of a file, which these segments hold.

    Raises `NothingStored` where it was cancelled or revoked a moment ago.
    """
    shelf = _Shelf(sealing)
    return b"".join(
        [
            await shelf.part(
                one, max(begin - one.position, 0), min(stop - one.position, one.length)
            )
            for one in segments
        ]
    )


@dataclass(slots=True)
class _Shelf:
    """The contents that were opened for one request."""

    sealing: Sealing
    _opened: dict[UUID, Opened] = field(default_factory=dict)

    async def part(self, segment: Segment, begin: int, stop: int) -> bytes:
        """Some of a segment, by its own counting."""
        with intact(segment.content_id):
            opened = await self._open(segment.content_id)
            match segment.form:
                case "crc32":
                    crc32 = await self.sealing.crc32(opened)
                    return crc32.to_bytes(4, "little")[begin:stop]
                case "base64":
                    first, last = raw_range(begin, stop, size=opened.content.size)
                    letters = binascii.b2a_base64(
                        await self._raw(opened, first, last), newline=False
                    )
                    skipped = begin - begin // 4 * 4
                    return letters[skipped : skipped + stop - begin]
                case _:
                    return await self._raw(opened, segment.start + begin, segment.start + stop)

    async def _raw(self, opened: Opened, begin: int, stop: int) -> bytes:
        first, last = begin // CHUNK_SIZE, (stop - 1) // CHUNK_SIZE
        pieces = [await self.sealing.read(opened, number) for number in range(first, last + 1)]
        whole = b"".join(pieces)
        return whole[begin - first * CHUNK_SIZE : stop - first * CHUNK_SIZE]

    async def _open(self, content_id: UUID) -> Opened:
        if content_id not in self._opened:
            self._opened[content_id] = await self.sealing.open(content_id)
        return self._opened[content_id]
