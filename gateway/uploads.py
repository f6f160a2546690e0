"""Files for a record: they go on to the records service as they come, a chunk at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web
from faststream.nats import NatsBroker

from gateway import multipart
from gateway.multipart import Incoming
from gateway.protection import fresh_key
from gateway.session import Visa
from libs.contracts.base import Refused
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.imports import UPLOAD_LIMIT, AddChunk, StartUpload
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import BROKER, ask


@dataclass
class Upload:
    """What a form with a file brought."""

    fields: dict[str, str] = field(default_factory=dict)
    upload_id: UUID | None = None
    """None where no file was chosen."""
    file_name: str = ""


async def receive(request: web.Request, came: Upload, *, visa: Visa) -> None:
    """Read the form into `came`; its file, if there is one, is uploaded when this returns.

    Raises `Forged`, or `Refused` with TOO_LARGE or EMPTY as soon as that is known; `came` then
    has the fields, for the page to show again.
    """

    async def take(incoming: Incoming) -> None:
        if came.upload_id is None:
            came.file_name = incoming.file_name
            came.upload_id = await pass_on(
                request.app[BROKER],
                incoming.pieces,
                visa=visa,
                file_name=incoming.file_name,
                media_type=incoming.media_type,
            )

    await multipart.read(request, came.fields, take)


async def pass_on(
    broker: NatsBroker,
    pieces: AsyncIterator[bytes],
    *,
    visa: Visa,
    file_name: str,
    media_type: str,
) -> UUID:
    """Upload what comes, in chunks, and hold no more than one of them."""
    number, size = 0, 0
    upload_id: UUID | None = None
    async for data in in_chunks(pieces):
        size += len(data)
        if size > UPLOAD_LIMIT:
            raise Refused(Refusal.TOO_LARGE)
        if upload_id is None:
            start = StartUpload(
                visa=await visa(), key=fresh_key(), file_name=file_name, media_type=media_type
            )
            upload_id = (await ask(broker, start)).upload_id
        asked = AddChunk(visa=await visa(), upload_id=upload_id, number=number, data=data)
        await ask(broker, asked, within=10)
        number += 1
    if upload_id is None:
        raise Refused(Refusal.EMPTY)
    return upload_id


async def in_chunks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, each chunk but the last of full size."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        while len(waiting) >= CHUNK_SIZE:
            yield bytes(waiting[:CHUNK_SIZE])
            del waiting[:CHUNK_SIZE]
    if waiting:
        yield bytes(waiting)
