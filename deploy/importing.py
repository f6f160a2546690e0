"""Clinical files on their way in: uploaded in chunks, read by records, reported."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from uuid_utils.compat import uuid7

from deploy.problem import SaidNo
from deploy.reach import PATIENCE, Desk
from libs.contracts.content import CHUNK_SIZE
from libs.contracts.records.imports import (
    AddChunk,
    Import,
    ImportState,
    ShowImport,
    StartImport,
    StartUpload,
)
from libs.runtime.broker import ask

READ_WITHIN = 600
"""Seconds for one file; 50 MB of FHIR take about one minute."""


async def bring_in(
    desk: Desk,
    file: Path,
    *,
    media_type: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> Import:
    """What became of this file. The same content again is the same import."""
    start = StartUpload(
        visa=await desk.visa(), key=uuid7(), file_name=file.name, media_type=media_type
    )
    upload = (await ask(desk.broker, start, within=PATIENCE)).upload_id
    with file.open("rb") as content:
        number = 0
        while data := content.read(CHUNK_SIZE):
            visa = await desk.visa()
            chunk = AddChunk(visa=visa, upload_id=upload, number=number, data=data)
            await ask(desk.broker, chunk, within=PATIENCE)
            progress(len(data))
            number += 1
    begin = StartImport(visa=await desk.visa(), upload_id=upload, declared_type=media_type)
    started = await ask(desk.broker, begin, within=PATIENCE)
    until = asyncio.get_running_loop().time() + READ_WITHIN
    while asyncio.get_running_loop().time() < until:
        asked = ShowImport(visa=await desk.visa(), import_id=started.import_id)
        shown = await ask(desk.broker, asked, within=PATIENCE)
        if shown.state is not ImportState.READING:
            return shown
        await asyncio.sleep(0.1)
    raise SaidNo(f"{file.name} is still being read; see the page of imports.")
