"""The front desk opens a chart in an emergency; the patient is told, and reads why."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.patients import is_registered, logs_in
from tests.journeys.test_accounts import BORN
from tests.waiting import until_now

Open = Callable[[], Visit]
SAM = "desk@harbor.example.com"
NOT_HARBOR = "Quiet-Meadow-72"
"""A password may not have the practice's name in it."""


@pytest.mark.parametrize("look", LOOKS[:2], indirect=True)
def test_a_chart_is_closed_opened_with_a_reason_and_the_patient_told(visit: Open) -> None:
    sam, iris = visit(), visit()
    sam.goes_to("/staff/login")
    sam.types("Email", SAM)
    sam.types("Password", PASSWORD)
    sam.types("One-time code", sam.portal.code(SAM))
    sam.presses("Log in")
    sam.sees("Patients")
    email = f"iris.{uuid4().hex[:8]}@example.com"
    is_registered(sam, iris, email, BORN, NOT_HARBOR)
    logs_in(iris, email, BORN, NOT_HARBOR)
    iris.page.wait_for_url("**/health")
    patient = iris.page.url.removesuffix("/health").rsplit("/", 1)[1]

    sam.goes_to(f"/staff/patients/{patient}/documents")
    assert sam.page.url.endswith(f"/staff/patients/{patient}")
    sam.sees("Results and documents are closed", "open it below", "Closed to your role.")
    sam.presses("Open in an emergency")
    sam.sees("There is a problem", "Say why. The patient reads it.")
    sam.types("Reason", "Her daughter found her unconscious.")
    sam.presses("Open in an emergency")
    sam.sees("open to you for 60 minutes", "because of an emergency, until", "No documents yet.")
    sam.goes_to(f"/staff/patients/{patient}/documents")
    sam.sees("All documents")

    letter = until_now(lambda: _told(iris, email))
    assert "unconscious" not in letter["text"] + letter["subject"]
    iris.goes_to(f"/p/{patient}/activity")
    iris.sees(
        "Sam Whitaker, at", "opened the record in an emergency",
        "Reason: Her daughter found her unconscious.",
    )  # fmt: skip


def _told(iris: Visit, email: str) -> dict[str, str] | None:
    letters = iris.portal.letters(email)
    return next((one for one in letters if "in an emergency" in one["subject"]), None)
