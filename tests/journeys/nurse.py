"""The nurse of the demo practice, at her desk."""

from typing import Any

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import Visit

NURSE = "nurse@lakeside.example.com"
_COOKIES: dict[str, Any] = {}


def nurse_logs_in(visit: Visit) -> None:
    """By the door, with a one-time code; each of these counts once, and lasts half a minute."""
    visit.goes_to("/staff/login")
    visit.types("Email", NURSE)
    visit.types("Password", PASSWORD)
    visit.types("One-time code", visit.portal.code(NURSE))
    visit.presses("Log in")
    visit.sees("Patients")
    _COOKIES[visit.portal.url] = visit.page.context.cookies()


def nurse_is_in(visit: Visit) -> None:
    """As she was in an earlier test, or by the door if that is over."""
    visit.page.context.add_cookies(_COOKIES.get(visit.portal.url, []))
    visit.goes_to("/staff/patients")
    if "/login" in visit.page.url:
        nurse_logs_in(visit)
