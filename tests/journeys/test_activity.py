"""A patient reads who did what with her record, narrows it, and takes it away to have it checked."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.journeys.conftest import Visit
from tests.journeys.nurse import nurse_is_in
from tests.journeys.patients import logs_in
from tests.journeys.test_accounts import BORN, somebody
from tests.waiting import until_now

Open = Callable[[], Visit]
SCRIPT = Path(__file__).parents[2] / "docs/verify_activity.py"


def test_who_did_what_is_read_narrowed_and_taken_away(visit: Open, tmp_path: Path) -> None:
    rosa, email = somebody(visit)
    logs_in(rosa, email, BORN)
    rosa.page.wait_for_url("**/health")
    record = rosa.page.url.removesuffix("/health")
    patient = record.rsplit("/", 1)[1]
    nurse = visit()
    nurse_is_in(nurse)
    nurse.goes_to(f"/staff/patients/{patient}")
    nurse.page.get_by_label("Title that the patient sees").fill("=Scan, 2 May")
    nurse.page.locator("#file").set_input_files(
        {"name": "scan.txt", "mimeType": "text/plain", "buffer": b"No change since March."}
    )
    nurse.presses("Add document")
    nurse.sees("The document is in the record.")

    rosa.goes_to(f"{record}/health")
    rosa.follows("=Scan, 2 May")
    rosa.page.locator("details.menu summary").click()
    rosa.follows("Activity")
    until_now(lambda: _says(rosa, "You logged in"))
    rosa.sees(
        "Nora Lindqvist, RN, at Lakeside Oncology added =Scan, 2 May",
        "You looked at the Health page",
        "Nora Lindqvist, RN, at Lakeside Oncology sent an invitation to register",
        "You registered",
    )
    rosa.sees_a_sound_page()
    rosa.page.get_by_label("Person").select_option("Nora Lindqvist, RN, at Lakeside Oncology")
    rosa.page.get_by_label("What they did").select_option("Added or changed")
    rosa.presses("Show this activity")
    rosa.sees("Only some of the activity", "added this record")
    rosa.sees_nothing_of("You looked at the Health page")
    rosa.page.get_by_label("To", exact=True).fill("1999-01-01")
    rosa.presses("Show this activity")
    rosa.sees("No activity fits.")
    rosa.follows("Show all")

    for ending, button in (("json", "Download JSON"), ("csv", "Download CSV")):
        with rosa.page.expect_download() as started:
            rosa.page.get_by_role("link", name=button).click()
        file = tmp_path / f"activity.{ending}"
        started.value.save_as(file)
        said = subprocess.run(
            [sys.executable, "-I", SCRIPT, file], capture_output=True, text=True, check=False
        )
        assert "The log holds" in said.stdout, said
        assert "added =Scan, 2 May" in file.read_text()
    log = json.loads((tmp_path / "activity.json").read_text())
    assert log["last_number"] == len(log["entries"])
    log["entries"][2]["actor_name"] = "Nobody"
    (tmp_path / "activity.json").write_text(json.dumps(log))
    said = subprocess.run(
        [sys.executable, "-I", SCRIPT, tmp_path / "activity.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "entry 3 is not as it was written" in said.stdout


def _says(rosa: Visit, words: str) -> bool:
    rosa.page.reload()
    return words in " ".join(rosa.page.inner_text("main").split())
