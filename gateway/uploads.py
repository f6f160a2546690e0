"""Forms with a file: the file goes on to the records service as it comes, a chunk at a time.

The fields of such a form come before its file, the proof of origin first of all, so that nothing
of a forged or refused form is ever passed on.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from faststream.nats import NatsBroker

from gateway.protection import CSRF_FIELD, Forged, check_proof, fresh_key
from libs.contracts.base import Refused
from libs.contracts.records import (
    CHUNK_SIZE,
    UPLOAD_LIMIT,
    AddChunk,
    Refusal,
    StartUpload,
)
from libs.runtime.broker import BROKER, EXPIRES, ask

FIELD_LIMIT = 64 * 1024
FIELDS_LIMIT = 50
_PARAMETER = re.compile(r'; *(name|filename)="([^"]*)"')


@dataclass
class Upload:
    """What a form with a file brought."""

    fields: dict[str, str] = field(default_factory=dict)
    upload_id: UUID | None = None
    """None where no file was chosen."""
    file_name: str = ""


async def receive(request: web.Request, came: Upload, *, visa: str) -> None:
    """Read the form into `came`; its file, if there is one, is uploaded when this returns.

    Raises `Forged`, or `Refused` with TOO_LARGE or EMPTY as soon as that is known; `came` then
    has the fields, for the page to show again.
    """
    EXPIRES.set(None)  # a large file on a slow line takes its time; each chunk has its own
    if request.content_type != "multipart/form-data":
        form = await request.post()  # it proved itself on the way in, and holds no file
        came.fields |= {name: str(value) for name, value in form.items()}
        return
    proven = False
    async for part in _parts(request):
        described = _described(part)
        name, file_name = described.get("name"), described.get("filename")
        if not name:
            continue
        if file_name is None:
            if len(came.fields) >= FIELDS_LIMIT:
                raise Refused(Refusal.TOO_LARGE)
            came.fields[name] = await _field(part)
            if name == CSRF_FIELD:
                check_proof(request, came.fields[CSRF_FIELD])
                proven = True
        elif not proven:
            raise Forged
        elif file_name and came.upload_id is None:
            came.file_name = file_name[-255:]
            declared = part.headers.get("Content-Type", "")[:100]
            came.upload_id = await pass_on(
                request.app[BROKER],
                _pieces(part),
                visa=visa,
                file_name=came.file_name,
                media_type=declared,
            )
    if not proven:
        raise Forged


async def pass_on(
    broker: NatsBroker,
    pieces: AsyncIterator[bytes],
    *,
    visa: str,
    file_name: str,
    media_type: str,
) -> UUID:
    """Upload what comes, in chunks, and hold no more than one of them."""
    waiting, number, size = bytearray(), 0, 0
    upload_id: UUID | None = None
    async for piece in pieces:
        size += len(piece)
        if size > UPLOAD_LIMIT:
            raise Refused(Refusal.TOO_LARGE)
        waiting += piece
        if upload_id is None:
            start = StartUpload(
                visa=visa, key=fresh_key(), file_name=file_name, media_type=media_type
            )
            upload_id = (await ask(broker, start)).upload_id
        while len(waiting) >= CHUNK_SIZE:
            await _add(broker, visa, upload_id, number, bytes(waiting[:CHUNK_SIZE]))
            del waiting[:CHUNK_SIZE]
            number += 1
    if upload_id is None:
        raise Refused(Refusal.EMPTY)
    if waiting:
        await _add(broker, visa, upload_id, number, bytes(waiting))
    return upload_id


async def _add(broker: NatsBroker, visa: str, upload_id: UUID, number: int, data: bytes) -> None:
    await ask(broker, AddChunk(visa=visa, upload_id=upload_id, number=number, data=data), within=10)


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    """Each field and file; what only says that it is a form is not one."""
    try:
        form = await request.multipart()
        while part := await form.next():
            if isinstance(part, BodyPartReader):
                yield part
    except (ValueError, HttpProcessingError):
        raise web.HTTPBadRequest from None


def _described(part: BodyPartReader) -> dict[str, str]:
    """The name of a part and of its file, written as browsers write them (HTML, 4.10.22.8).

    A backslash stands for itself there, and `%22`, `%0D` and `%0A` for what would end the name;
    a reader of quoted strings (RFC 2183) loses the one and keeps the others.
    """
    said = part.headers.get(hdrs.CONTENT_DISPOSITION, "")
    return {
        key: value.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
        for key, value in _PARAMETER.findall(said)
    }


async def _field(part: BodyPartReader) -> str:
    data = bytearray()
    async for piece in _pieces(part):
        data += piece
        if len(data) > FIELD_LIMIT:
            raise Refused(Refusal.TOO_LARGE)
    return data.decode("utf-8", "replace")


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await part.read_chunk(64 * 1024):
        yield piece
