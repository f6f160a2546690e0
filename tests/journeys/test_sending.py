"""Rosa sends her record; a doctor opens it with the password that she told; she takes it back."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from tests.journeys import shl
from tests.journeys.conftest import Look, Visit
from tests.journeys.patients import logs_in
from tests.records.test_exports import in_fhir, in_page
from tests.waiting import until_now

ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)
Open = Callable[[], Visit]


def test_a_record_is_sent_opened_answered_and_taken_back(
    visit: Open, look: Look, tmp_path: Path
) -> None:
    rosa, doctor = visit(), visit()
    email = f"dr.okafor.{uuid4().hex[:8]}@clinic.example.com"
    rosa.goes_to("/login")
    logs_in(rosa, ROSA, BORN, "Portal-Demo-1")
    rosa.page.wait_for_url("**/health")
    rosa.follows("Send Record of Rosa Alvarez")
    form = rosa.page.url
    _is_told_how_strong_a_password_is(rosa, email, look)
    password, count = _sends(rosa, email)
    until_now(lambda: _says(rosa, form, "Not opened yet"), within=60)
    rosa.sees_a_sound_page()

    link = rosa.portal.link(email)
    letter = rosa.portal.letter(email)
    for secret in ("Rosa", "Alvarez", "Albumin", password):
        assert secret not in letter["subject"] + letter["text"] + letter["html"]
    _opens(doctor, link, password)
    items = in_page(doctor.page.request.get(f"{link}/files/html").body())
    assert len(items) == count
    _takes_and_answers(doctor, tmp_path)
    health_link = _software_fetches(rosa, form, email, password, items)

    rosa.goes_to(form)
    row = rosa.page.get_by_role("row").filter(has_text=email)
    assert "Opened" in row.inner_text()
    assert "They wrote back: Thank you,\nI will call you." in row.inner_text()
    row.get_by_role("button", name="Revoke").click()
    rosa.sees("It is revoked. The link opens nothing any more.")
    doctor.goes_to(link)
    doctor.sees("can’t be opened any more")
    doctor.sees_a_sound_page()
    assert shl.manifest(health_link, password).status == 404
    answer = doctor.page.request.get(f"{link}/files/pdf")
    assert not answer.body().startswith(b"%PDF")
    rosa.goes_to(form.replace("/health/send", "/activity"))
    rosa.sees(
        f"{email} opened the record that was sent",
        f"{email} opened the record that was sent, with software that calls them St. Anna Hospital",
        f"You sent the record to {email}",
        f"You revoked the record sent to {email}",
    )


def _is_told_how_strong_a_password_is(rosa: Visit, email: str, look: Look) -> None:
    """The one that is suggested is strong, and can be copied; of another, a script tells."""
    field, told = (
        rosa.page.locator("#record_password"),
        rosa.page.locator("#record_password-strength"),
    )
    copying, suggested = rosa.page.locator("[data-copy=record_password]"), field.input_value()
    assert told.inner_text() == "Strong."
    assert copying.is_visible() is look.script
    if look.script:
        rosa.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        copying.click()
        copying.filter(has_text="Copied").wait_for()
        assert rosa.page.evaluate("navigator.clipboard.readText()") == suggested
        rosa.types("Recipient email", email)
        for typed, strength in (
            (email, "Easily guessed. Choose another."),
            ("trombone-anvil-x9", "Good."),
        ):
            field.fill(typed)
            told.filter(has_text=strength).wait_for()


def _sends(rosa: Visit, email: str) -> tuple[str, int]:
    """With a mistake on the way; the password that was suggested, and how much was said to go."""
    form = rosa.page.url
    typed = "recipient_email=thief@example.com&record_password=known-to-thieves"
    rosa.goes_to(f"{form}?{typed}&kinds=labs")
    assert rosa.page.get_by_label("Recipient email").input_value() == ""
    assert "known-to-thieves" not in rosa.page.content()
    assert not rosa.page.get_by_label("Messages", exact=True).is_checked()
    rosa.goes_to(form)
    rosa.presses("Send Record")
    rosa.sees("Enter the recipient’s email address, like name@example.com.")
    rosa.sees_a_sound_page()
    rosa.types("Recipient email", email)
    for part in ("Lab results", "Documents", "Messages"):
        rosa.page.get_by_label(part, exact=True).uncheck()
    rosa.presses("Send Record")
    rosa.sees("Choose at least one part of the record.", "No part is chosen.")
    for part in ("Lab results", "Documents"):
        rosa.page.get_by_label(part, exact=True).check()
    for part, number in (("month", "1"), ("day", "1"), ("year", "2025")):
        rosa.page.locator(f"#start_date_{part}").fill(number)
    rosa.presses("Count again")
    assert rosa.page.get_by_label("Recipient email").input_value() == email
    counted = rosa.page.get_by_text("This sends").inner_text()
    assert "message" not in counted
    rosa.page.get_by_label("Notes").fill("Dear Dr. Okafor,\nplease look at the last scan.")
    password = rosa.page.locator("#record_password").input_value()
    assert len(password) > 20
    rosa.page.get_by_role("button", name="Send Record").click()
    # The page looks again by itself until all is there, and would do so under axe's hands.
    rosa.page.get_by_text(f"We emailed a link to {email}").wait_for()
    rosa.sees_a_sound_page()
    assert password not in rosa.page.content()
    return password, sum(int(word) for word in counted.split() if word.isdigit())


def _opens(doctor: Visit, link: str, password: str) -> None:
    doctor.goes_to(link)
    doctor.sees("Open the record", "You can try 5 times.")
    doctor.sees_nothing_of("Rosa")
    doctor.sees_a_sound_page()
    doctor.types("Password", "not-the-password")
    doctor.presses("Open record")
    doctor.sees("This is not the password.", "You can try 4 more times.")
    doctor.sees_a_sound_page()
    doctor.types("Password", password)
    doctor.presses("Open record")
    doctor.sees("Record of Rosa Alvarez", "Dear Dr. Okafor,\nplease look at the last scan.")
    doctor.sees_a_sound_page()


def _takes_and_answers(doctor: Visit, folder: Path) -> None:
    with doctor.page.expect_download() as started:
        doctor.page.get_by_role("link", name="Everything, with the original documents").click()
    file = folder / "record.zip"
    started.value.save_as(file)
    assert zipfile.ZipFile(io.BytesIO(file.read_bytes())).testzip() is None
    doctor.page.get_by_label("Your note").fill("Thank you,\nI will call you.")
    doctor.presses("Send the note")
    doctor.sees("Your note is on its way.")


def _software_fetches(
    rosa: Visit, form: str, email: str, password: str, items: set[str]
) -> shl.Payload:
    """By the SMART Health Link that Rosa is shown, with a wrong password first."""
    rosa.goes_to(form)
    row = rosa.page.get_by_role("row").filter(has_text=email)
    row.get_by_role("link", name="SMART Health Link").click()
    rosa.sees_a_sound_page()
    link = shl.payload(rosa.page.get_by_label("The link", exact=True).input_value())
    assert link.flag == "P"
    wrong = shl.manifest(link, "not-the-password")
    assert (wrong.status, wrong.json()) == (401, {"remainingAttempts": 3})
    without = shl.manifest(link, "")
    assert (without.status, without.json()) == (401, {"remainingAttempts": 3})
    by_location = shl.manifest(link, password)
    assert "location" in by_location.json()["files"][0]
    [bundle] = shl.files(link, by_location)
    assert in_fhir(json.dumps(bundle).encode()) == items
    assert shl.manifest(link, password, embeddedLengthMax=100_000_000).status == 200
    return link


def _says(visit: Visit, page: str, text: str) -> bool:
    visit.goes_to(page)
    return text in visit.page.locator("body").inner_text()
