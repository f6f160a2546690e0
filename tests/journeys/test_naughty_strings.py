"""Every naughty string as a name, a test, a value, a title and a file name, through the whole chain.

What is taken is shown as text, on the patient's pages and the staff's; none of it ever comes alive.
"""

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any
from unicodedata import category, normalize
from urllib.parse import quote, unquote, urljoin

import pytest
from playwright.sync_api import APIResponse, ConsoleMessage, Dialog, FilePayload

from deploy.demo.people import LAKESIDE
from gateway.pages.staff_patients import WORDS
from libs.contracts.records.refusals import Refusal
from services.records.domain.patient import LONGEST_NAME
from tests.corpus import CORPUS, needs_corpus
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.nurse import nurse_is_in
from tests.waiting import until_now

pytestmark = [needs_corpus, pytest.mark.parametrize("look", LOOKS[:1], indirect=True)]
Open = Callable[[], Visit]
GIVEN, FAMILY = "<script>alert('given')</script>", "\"'><img src=x onerror=alert('family')>"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""No header may hold these, so no browser can send them in a file's name."""
PASSWORD = "Quiet-Harbor-72"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
ALIVE = """() => [...document.querySelectorAll('*')].filter(one =>
  (one.localName == 'script' && !one.getAttribute('src')?.startsWith('/static/')) ||
  (one.localName == 'a' && !/^(https?:|tel:|mailto:|[/?#])/.test(one.getAttribute('href'))) ||
  ['img', 'base', 'marquee', 'object', 'embed', 'meter', 'style'].includes(one.localName) ||
  one.getAttributeNames().some(name => name.startsWith('on'))).map(one => one.outerHTML)"""
"""What no page of the portal has: an element that a string has become."""


def strings() -> list[str]:
    """Each once, also where two differ only in the spaces around them."""
    told = json.loads((CORPUS / "misc/big-list-of-naughty-strings__blns.json").read_text("utf-8"))
    return list({visible(one): one for one in told if visible(one)}.values())


def visible(text: str) -> str:
    """A text as a page shows it: runs of white space are one space."""
    return " ".join(text.split())


def chart(naughty: list[str]) -> bytes:
    """A FHIR bundle: each string as a test's name with a plain value, as a value, and as a title."""
    subject = {"reference": "urn:uuid:0192a000-0000-7000-8000-00000000aaaa"}
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": subject["reference"],
            "resource": {
                "resourceType": "Patient",
                "identifier": [{"value": "NAUGHTY"}],
                "name": [{"family": FAMILY, "given": [GIVEN]}],
                "birthDate": "1972-07-09",
            },
        }
    ]
    for number, text in enumerate(naughty):
        for name, value in ((f"Test {number}", text), (text, f"Value {number}")):
            entries.append({"resource": observation(subject, f"{number} {name}"[:60], name, value)})
        entries.append({"resource": paper(subject, number, text)})
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def observation(subject: dict[str, str], key: str, name: str, value: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:naughty", "value": base64.b32encode(key.encode()).decode()}],
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": name},
        "subject": subject,
        "effectiveDateTime": "2026-11-02T09:00:00Z",
        "valueString": value,
    }


def paper(subject: dict[str, str], number: int, title: str) -> dict[str, Any]:
    content = base64.b64encode(f"Paper {number}".encode()).decode()
    attachment = {"contentType": "text/plain", "title": title, "data": content}
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:naughty", "value": f"paper-{number}"}],
        "status": "current",
        "subject": subject,
        "description": title,
        "content": [{"attachment": attachment}],
    }


def watched(visit: Visit) -> list[str]:
    """What came alive in this window, and what its policy had to stop."""
    seen: list[str] = []

    def dialog(asking: Dialog) -> None:
        seen.append(asking.message)
        asking.dismiss()

    def console(said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text:
            seen.append(said.text)

    visit.page.on("dialog", dialog)
    visit.page.on("console", console)
    return seen


def fetched(visit: Visit, address: str) -> APIResponse:
    """What a link gives, with this window's session."""
    return visit.page.request.get(urljoin(visit.portal.url, address))


def shown(visit: Visit, address: str) -> str:
    """The text of a page, as a browser has read it; nothing on it is alive."""
    visit.page.goto(address)
    assert visit.page.evaluate(ALIVE) == []
    return visible(visit.page.evaluate("document.body.textContent"))


def missing(texts: list[str], page: str) -> list[str]:
    return [text for text in texts if visible(text) not in page]


def add_by_list(staff: Visit, naughty: list[str]) -> str:
    """The report of a list in which everybody has a naughty name."""
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(["Given name", "Family name", "Date of birth", "Email", "MRN"])
    for number, text in enumerate(naughty):
        lines.writerow([f"Naughty{number}", text, "1980-02-03", "", f"N-{number}"])
    staff.goes_to("/staff/patients/import")
    staff.page.locator("input[type=file]").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": table.getvalue().encode()}
    )
    staff.page.locator("main form button").last.click()
    assert staff.page.evaluate(ALIVE) == []
    staff.page.locator("main form button").last.click()
    return visible(staff.page.evaluate("document.body.textContent"))


def registered(patient: Visit, staff: Visit, *, mrn: str, day: int) -> str:
    """Somebody whose own name is naughty, added and registered; their record's address."""
    email = f"{mrn.lower()}@example.com"
    staff.goes_to("/staff/patients/new")
    for label, text in (("Given name", GIVEN), ("Family name", FAMILY), ("Email", email)):
        staff.types(label, text)
    staff.types("Record number", mrn)
    staff.types_date(1972, 7, day)
    staff.presses("Add patient")
    staff.sees(GIVEN, FAMILY)
    patient.goes_to(patient.portal.link(email))
    patient.types_date(1972, 7, day)
    patient.types("Password", PASSWORD)
    patient.types("Confirm password", PASSWORD)
    patient.page.get_by_label("I have read and accept").check()
    patient.presses("Complete registration")
    patient.types("Email", email)
    patient.types("Password", PASSWORD)
    patient.types_date(1972, 7, day)
    patient.presses("Log in")
    patient.sees(GIVEN, FAMILY)
    return patient.page.url.removesuffix("/health")


def imported(staff: Visit, naughty: list[str]) -> dict[str, Any]:
    """The report of the chart, once it is read."""
    key = {"Authorization": f"Bearer {staff.portal.import_key(str(LAKESIDE))}"}
    sent = staff.page.request.post(
        staff.portal.url + "/api/v1/import",
        data=chart(naughty),
        headers=key | {"Content-Type": "application/fhir+json"},
    )
    place = staff.portal.url + sent.json()["report"]

    def report() -> Any:
        told = staff.page.request.get(place, headers=key).json()
        return told if told["state"] != "reading" else None

    told: dict[str, Any] = until_now(report, within=60)
    return told


def pages(visit: Visit, address: str, onward: str) -> tuple[str, list[str]]:
    """A list with everything that its last link leads on to, and the links on it."""
    text, links = "", []
    while address:
        text += shown(visit, address) + " "
        links += visit.page.locator("main a").evaluate_all("all => all.map(one => one.href)")
        link = visit.page.get_by_role("link", name=onward, exact=True)
        address = (link.first.get_attribute("href") or "") if link.count() else ""
    return text, links


def test_every_string_is_shown_as_text_and_none_comes_alive(visit: Open) -> None:
    naughty = strings()
    staff, patient = visit(), visit()
    alive = [watched(staff), watched(patient)]
    nurse_is_in(staff)

    record = registered(patient, staff, mrn="NAUGHTY", day=9)
    told = imported(staff, naughty)
    assert told["state"] == "done", told
    left_out = json.dumps(told["left_out"], ensure_ascii=False)
    assert told["left_out"] == [], left_out

    health = shown(patient, f"{record}/health")
    assert missing(naughty, health) == []
    assert missing([f"Test {number}" for number in range(len(naughty))], health) == []
    assert missing([f"Value {number}" for number in range(len(naughty))], health) == []

    documents, _ = pages(patient, f"{record}/health/documents", "Older documents")
    assert missing(naughty, documents) == []
    assert missing(naughty, shown(staff, staff.page.url)) == []
    assert alive == [[], []]


def test_every_string_is_a_name_or_is_refused_in_words(visit: Open) -> None:
    naughty = [normalize("NFC", text) for text in strings()]
    staff = visit()
    alive = watched(staff)
    nurse_is_in(staff)

    report = add_by_list(staff, naughty)
    assert missing(naughty, report) == []
    listed, _ = pages(staff, "/staff/patients?q=Naughty", "More patients")
    left_out = [text for text in naughty if unusable(text)]
    assert 0 < len(left_out) < len(naughty) / 10
    assert missing([text for text in naughty if text not in left_out], listed) == []
    assert report.count("Left out") == len(left_out)
    why = [WORDS[code] for code in (Refusal.NAME_MISSING, Refusal.NAME_NOT_USABLE)]
    assert [report.count(words) > 0 for words in why] == [True, True]
    assert sum(report.count(words) for words in why) == len(left_out)
    assert alive == []


def unusable(text: str) -> bool:
    """No name: too long, with control characters, or with nothing that can be seen."""
    kinds = [category(one) for one in text.strip()]
    invisible = all(kind[0] in "ZC" for kind in kinds)
    return len(text) > LONGEST_NAME or invisible or bool({"Cc", "Zl", "Zp"} & set(kinds))


def test_every_string_is_the_name_of_a_file(visit: Open) -> None:
    naughty = strings()
    staff, patient = visit(), visit()
    alive = [watched(staff), watched(patient)]
    nurse_is_in(staff)
    record = registered(patient, staff, mrn="FILES", day=8)
    chart = staff.page.url
    csrf = dict(HIDDEN.findall(fetched(staff, chart).text()))["csrf"]
    for number, text in enumerate(naughty):
        file = FilePayload(name=text, mimeType="text/plain", buffer=f"File {number}".encode())
        sent = staff.page.request.post(
            f"{chart}/documents",
            multipart={"csrf": csrf, "kind": "Other", "file": file},
            max_redirects=0,
        )
        assert sent.status == (400 if CONTROL.search(text) else 303), (text, sent.text())

    given_back: set[int] = set()
    _, links = pages(patient, f"{record}/health/documents", "Older documents")
    for document in dict.fromkeys(re.findall(r"/documents/([0-9a-f-]{36})", " ".join(links))):
        given = fetched(patient, f"{record}/health/documents/{document}/download")
        number = int(given.text().removeprefix("File "))
        disposition = given.headers["content-disposition"]
        ascii_name, _, name = disposition.partition("; filename*=UTF-8''")
        assert unquote(name) == naughty[number].strip()[-255:]
        assert re.fullmatch(r'attachment; filename="[^"\\/;%]+"', ascii_name)
        given_back.add(number)
    assert len(given_back) == len([text for text in naughty if not CONTROL.search(text)])
    assert alive == [[], []]


def test_every_string_is_a_message_and_its_answer(visit: Open) -> None:
    """Some are nothing that can be seen, and are refused as such; the others say what they say."""
    naughty = [text for text in strings() if visible(text).strip()]
    staff, patient = visit(), visit()
    alive = [watched(staff), watched(patient)]
    nurse_is_in(staff)
    record = registered(patient, staff, mrn="WRITER", day=7)
    whole = "\n\n".join(naughty)
    parts = [whole[start : start + 2900] for start in range(0, len(whole), 2900)]
    for number, words in enumerate(parts):
        patient.page.goto(f"{record}/messages/compose")
        patient.page.get_by_label("Health question").check()
        patient.types("Subject", naughty[number % len(naughty)][:200] + f" {number}")
        patient.types("Message", words)
        patient.page.get_by_role("button", name="Send message").click()
        page = visible(patient.page.evaluate("document.body.textContent"))
        assert patient.page.evaluate(ALIVE) == []
        assert missing([line for line in words.splitlines() if line.strip()], page) == []
    staff.page.goto("/staff/messages")
    assert staff.page.evaluate(ALIVE) == []
    staff.page.goto(f"/staff/messages?q={quote(GIVEN)}")
    assert staff.page.evaluate(ALIVE) == []
    staff.page.goto("/staff/messages")
    staff.page.locator("table a").last.click()
    staff.types("Your answer", whole[:9000])
    staff.page.get_by_role("button", name="Send answer").click()
    assert staff.page.evaluate(ALIVE) == []
    staff.sees("Your answer is sent.")
    assert alive == [[], []]
