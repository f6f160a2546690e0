"""A nurse's day: a list of patients, what is added to a record, and what comes in by file."""

from collections.abc import Callable
from datetime import date
from urllib.parse import urljoin

import pytest
from playwright.sync_api import FilePayload

from deploy.demo.chart import bundle
from deploy.demo.paper import pdf
from deploy.demo.people import LAKESIDE, Person
from libs.runtime.clock import utcnow
from tests.corpus import CORPUS, needs_corpus
from tests.journeys.conftest import LOOKS, Look, Visit
from tests.journeys.nurse import nurse_is_in

pytestmark = pytest.mark.parametrize("look", LOOKS[:2], indirect=True, ids=lambda look: look.name)
Open = Callable[[], Visit]
REPORT = pdf("Scan of the chest", ["Nothing to see here."])


def file(name: str, data: bytes, media_type: str = "application/octet-stream") -> FilePayload:
    return FilePayload(name=name, mimeType=media_type, buffer=data)


def tag(look: Look) -> str:
    return look.name.replace(" ", "-")


def person(look: Look, given: str) -> Person:
    return Person(
        practice_id=LAKESIDE,
        given=given,
        family=f"Moss {tag(look)}",
        birth_date=date(1969, 5, 20),
        email="",
        mrn=f"{given}-{tag(look)}",
        chart="short",
    )


def adds(staff: Visit, somebody: Person) -> str:
    """Puts somebody on the list, without an invitation; their page."""
    staff.goes_to("/staff/patients/new")
    staff.types("Given name", somebody.given)
    staff.types("Family name", somebody.family)
    born = somebody.birth_date
    staff.types_date(born.year, born.month, born.day)
    staff.types("Record number", somebody.mrn)
    staff.presses("Add patient")
    staff.sees(somebody.given, somebody.family, "Not invited")
    return staff.page.url


def test_a_list_of_patients_is_checked_before_anybody_is_added(visit: Open, look: Look) -> None:
    staff = visit()
    nurse_is_in(staff)
    staff.follows("Import a list")
    staff.presses("Check the list")
    staff.sees("There is a problem")
    table = (
        "mrn;Family name;given name;date of birth;e-mail\n"
        f"C1-{tag(look)};Ábalos {tag(look)};Inés;1971-02-03;ines.{tag(look)}@example.com\n"
        f"C2-{tag(look)};Wrong {tag(look)};Date;1971-02-30;\n"
        f"C3-{tag(look)};Wrong {tag(look)};Email;1971-02-03;not an address\n"
        f"C4-{tag(look)};;Nameless;1971-02-03;\n"
    )
    staff.page.get_by_label("List", exact=True).set_input_files(
        file("list.csv", table.encode("cp1252"), "text/csv")
    )
    staff.presses("Check the list")
    staff.sees("1 patient would be added", "3 lines have a problem", "Left out", "Inés Ábalos")
    staff.presses("Add 1 patient")
    staff.sees("1 patient added", "Inés Ábalos")
    staff.goes_to(f"/staff/patients?q=abalos+{tag(look)}")
    staff.sees("Inés Ábalos", f"C1-{tag(look)}")
    assert staff.portal.letter(f"ines.{tag(look)}@example.com")
    staff.goes_to(f"/staff/patients?q=wrong+{tag(look)}")
    staff.sees("No patient fits.")


def test_a_document_and_a_result_are_added_and_the_result_is_corrected(
    visit: Open, look: Look
) -> None:
    staff = visit()
    nurse_is_in(staff)
    chart = adds(staff, person(look, "Nora"))

    staff.types("Title that the patient sees", "Chest scan")
    staff.page.get_by_label("Type").select_option("Scan report")
    staff.presses("Add document")
    staff.sees("There is a problem", "Choose a file. This one is empty.")
    assert staff.page.get_by_label("Title that the patient sees").first.input_value() == (
        "Chest scan"
    )
    assert staff.page.get_by_label("Type").input_value() == "Scan report"
    staff.page.locator("#file").set_input_files(file("run.exe", b"MZ\x90" + bytes(2000)))
    staff.presses("Add document")
    staff.sees("Files of this kind are not taken")
    staff.page.locator("#file").set_input_files(file("scan.pdf", REPORT))
    staff.presses("Add document")
    staff.sees("The document is in the record.", "Chest scan", "Scan report")
    staff.follows("Chest scan")
    staff.sees("Chest scan", "All documents")
    assert staff.page.request.get(staff.page.url + "/download").body() == REPORT

    staff.goes_to(chart)
    staff.types("Test", "Hemoglobin")
    staff.types("LOINC code", "718-7")
    staff.types("Unit", "g/dL")
    staff.presses("Add result")
    staff.sees("There is a problem")
    assert staff.page.get_by_label("Test", exact=True).first.input_value() == "Hemoglobin"
    added = staff.page.locator("form", has=staff.page.get_by_role("heading", name="Add a result"))
    added.get_by_label("Value", exact=True).fill("9.1")
    for part, text in (("Month", "11"), ("Day", "2"), ("Year", "2026")):
        added.get_by_label(part).fill(text)
    staff.presses("Add result")
    staff.sees("The result is in the record.", "Hemoglobin", "9.1")

    staff.page.get_by_text("Correct the result 9.1").first.click()
    wrong = staff.page.locator("details.correct[open]")
    wrong.get_by_label("Right value").fill("11.9")
    staff.presses("Save the right value")
    staff.sees(
        "The result is corrected. The old value stays to be seen.", "11.9", "9.1", "corrected"
    )
    assert staff.page.locator("del").first.inner_text().endswith("9.1")


def test_a_file_is_looked_through_before_anything_of_it_is_filed(visit: Open, look: Look) -> None:
    staff = visit()
    nurse_is_in(staff)
    somebody = person(look, "Vera")
    chart = adds(staff, somebody)
    staff.page.locator("#import-file").set_input_files(
        file("chart.json", bundle(somebody, now=utcnow()), "application/fhir+json")
    )
    staff.presses("Read the file")
    until_read(staff)
    staff.sees("Nothing is filed yet.", somebody.family)
    report = staff.page.url
    staff.goes_to(chart)
    staff.sees("No lab results yet.")
    staff.goes_to(report)
    staff.presses("File this")
    until_read(staff)
    staff.sees("Done")
    staff.goes_to(chart)
    staff.sees("Hemoglobin")

    other = person(look, "Else")
    staff.page.locator("#import-file").set_input_files(
        file("other.json", bundle(other, now=utcnow()), "application/fhir+json")
    )
    staff.presses("Read the file")
    until_read(staff)
    staff.sees("The file is about somebody else than the patient you chose.")


def test_what_cannot_be_read_or_matched_waits_until_somebody_decides(
    visit: Open, look: Look
) -> None:
    staff = visit()
    nurse_is_in(staff)
    somebody = person(look, "Iris")
    key = {"Authorization": f"Bearer {staff.portal.import_key(str(LAKESIDE))}"}
    reports = [
        staff.page.request.post(
            staff.portal.url + "/api/v1/import", data=data, headers=key | {"Content-Type": kind}
        ).json()["report"]
        for data, kind in (
            (bundle(somebody, now=utcnow()), "application/fhir+json"),
            (f"nothing of {tag(look)}".encode(), "application/hl7-v2"),
        )
    ]
    unmatched, unreadable = (
        urljoin(staff.portal.url, report.replace("/api/v1/import", "/staff/imports"))
        for report in reports
    )
    staff.goes_to(unmatched)
    until_read(staff)
    staff.sees("No patient of your practice fits.", somebody.family)
    adds(staff, somebody)
    staff.goes_to(unmatched)
    staff.types("Find the right patient by name or record number", somebody.mrn)
    staff.presses("Find")
    staff.page.get_by_role("radio").first.check()
    staff.page.get_by_role("button", name="Give to this patient").first.click()
    until_read(staff)
    staff.sees("Done")
    staff.goes_to(f"/staff/patients?q={somebody.mrn}")
    staff.follows(f"{somebody.given} {somebody.family}")
    staff.sees("Hemoglobin")

    staff.goes_to(unreadable)
    until_read(staff)
    staff.sees("Nothing of it could be read")
    staff.types("Discard this file, because", "It was cut off.")
    staff.presses("Discard the file")
    staff.sees("Discarded")


@needs_corpus
@pytest.mark.parametrize(
    "path",
    ["ccda/C-CDA-Examples__CCD_1_CCD.XML", "hl7v2/hl7v2__fixtures_oru-r01-lab.hl7"],
)
def test_a_file_of_any_format_shows_what_is_in_it(visit: Open, path: str) -> None:
    staff = visit()
    nurse_is_in(staff)
    found = next(one for one in (CORPUS / path).parent.iterdir() if one.name == path.split("/")[1])
    staff.goes_to("/staff/imports")
    staff.page.locator("#import-file").set_input_files(file(found.name, found.read_bytes()))
    staff.presses("Read the file")
    until_read(staff)
    staff.sees(found.name, "Whom it is about")


def until_read(staff: Visit) -> None:
    """Looks again while the file is being read, as the page says."""
    for _ in range(100):
        if not staff.page.get_by_role("link", name="Look again").count():
            break
        staff.page.wait_for_timeout(100)
        staff.page.reload()
    staff.sees_a_sound_page()


def test_an_email_that_bounced_is_seen_and_sent_again(visit: Open, look: Look) -> None:
    staff = visit()
    nurse_is_in(staff)
    email = f"gone.{tag(look)}@bounces.example.com"
    adds(staff, person(look, "Gwen"))
    staff.types("Email", email)
    staff.presses("Save email")
    for _ in range(100):
        staff.goes_to("/staff/emails?state=bounced")
        if staff.page.get_by_text(email).count():
            break
        staff.page.wait_for_timeout(100)
    staff.sees(email, "Invitation", "Bounced")
    staff.presses(f"Send again to {email}")
    staff.sees("It is being sent again.")
