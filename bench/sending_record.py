"""A large record sent to somebody: packed under its own key, and taken away by who was sent it."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench import downloads, load, portal
from bench.charts import BORN, Someone
from bench.downloads import DOCUMENTS, IN_A_FILE, PARTS, SIZE
from bench.figures import Finding
from bench.memory import MEGABYTE, Growth
from bench.portal import Patient, Portal
from bench.terms import Terms
from deploy.demo.browser import Browser
from libs.contracts.content import CHUNK_SIZE

RECORD_PASSWORD = "maple-orbit-tundra-lemon"  # noqa: S105  (of a portal that lasts for a minute)
LINK = re.compile(r"/shared/[\w=-]+")
PACKED_WITHIN = 300


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One record, from the sender's click to the recipient's last byte."""

    packed: float
    """Megabytes in a second, until the letter is there."""
    packing: float
    """Megabytes by which a process grew meanwhile."""
    first_byte: float
    """Seconds from the recipient's click."""
    rate: float
    """Megabytes in a second, from then on."""
    reading: float
    """Megabytes by which a process grew meanwhile."""


async def measure(terms: Terms) -> list[Finding]:
    """The same record, sent anew in each round."""
    who = Someone(number=0)
    sent, speeds = [], []
    async with portal.up() as here:
        [patient] = await here.registered([who])
        for start in range(0, DOCUMENTS, IN_A_FILE):
            terms.say(f"sending_record: {start} of {DOCUMENTS} documents are there")
            await downloads.scan(here, who, range(start, start + IN_A_FILE))
        async with Browser(here.here.url) as browser:
            born = {"year": BORN.year, "month": BORN.month, "day": BORN.day}
            dated = {f"date_of_birth_{part}": str(number) for part, number in born.items()}
            fields = {"email": who.email, "password": portal.PASSWORD} | dated
            await browser.send("/login", fields)
            for number in range(terms.rounds):
                terms.say(f"sending_record: round {number + 1} of {terms.rounds}")
                sent.append(await _send(here, browser, patient, number))
                speeds.append(await downloads.openssl())
    what = f"Record of {DOCUMENTS} documents, {DOCUMENTS * SIZE // MEGABYTE} MB, sent"
    promised: dict[str, Any] = {"beside": "what is promised", "budget": 1, "at_least": False}
    openssl: dict[str, Any] = {"beside": "openssl speed, AES-256-GCM", "baseline": speeds}
    memory = promised | {"unit": "MB", "baseline": [150.0] * len(sent)}
    return [
        Finding(
            name="recipient's first byte",
            what=f"{what}: first byte of the ZIP",
            unit="s",
            ours=[one.first_byte for one in sent],
            baseline=[1.0] * len(sent),
            **promised,
        ),
        Finding(
            name="packing's memory",
            what=f"{what}: growth of a process that packs",
            ours=[one.packing for one in sent],
            **memory,
        ),
        Finding(
            name="recipient's memory",
            what=f"{what}: growth of a process as it is taken",
            ours=[one.reading for one in sent],
            **memory,
        ),
        Finding(
            name="packing's rate",
            what=f"{what}: packed",
            unit="MB/s",
            ours=[one.packed for one in sent],
            **openssl,
        ),
        Finding(
            name="recipient's rate",
            what=f"{what}: taken",
            unit="MB/s",
            ours=[one.rate for one in sent],
            **openssl,
        ),
    ]


async def _send(here: Portal, browser: Browser, patient: Patient, number: int) -> Sent:
    to = f"dr.okafor.{number}@clinic.example.com"
    fields = {
        "recipient_email": to,
        "kinds": "documents",
        "record_password": RECORD_PASSWORD,
        "proof_password": portal.PASSWORD,
    }
    pids = [here.pid(part) for part in PARTS]
    with Growth(pids) as packing:
        began = time.perf_counter()
        await browser.send(f"/p/{patient.id}/health/send", fields)
        link = await _link(here, to)
        took = time.perf_counter() - began
    async with Browser(here.here.url) as recipient:
        await recipient.send(link, {"record_password": RECORD_PASSWORD})
        cookies = recipient.cookies
    with Growth(pids) as reading:
        first, rate = await _take(f"{here.here.url}{link}/files/zip", cookies)
    return Sent(
        packed=DOCUMENTS * SIZE / MEGABYTE / took,
        packing=packing.most,
        first_byte=first,
        rate=rate,
        reading=reading.most,
    )


async def _link(here: Portal, to: str) -> str:
    """What is in the letter, once it is there."""
    async with asyncio.timeout(PACKED_WITHIN), aiohttp.ClientSession() as client:
        while True:
            async with client.get(f"{here.here.url}/mailbox.json") as answer:
                letters = await answer.json()
            for letter in letters:
                if letter["to"] == to and (found := LINK.search(letter["text"])):
                    return found[0]
            await asyncio.sleep(0.1)


async def _take(address: str, cookies: str) -> tuple[float, float]:
    """Seconds to the first byte, and megabytes in a second from then on."""
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(headers={"Cookie": cookies}, cookie_jar=jar) as browser:
        began, size = time.perf_counter(), 0
        async with browser.get(address) as answer:
            if answer.content_type == "text/html":
                raise load.Failing("The recipient was shown the door.")
            await answer.content.readexactly(1)
            first = time.perf_counter()
            async for piece in answer.content.iter_chunked(CHUNK_SIZE):
                size += len(piece)
        ended = time.perf_counter()
    if size < DOCUMENTS * SIZE:
        raise load.Failing(f"The archive has {size:,} bytes.")
    return first - began, size / MEGABYTE / (ended - first)
