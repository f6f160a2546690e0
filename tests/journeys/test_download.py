"""A patient takes her record away, in each of its forms, and finds that it was noted."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Download

from tests.journeys.conftest import Visit
from tests.journeys.patients import logs_in
from tests.records.test_exports import in_ccda, in_fhir, in_page

ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)
Open = Callable[[], Visit]


def test_a_record_is_counted_and_downloaded_in_every_form(visit: Open, tmp_path: Path) -> None:
    rosa = visit()
    rosa.goes_to("/login")
    logs_in(rosa, ROSA, BORN, "Portal-Demo-1")
    rosa.page.wait_for_url("**/health")
    rosa.follows("Download the record of Rosa Alvarez")
    form = rosa.page.url
    rosa.sees("View or download your record")
    rosa.follows("Last 12 months")
    said = rosa.page.get_by_text("This covers").inner_text()
    assert "lab results" in said
    assert "documents" in said
    rosa.sees_a_sound_page()

    for part, number in (("month", "2"), ("day", "30"), ("year", "2026")):
        rosa.page.locator(f"#end_date_{part}").fill(number)
    rosa.presses("Count again")
    rosa.sees("Enter a date, like 3 8 2026, or leave it empty.")
    rosa.sees_a_sound_page()
    rosa.goes_to(form)
    for part in ("Lab results", "Documents", "Messages"):
        rosa.page.get_by_label(part, exact=True).uncheck()
    rosa.presses("Download")
    rosa.sees("Choose at least one part of the record.", "No part is chosen.")
    rosa.sees_a_sound_page()
    rosa.goes_to(form)
    rosa.page.get_by_label("Messages", exact=True).uncheck()
    rosa.presses("Count again")
    counted = rosa.page.get_by_text("This covers").inner_text()
    assert "message" not in counted

    items = {
        "fhir": in_fhir(_saved(rosa, "File for a health app (FHIR)", tmp_path)),
        "ccda": in_ccda(_saved(rosa, "File for another health system (C-CDA)", tmp_path)),
    }
    pdf = _saved(rosa, "PDF to keep or print", tmp_path)
    assert pdf.startswith(b"%PDF-")
    archive = zipfile.ZipFile(
        io.BytesIO(_saved(rosa, "Everything, with the original documents", tmp_path))
    )
    assert archive.testzip() is None
    assert sum(name.startswith("documents/") for name in archive.namelist()) > 10
    rosa.page.get_by_label("View it here").check()
    with rosa.page.expect_response("**format=html**") as answered:
        rosa.page.get_by_role("button", name="Download").click()
    headers = answered.value.headers
    assert headers["content-disposition"].startswith("inline")
    assert "sandbox" in headers["content-security-policy"]
    items["html"] = in_page(rosa.page.request.get(answered.value.url).body())
    assert items["fhir"] == items["ccda"] == items["html"]
    assert len(items["html"]) == sum(int(word) for word in counted.split() if word.isdigit())

    rosa.goes_to(form.replace("/health/download", "/activity"))
    rosa.sees("You looked at the record as one page", "You downloaded the record")


def _saved(visit: Visit, form: str, folder: Path) -> bytes:
    """The file that comes of one choice, with or without a stop on the way."""
    visit.page.get_by_label(form).check()
    with visit.page.expect_download() as started:
        visit.page.get_by_role("button", name="Download").click()
    download: Download = started.value
    file = folder / download.suggested_filename
    download.save_as(file)
    return file.read_bytes()
