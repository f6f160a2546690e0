"""Every odd and hostile file of the corpus through the whole portal: kept, shown, or refused."""

import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import psutil
import pytest
from playwright.sync_api import FilePayload

from deploy.demo.people import LAKESIDE
from libs.contracts import registry
from tests.corpus import content, files, needs_corpus
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.installation import Installation
from tests.journeys.nurse import nurse_is_in
from tests.journeys.test_naughty_strings import HIDDEN, fetched, pages, registered
from tests.waiting import until_now

pytestmark = [needs_corpus, pytest.mark.parametrize("look", LOOKS[:1], indirect=True)]
Open = Callable[[], Visit]
AT_MOST = 5
"""Seconds for any one file."""
GROWTH = 250 * 1024 * 1024
"""Bytes that any process may hold more than before, at its fullest."""
REFUSED = {"defusedxml__xmltestdata_dtd.xml"}
"""A web page with a script in it."""


def processes(portal: Installation) -> dict[str, psutil.Process]:
    """Every part of the portal and each of its children."""
    found = {}
    for part in (*registry.services(), "gateway"):
        process = psutil.Process(portal.pid(part))
        found[part] = process
        found |= {f"{part} {child.pid}": child for child in process.children(recursive=True)}
    return found


def forget_the_fullest(process: psutil.Process) -> int:
    """From now on the most that a process held is counted anew; what it holds now, in bytes."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    return int(process.memory_info().rss)


def fullest(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def test_every_file_is_given_back_byte_for_byte_or_refused_in_words(visit: Open) -> None:
    staff, patient = visit(), visit()
    nurse_is_in(staff)
    record = registered(patient, staff, mrn="CORPUS", day=10)
    chart = staff.page.url
    csrf = dict(HIDDEN.findall(fetched(staff, chart).text()))["csrf"]
    running = processes(staff.portal)
    held = {name: forget_the_fullest(process) for name, process in running.items()}

    kept: dict[str, Path] = {}
    for path in files("files"):
        began = time.monotonic()
        sent = staff.page.request.post(
            f"{chart}/documents",
            multipart={
                "csrf": csrf,
                "title": path.name,
                "file": FilePayload(
                    name=path.name, mimeType="application/octet-stream", buffer=content(path)
                ),
            },
            max_redirects=0,
        )
        assert time.monotonic() - began < AT_MOST, path.name
        if path.name in REFUSED:
            assert sent.status == 400
            assert "Files of this kind are not taken" in sent.text()
        else:
            assert sent.status == 303, path.name
            kept[path.name] = path

    _, links = pages(patient, f"{record}/health/documents", "Older documents")
    addresses = [
        link for link in dict.fromkeys(links) if re.search(r"/documents/[0-9a-f-]{36}$", link)
    ]
    assert len(addresses) == len(kept)
    for address in addresses:
        began = time.monotonic()
        patient.page.goto(address)
        patient.page.wait_for_load_state("networkidle")
        name = patient.page.locator("h1").inner_text()
        assert fetched(patient, f"{address}/download").body() == content(kept.pop(name)), name
        assert time.monotonic() - began < 2 * AT_MOST, name
    assert kept == {}
    assert patient.outside == []
    grown = {
        name: fullest(process) - held[name]
        for name, process in running.items()
        if process.is_running() and fullest(process) - held[name] > GROWTH
    }
    assert grown == {}


def test_every_file_that_is_sent_to_be_read_has_its_report(visit: Open) -> None:
    staff = visit()
    key = {"Authorization": f"Bearer {staff.portal.import_key(str(LAKESIDE))}"}
    for path in files("files"):
        began = time.monotonic()
        sent = staff.page.request.post(
            staff.portal.url + "/api/v1/import",
            data=content(path),
            headers=key | {"Content-Type": "application/octet-stream"},
        )
        assert sent.status == 202, path.name
        place = urljoin(staff.portal.url, sent.json()["report"])
        told = until_now(partial(_report, staff, place, key), within=AT_MOST)
        assert time.monotonic() - began < AT_MOST, path.name
        assert told["state"] == "waiting", path.name
        assert told["problem"], path.name
    assert staff.page.request.get(staff.portal.url + "/login").status == 200


def _report(staff: Visit, place: str, key: dict[str, str]) -> dict[str, object] | None:
    """The report, once the file is read."""
    told: dict[str, object] = json.loads(staff.page.request.get(place, headers=key).text())
    return told if told["state"] != "reading" else None
