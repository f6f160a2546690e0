"""Patients at the door, and people of a test's own who have an account."""

from tests.journeys.conftest import Visit

PASSWORD = "Quiet-Harbor-72"


def logs_in(visit: Visit, email: str, born: tuple[int, int, int], password: str = PASSWORD) -> None:
    """From the log-in page."""
    visit.types("Email", email)
    visit.types("Password", password)
    visit.types_date(*born)
    visit.presses("Log in")


def is_registered(
    staff: Visit, visit: Visit, email: str, born: tuple[int, int, int], password: str = PASSWORD
) -> None:
    """Added by staff, who are logged in; registered by the link in the letter."""
    staff.goes_to("/staff/patients/new")
    staff.types("Given name", "Iris")
    staff.types("Family name", f"Account {email.split('@', maxsplit=1)[0]}")
    staff.types("Email", email)
    staff.types_date(*born)
    staff.page.get_by_role("button", name="Add patient").click()
    visit.goes_to(visit.portal.link(email))
    visit.types_date(*born)
    visit.types("Password", password)
    visit.types("Confirm password", password)
    visit.page.get_by_label("I have read and accept").check()
    visit.presses("Complete registration")
    visit.sees("You can log in now.")
