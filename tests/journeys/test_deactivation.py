"""A practice closes a patient's record and opens it again: page by page, in the browser."""

import re
from collections.abc import Callable

from tests.journeys.conftest import Look, Visit
from tests.journeys.nurse import nurse_is_in
from tests.journeys.patients import logs_in
from tests.journeys.test_accounts import BORN, link, somebody
from tests.journeys.test_family import ANAS_BIRTHDAY, invites, manages_users, newcomer, registers
from tests.waiting import until_now

Open = Callable[[], Visit]
CLOSED = "Lakeside Oncology has closed your record in the portal"
PHONE = "(720) 555-0142"
WHY = "Changed to another practice."


def test_a_record_is_deactivated_at_once_and_reactivated_as_it_was(visit: Open, look: Look) -> None:
    rosa, email = somebody(visit)
    ana, anas_email, _ = newcomer(visit)
    logs_in(rosa, email, BORN)
    manages_users(rosa)
    record = rosa.page.url.removesuffix("/users")
    late = f"late.{anas_email}"
    for address in (anas_email, late):
        invites(rosa, address)
    daughter_looks(ana, anas_email, record)
    unanswered = link(rosa, late, "has invited you")
    asks(rosa, record)
    nora = visit()
    nurse_is_in(nora)
    name = is_deactivated(nora, record)

    if look.script:
        ana.page.get_by_role("heading", name="Messages").wait_for(state="detached")
    assert until_now(lambda: status(ana, f"{record}/messages") == 404, within=1)
    rosa.goes_to(f"{record}/health")
    rosa.sees("Your record is closed", CLOSED, PHONE)
    rosa.sees_nothing_of(WHY)
    ana.goes_to("/")
    ana.sees("No record here yet.")
    ana.sees_nothing_of(CLOSED)
    until_now(lambda: "This invitation was taken back" in ana.page.request.get(unanswered).text())
    again = visit()
    again.goes_to("/login")
    logs_in(again, email, BORN)
    again.sees(CLOSED, PHONE)
    cannot_be_answered(nora, record)

    nora.goes_to("/staff/patients?state=deactivated")
    nora.follows(name)
    nora.presses(f"Reactivate {name}")
    nora.sees("The record is open to the patient again.")
    until_now(lambda: status(ana, f"{record}/messages") == 200, within=5)
    until_now(lambda: status(again, f"{record}/activity") == 200, within=5)
    again.goes_to(f"{record}/activity")
    again.sees("closed this record to you and yours in the portal", WHY, "opened this record")


def daughter_looks(ana: Visit, email: str, record: str) -> None:
    """With access to everything, she looks at the messages."""
    ana.goes_to(link(ana, email, "has invited you"))
    registers(ana, "Ana Ruiz", ANAS_BIRTHDAY)
    logs_in(ana, email, ANAS_BIRTHDAY)
    ana.page.wait_for_url("**/health")
    ana.goes_to(f"{record}/messages")


def asks(rosa: Visit, record: str) -> None:
    """A question to the care team."""
    rosa.goes_to(f"{record}/messages/compose")
    rosa.page.get_by_label("Health question").check()
    rosa.types("Subject", "Swelling")
    rosa.types("Message", "Is this normal?")
    rosa.presses("Send message")


def is_deactivated(nora: Visit, record: str) -> str:
    """By a clinician, who has to say why; the patient's name."""
    nora.goes_to(at_work(record))
    name = nora.page.locator(".who-strip b").inner_text()
    nora.follows(f"Deactivate {name}")
    nora.sees("The record stays whole for your practice.", "You can reactivate the record.")
    nora.presses(f"Deactivate {name}")
    nora.sees("There is a problem", "Say why.")
    nora.types("Reason", WHY)
    nora.presses(f"Deactivate {name}")
    nora.sees("The record is deactivated.", "Deactivated", WHY, "Nora Lindqvist")
    return name


def cannot_be_answered(nora: Visit, record: str) -> None:
    """What was asked is still in the queue, and it says that nobody could read an answer."""
    nora.goes_to(f"/staff/messages?patient={record.rsplit('/', 1)[1]}")
    nora.page.get_by_role("link", name=re.compile("Swelling")).first.click()
    nora.sees_a_sound_page()
    nora.sees("Is this normal?", "The patient can’t read an answer here")
    nora.sees_nothing_of("Send answer")
    nora.goes_to(f"{at_work(record)}/messages/new")
    nora.sees("The patient can’t read a message here")


def at_work(record: str) -> str:
    """The patient's page on the staff side."""
    return f"/staff/patients/{record.rsplit('/', 1)[1]}"


def status(visit: Visit, address: str) -> int:
    return visit.page.request.get(address).status
