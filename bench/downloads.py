"""A large record taken away as one archive: its first byte, its rate, and the memory it takes."""

import asyncio
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import aiohttp

from bench import load, portal
from bench.charts import Someone, document, person, written
from bench.figures import Finding
from bench.memory import MEGABYTE, Growth
from bench.portal import Patient, Portal
from bench.terms import Terms
from libs.contracts.content import CHUNK_SIZE

DOCUMENTS = 300
SIZE = 200 * MEGABYTE // DOCUMENTS
HEAD = b"%PDF-1.7\n"
IN_A_FILE = 30
"""Documents that are imported at a time."""
PARTS = ("gateway", "records", "messaging", "nats", "postgres")
SPEED = re.compile(r"^AES-256-GCM\s+([\d.]+)k", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One archive, taken away."""

    first_byte: float
    """Seconds from when it was asked for."""
    rate: float
    """Megabytes in a second, from then on."""
    growth: float
    """Megabytes."""


async def measure(terms: Terms) -> list[Finding]:
    """The same archive, made anew in each round."""
    who = Someone(number=0)
    taken, speeds = [], []
    async with portal.up() as here:
        [patient] = await here.registered([who])
        for start in range(0, DOCUMENTS, IN_A_FILE):
            terms.say(f"downloads: {start} of {DOCUMENTS} documents are there")
            await scan(here, who, range(start, start + IN_A_FILE))
        cookie = await here.session(patient)
        for number in range(terms.rounds):
            terms.say(f"downloads: round {number + 1} of {terms.rounds}")
            taken.append(await _take(here, patient, cookie))
            speeds.append(await openssl())
    what = f"ZIP of {DOCUMENTS} documents, {DOCUMENTS * SIZE // MEGABYTE} MB"
    rounds = len(taken)
    return [
        Finding(
            name="download's first byte",
            what=f"{what}: first byte",
            unit="s",
            ours=[one.first_byte for one in taken],
            beside="what is promised",
            baseline=[1.0] * rounds,
            budget=1,
            at_least=False,
        ),
        Finding(
            name="download's memory",
            what=f"{what}: growth of a process",
            unit="MB",
            ours=[one.growth for one in taken],
            beside="what is promised",
            baseline=[150.0] * rounds,
            budget=1,
            at_least=False,
        ),
        Finding(
            name="download's rate",
            what=f"{what}: rate",
            unit="MB/s",
            ours=[one.rate for one in taken],
            beside="openssl speed, AES-256-GCM",
            baseline=speeds,
        ),
    ]


async def scan(here: Portal, who: Someone, numbers: Sequence[int]) -> None:
    """Documents by these numbers, each with content of its own that nothing packs."""
    documents = (
        document(who, number, f"Scan {number}", HEAD + os.urandom(SIZE - len(HEAD)))
        for number in numbers
    )
    file = here.here.folder / "run" / "documents.json"
    with file.open("wb") as made:
        made.writelines(written(chain([person(who)], documents)))
    done = await here.bring_in_file(file)
    if sum(one.documents_taken for one in done.subjects) != len(numbers):
        raise load.Failing(f"Documents were not taken. {done.problem}")


async def _take(here: Portal, patient: Patient, cookie: str) -> Taken:
    address = f"{here.here.url}/p/{patient.id}/health/download"
    pids = [here.pid(part) for part in PARTS]
    with Growth(pids) as growth:
        async with aiohttp.ClientSession(headers={"Cookie": cookie}) as browser:
            began, size = time.perf_counter(), 0
            async with browser.get(f"{address}?format=zip&kinds=documents") as answer:
                if answer.content_type == "text/html":
                    raise load.Failing("The archive was not ready at once.")
                await answer.content.readexactly(1)
                first = time.perf_counter()
                async for piece in answer.content.iter_chunked(CHUNK_SIZE):
                    size += len(piece)
            ended = time.perf_counter()
    if size < DOCUMENTS * SIZE:
        raise load.Failing(f"The archive has {size:,} bytes.")
    return Taken(
        first_byte=first - began, rate=size / MEGABYTE / (ended - first), growth=growth.most
    )


async def openssl() -> float:
    """Megabytes that one core seals in a second, in pieces as large as ours."""
    if not (openssl := shutil.which("openssl")):
        raise load.Failing("openssl is not installed.")
    options = ("speed", "-evp", "aes-256-gcm", "-bytes", str(CHUNK_SIZE), "-seconds", "1")
    process = await asyncio.create_subprocess_exec(
        openssl,
        *options,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    if not (found := SPEED.search(said.decode())):
        raise load.Failing("openssl did not say how fast it is.")
    return float(found[1]) * 1000 / MEGABYTE
