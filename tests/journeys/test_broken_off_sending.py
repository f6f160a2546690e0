"""A record on its way to a recipient while parts are killed, and while its sender takes it back."""

import asyncio
import hashlib
import io
import os
import re
import signal
import socket
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import pytest

from bench import portal
from bench.charts import BORN, Someone
from bench.downloads import SIZE, scan
from bench.portal import Patient, Portal
from tests.journeys.client import Client
from tests.journeys.installation import Installation

DOCUMENTS = 40
WHO = Someone(number=0)
WITHIN = 120
RECORD_PASSWORD = "maple-orbit-tundra-lemon"
VICTIMS = ("records", "nats", "postgres", "gateway")
LINK = re.compile(r"/shared/[\w=-]+")
SMALL = 65_536
"""Bytes that a slow reader's own system takes in before it is read."""


@dataclass(frozen=True)
class Practice:
    """Somebody with some 27 MB of scans, in a portal of their own."""

    here: Portal
    patient: Patient
    rosa: Client

    @property
    def installation(self) -> Installation:
        return Installation(url=self.here.here.url, folder=self.here.here.folder)

    @property
    def form(self) -> str:
        return f"/p/{self.patient.id}/health/send"

    async def sends(self, recipient: str) -> str:
        """The page that says how far it has come."""
        fields = {
            "recipient_email": recipient,
            "kinds": "documents",
            "record_password": RECORD_PASSWORD,
            "proof_password": portal.PASSWORD,
        }
        sent = await self.rosa.send(self.form, fields)
        assert sent.status == 303, sent.text
        return sent.place

    async def link(self, recipient: str) -> str:
        """What the letter says, without its server."""
        letter = await asyncio.to_thread(self.installation.letter, recipient, within=WITHIN)
        found = LINK.search(letter["text"])
        assert found
        return found[0]

    def kills(self, victim: str) -> None:
        os.kill(self.here.pid(victim), signal.SIGKILL)


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with portal.up() as here:
        [patient] = await here.registered([WHO])
        await scan(here, WHO, range(DOCUMENTS))
        async with Client(Installation(url=here.here.url, folder=here.here.folder)) as rosa:
            await rosa.log_in(WHO.email, (BORN.year, BORN.month, BORN.day), portal.PASSWORD)
            yield Practice(here, patient, rosa)


async def opened(practice: Practice, link: str) -> dict[str, str]:
    """The headers of a recipient's browser that has typed the password."""
    async with Client(practice.installation) as doctor:
        answer = await doctor.send(link, {"record_password": RECORD_PASSWORD})
        assert answer.status == 303, answer.text
        cookies = "; ".join(f"{name}={value}" for name, value in doctor.cookies.items())
    return {"Cookie": cookies}


async def test_a_recipients_download_goes_on_from_where_it_broke_off(practice: Practice) -> None:
    to = "dr.okafor@clinic.example.com"
    await practice.sends(to)
    link = await practice.link(to)
    address = f"{practice.here.here.url}{link}/files/zip"
    headers = await opened(practice, link)
    digests, got = set(), b""
    async with aiohttp.ClientSession(
        headers=headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as browser:
        for victim in VICTIMS:
            got = await _taken(browser, address, practice, victim)
            digests.add(hashlib.sha256(got).digest())
    assert len(digests) == 1
    archive = zipfile.ZipFile(io.BytesIO(got))
    assert archive.testzip() is None
    assert sum(one.file_size == SIZE for one in archive.infolist()) == DOCUMENTS


async def _taken(
    browser: aiohttp.ClientSession, address: str, practice: Practice, victim: str
) -> bytes:
    """All of it, though somebody is killed in the middle."""
    async with browser.get(address) as answer:
        assert answer.status == 200, await answer.text()
        tag, size = answer.headers["ETag"], answer.content_length or 0
        got = await answer.content.readexactly(1_000_000)
        practice.kills(victim)
        with suppress(aiohttp.ClientError):  # as a browser sees it, or not at all
            async for piece in answer.content.iter_chunked(65_536):
                got += piece
    more = {"If-Range": tag}
    async with asyncio.timeout(WITHIN):
        while len(got) < size:
            try:
                async with browser.get(
                    address, headers=more | {"Range": f"bytes={len(got)}-"}
                ) as answer:
                    if answer.status == 206:
                        assert answer.headers["ETag"] == tag
                        async for piece in answer.content.iter_chunked(65_536):
                            got += piece
                        continue
                    assert answer.status == 503, answer.status
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.3)
    assert len(got) == size
    return got


@pytest.mark.parametrize("victim", ["nats", "postgres"])
async def test_a_record_that_is_packed_arrives_whole_or_is_said_to_have_failed(
    practice: Practice, victim: str
) -> None:
    to = f"dr.{victim}@clinic.example.com"
    shown = await practice.sends(to)
    practice.kills(victim)
    async with asyncio.timeout(WITHIN):
        while "Being packed" in (said := (await practice.rosa.get(shown)).text):
            await asyncio.sleep(1)
    if "It could not be finished, and no email went out." in said:
        assert "SMART Health Link" not in said
        await asyncio.sleep(5)
        assert practice.installation.letters(to) == []
        assert "could not be finished" in (await practice.rosa.get(shown)).text
        to = f"again.{to}"
        await practice.sends(to)
    link = await practice.link(to)
    async with (
        aiohttp.ClientSession(
            headers=await opened(practice, link), cookie_jar=aiohttp.DummyCookieJar()
        ) as browser,
        browser.get(f"{practice.here.here.url}{link}/files/zip") as answer,
    ):
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert archive.testzip() is None
    assert sum(one.file_size == SIZE for one in archive.infolist()) == DOCUMENTS


async def test_a_slow_reader_gets_no_more_once_the_record_is_taken_back(
    practice: Practice,
) -> None:
    to = "dr.okafor@clinic.example.com"
    shown = await practice.sends(to)
    link = await practice.link(to)
    headers = await opened(practice, link)
    sending = re.search(r"[0-9a-f-]{36}$", shown)
    assert sending
    loop, there = asyncio.get_running_loop(), urlsplit(practice.here.here.url)
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        line.setblocking(False)
        await loop.sock_connect(line, (there.hostname, there.port))
        asked = f"GET {link}/files/zip HTTP/1.1\r\nHost: {there.netloc}\r\n"
        asked += f"Cookie: {headers['Cookie']}\r\n\r\n"
        await loop.sock_sendall(line, asked.encode())
        got = 0
        while got < 1_000_000:
            got += len(await loop.sock_recv(line, SMALL))
        await asyncio.sleep(1)  # what is on its way waits for us now
        revoke = f"/p/{practice.patient.id}/health/sent/{sending[0]}/revoke"
        answer = await practice.rosa.send(practice.form, {}, to=revoke)
        assert answer.status == 303
        await asyncio.sleep(1)
        more = 0
        with suppress(ConnectionResetError):
            async with asyncio.timeout(1):
                while piece := await loop.sock_recv(line, SMALL):
                    more += len(piece)
    assert more < 8 * SMALL
