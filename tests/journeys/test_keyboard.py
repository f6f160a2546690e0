"""The guide's first journey with a keyboard and nothing else: no mouse, no script, on a phone."""

from collections.abc import Callable

import pytest

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.nurse import NURSE

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
