"""The guide's first journey with a keyboard and nothing else: no mouse, no script, on a phone."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.nurse import NURSE, nurse_is_in
from tests.journeys.test_messages import unread

pytestmark = pytest.mark.parametrize("look", LOOKS[1:2], indirect=True)
Open = Callable[[], Visit]
TERMS = (
    "I have read and accept the terms of use (opens in a new tab) and the privacy notice "
    "(opens in a new tab)"
)
EMAIL, NEW_PASSWORD = "kim.keys@example.com", "Quiet-Harbor-72"


def born(visit: Visit) -> None:
    for part, digits in (("Month", "7"), ("Day", "9"), ("Year", "1972")):
        visit.enters(part, digits)


def test_somebody_is_invited_and_registers_without_a_mouse(visit: Open) -> None:
    staff, patient = visit(), visit()
    staff.goes_to("/staff/login")
    staff.enters("Email", NURSE)
    staff.enters("Password", PASSWORD)
    staff.enters("One-time code", staff.portal.code(NURSE))
    staff.sends("Log in")
    staff.sends("Add a patient")
    staff.enters("Given name", "Kim")
    staff.enters("Family name", "Keys")
    born(staff)
    staff.enters("Email", EMAIL)
    staff.enters("Record number", "K-1")
    staff.sends("Add patient")
    staff.sees("Kim Keys", "Invited")

    patient.goes_to(patient.portal.link(EMAIL))
    born(patient)
    patient.enters("Password", "short")
    patient.enters("Confirm password", "short")
    patient.tabs_to(TERMS)
    patient.page.keyboard.press("Space")
    patient.sends("Complete registration")
    patient.sees("There is a problem", "Your password needs 8 characters or more.")
    assert patient.page.evaluate("document.activeElement.closest('[role=alert]') !== null")

    patient.enters("Password", NEW_PASSWORD)
    patient.enters("Confirm password", NEW_PASSWORD)
    patient.sends("Complete registration")
    patient.sees("You can log in now.")
    patient.enters("Email", EMAIL)
    patient.enters("Password", NEW_PASSWORD)
    born(patient)
    patient.sends("Log in")
    patient.sees("Health", "Kim Keys")
    patient.sends("Messages")
    patient.sends("Resources")
    patient.sends("Skip to main content")
    patient.tabs_to("Kim Keys: your account")
    patient.page.keyboard.press("Enter")
    patient.sends("Account")
    patient.sees("Change password")


def messages(visit: Visit) -> str:
    """What a screen reader says of the tab."""
    count = unread(visit)
    return f"Messages {count} unread" if count else "Messages"


def test_a_question_is_asked_answered_and_replied_to_without_a_mouse(visit: Open) -> None:
    rosa, nurse = visit(), visit()
    rosa_is_in(rosa)
    rosa.sends(messages(rosa))
    rosa.sends("Compose")
    rosa.tabs_to("Prescription (Rx)")
    rosa.page.keyboard.press("Space")
    rosa.enters("Subject", "By keyboard")
    rosa.enters("Message", "Can I have more?")
    rosa.sends("Send message")
    rosa.sees("Your message is with your care team.")

    nurse_is_in(nurse)
    nurse.goes_to("/staff/messages")
    nurse.sends("By keyboard")
    nurse.sends("Claim")
    nurse.enters("Your answer", "It is at your pharmacy.")
    nurse.sends("Send answer")
    nurse.sees("Your answer is sent.")

    rosa.sends(messages(rosa))
    rosa.sends("Unread: By keyboard")
    rosa.sees("It is at your pharmacy.")
    rosa.enters("Your message", "Thank you.")
    rosa.sends("Send reply")
    rosa.sees("You replied on")
    rosa.sends("Start a new message about this")
    rosa.enters("Message", "One more thing.")
    rosa.sends("Send message")
    rosa.sees("It is at your pharmacy.", "One more thing.")


def test_a_record_is_sent_opened_and_taken_back_without_a_mouse(visit: Open) -> None:
    rosa, doctor = visit(), visit()
    email = f"dr.{uuid4().hex[:8]}@clinic.example.com"
    rosa_is_in(rosa)
    rosa.sends("Send Record of Rosa Alvarez")
    form = rosa.page.url
    rosa.enters("Recipient email", email)
    rosa.tabs_to("Messages")
    rosa.page.keyboard.press("Space")
    rosa.enters("Notes", "The scan of May.")
    password = rosa.page.get_by_label("Password", exact=True).input_value()
    rosa.sends("Send Record")
    link = rosa.portal.link(email)

    doctor.goes_to(link)
    doctor.enters("Password", "not-the-password")
    doctor.sends("Open record")
    doctor.sees("This is not the password.")
    doctor.enters("Password", password)
    doctor.sends("Open record")
    doctor.sees("Record of Rosa Alvarez", "The scan of May.")

    rosa.goes_to(form)
    told = rosa.page.get_by_role("row").filter(has_text=email).get_by_role("button").inner_text()
    assert email in told
    rosa.sends(" ".join(told.split()))
    rosa.sees("It is revoked. The link opens nothing any more.")


def test_a_record_is_taken_away_without_a_mouse(visit: Open) -> None:
    rosa = visit()
    rosa_is_in(rosa)
    rosa.sends("Download the record of Rosa Alvarez")
    rosa.sends("Last 12 months")
    rosa.tabs_to("View it here")
    rosa.page.keyboard.press("ArrowDown")
    rosa.tabs_to("Download")
    with rosa.page.expect_download() as started:
        rosa.page.keyboard.press("Enter")
    assert started.value.suggested_filename.endswith(".pdf")


def rosa_is_in(rosa: Visit) -> None:
    rosa.goes_to("/login")
    rosa.enters("Email", "rosa.alvarez@example.com")
    rosa.enters("Password", PASSWORD)
    for part, digits in (("Month", "4"), ("Day", "12"), ("Year", "1961")):
        rosa.enters(part, digits)
    rosa.sends("Log in")
