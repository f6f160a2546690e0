"""Records killed while a record is taken away, and while one is packed to be sent."""

import asyncio
import hashlib
import io
import os
import signal
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import pytest

from bench import portal
from bench.charts import BORN, Someone
from bench.downloads import SIZE, scan
from bench.portal import Patient, Portal
from tests.journeys.client import Client
from tests.journeys.installation import Installation
from tests.records.test_work_that_is_cancelled import setters
from tests.waiting import until

DOCUMENTS = 40
WHO = Someone(number=0)
WITHIN = 90
RECIPIENT = "dr.okafor@clinic.example.com"


@pytest.fixture
async def record() -> AsyncIterator[tuple[Portal, Patient]]:
    """Somebody with some 27 MB of scans, in a portal of their own."""
    async with portal.up() as here:
        [patient] = await here.registered([WHO])
        await scan(here, WHO, range(DOCUMENTS))
        yield here, patient


async def test_a_download_goes_on_from_where_it_broke_off(record: tuple[Portal, Patient]) -> None:
    here, patient = record
    headers = {"Cookie": await here.session(patient)}
    page = f"{here.here.url}/p/{patient.id}/health/download"
    async with aiohttp.ClientSession(headers=headers) as browser:
        async with browser.get(
            f"{page}?format=zip&kinds=documents&key=0192a000-0000-7000-8000-00000000aaaa"
        ) as answer:
            address, tag, size = answer.url, answer.headers["ETag"], answer.content_length or 0
            got = await answer.content.readexactly(1_000_000)
            os.kill(here.pid("records"), signal.SIGKILL)
            with suppress(aiohttp.ClientError):  # as a browser sees it, or not yet
                async for piece in answer.content.iter_chunked(65_536):
                    got += piece
        assert 1_000_000 <= len(got) <= size
        while len(got) < size:
            more = {"Range": f"bytes={len(got)}-", "If-Range": tag}
            async with browser.get(address, headers=more) as answer:
                if answer.status == 503:
                    await asyncio.sleep(0.3)
                    continue
                assert (answer.status, answer.headers["ETag"]) == (206, tag)
                got += await answer.read()
        async with browser.get(address) as answer:
            assert hashlib.sha256(await answer.read()).digest() == hashlib.sha256(got).digest()
    archive = zipfile.ZipFile(io.BytesIO(got))
    assert archive.testzip() is None
    assert sum(one.file_size == SIZE for one in archive.infolist()) == DOCUMENTS


async def test_whoever_leaves_while_a_file_is_made_wants_it_no_more(
    record: tuple[Portal, Patient],
) -> None:
    """Another who asked for the very same gets it all the same: a second press is one."""
    here, patient = record
    headers = {"Cookie": await here.session(patient)}
    key = "0192a000-0000-7000-8000-00000000bbbb"
    address = f"{here.here.url}/p/{patient.id}/health/download?format=pdf&key={key}"

    async with aiohttp.ClientSession(headers=headers) as browser:
        leaves = asyncio.create_task(browser.get(address))
        [setter] = await until(lambda: setters(here.pid("records")))
        os.kill(setter, signal.SIGSTOP)
        stays = asyncio.create_task(browser.get(address))
        await asyncio.sleep(0.3)
        leaves.cancel()
        await until(lambda: setter not in setters(here.pid("records")), within=5)
        async with await stays as answer:
            assert (answer.status, (await answer.read())[:5]) == (200, b"%PDF-")

        leaves = asyncio.create_task(browser.get(address.replace("bbbb", "cccc")))
        [setter] = await until(lambda: setters(here.pid("records")))
        os.kill(setter, signal.SIGSTOP)
        leaves.cancel()
        await until(lambda: not setters(here.pid("records")), within=5)


async def test_a_record_that_was_being_packed_is_not_sent_and_its_sender_can_read_that(
    record: tuple[Portal, Patient],
) -> None:
    here, patient = record
    installation = Installation(url=here.here.url, folder=here.here.folder)
    page = f"/p/{patient.id}/health/send"
    async with Client(installation) as rosa:
        await rosa.log_in(WHO.email, (BORN.year, BORN.month, BORN.day), portal.PASSWORD)
        fields = {
            "recipient_email": RECIPIENT,
            "kinds": "documents",
            "record_password": "maple-orbit-tundra-lemon",
            "proof_password": portal.PASSWORD,
        }
        own = await rosa.send(page, fields | {"record_password": portal.PASSWORD})
        assert own.status == 400
        assert "This is the password that you log in with." in own.text
        sent = await rosa.send(page, fields)
        assert sent.status == 303, sent.text
        os.kill(here.pid("records"), signal.SIGKILL)
        async with asyncio.timeout(WITHIN):
            while "Being packed" in (said := (await rosa.get(page)).text):
                await asyncio.sleep(1)
        assert "It could not be finished, and no email went out." in said
        assert "SMART Health Link" not in said
        assert installation.letters(RECIPIENT) == []
        again = await rosa.send(page, fields)
        assert again.status == 303, again.text
        assert installation.letter(RECIPIENT, within=WITHIN)
