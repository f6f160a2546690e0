"""A patient lets her daughter in, sees what she wrote, and ends it: page by page, in the browser."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.journeys.conftest import LOOKS, Look, Visit
from tests.journeys.nurse import nurse_is_in
from tests.journeys.patients import PASSWORD, logs_in
from tests.journeys.test_accounts import BORN, letters, link, somebody
from tests.waiting import until_now

Open = Callable[[], Visit]
ANAS_BIRTHDAY = (1988, 9, 30)
ON_A_PHONE = pytest.mark.parametrize("look", LOOKS[1:2], indirect=True)


def newcomer(visit: Open) -> tuple[Visit, str, str]:
    """Somebody with an address, and what they will write about, which nobody else does."""
    mark = uuid4().hex[:8]
    return visit(), f"ana.{mark}@example.com", f"She is very tired {mark}"


def manages_users(visit: Visit) -> None:
    """By the account menu."""
    visit.page.locator("details.menu summary").click()
    visit.follows("Manage Users")


def invites(visit: Visit, email: str, *, born: tuple[int, int, int] = ANAS_BIRTHDAY) -> None:
    visit.types("Email", email)
    visit.types_date(*born)
    visit.presses("Send invitation")


def registers(visit: Visit, name: str, born: tuple[int, int, int]) -> None:
    visit.types("Your name", name)
    visit.types_date(*born)
    visit.types("Password", PASSWORD)
    visit.types("Confirm password", PASSWORD)
    visit.page.get_by_label("I have read and accept").check()
    visit.presses("Complete registration")


def test_a_daughter_is_let_in_writes_for_her_mother_and_is_out_at_once(
    visit: Open, look: Look
) -> None:
    rosa, email = somebody(visit)
    ana, anas_email, tired = newcomer(visit)
    logs_in(rosa, email, BORN)
    manages_users(rosa)
    invites(rosa, email)
    rosa.sees("This is your own email address.")
    invites(rosa, anas_email)
    rosa.sees("The invitation is on its way.", anas_email, "Invited")

    ana.goes_to(link(ana, anas_email, "has invited you"))
    registers(ana, "", ANAS_BIRTHDAY)
    ana.sees("There is a problem", "Enter your name.")
    registers(ana, "Ana Ruiz", (1988, 9, 29))
    ana.sees("This is not the date of birth that we were told for you.")
    registers(ana, "Ana Ruiz", ANAS_BIRTHDAY)
    ana.sees("You can log in now.")
    logs_in(ana, anas_email, ANAS_BIRTHDAY)
    ana.page.wait_for_url("**/health")
    ana.sees("You are viewing Iris Account", "record")
    record = ana.page.url.removesuffix("/health")
    ana.page.locator("details.menu summary").click()
    assert ana.page.get_by_role("link", name="Manage Users").count() == 0
    for own in ("users", "users/invite", "activity", "activity.csv", "activity.json"):
        assert ana.page.request.get(f"{record}/{own}").status in (404, 405)

    ana.goes_to(f"{record}/messages/compose")
    ana.page.get_by_label("Health question").check()
    ana.types("Subject", tired)
    ana.types("Message", "My mother sleeps all day. Is that usual?")
    ana.presses("Send message")
    ana.sees("Ana Ruiz for Iris Account")
    nurse = visit()
    nurse_is_in(nurse)
    nurse.goes_to("/staff/messages?q=sleeps")
    nurse.sees("Written by Ana Ruiz")
    nurse.follows(tired)
    nurse.sees("Ana Ruiz for Iris Account")
    rosa.goes_to(f"{record}/messages/sent")
    rosa.sees(tired, "Ana Ruiz for Iris Account")
    until_now(lambda: _log_has(rosa, f"{record}/activity", "at Lakeside Oncology opened a message"))
    rosa.sees(
        "Ana Ruiz, for you, wrote a message",
        "Ana Ruiz, for you, accepted the access to this record",
        "Ana Ruiz, for you, looked at the Health page",
        "You sent an invitation to Ana Ruiz",
    )

    manages_users(rosa)
    rosa.sees("Has access", "Ana Ruiz", "Full access")
    rosa.follows("Revoke access of Ana Ruiz")
    rosa.sees("loses sight of your record at once", "We tell them by email")
    rosa.presses("Revoke access")
    rosa.sees("Access is revoked.", "Revoked")
    until_now(lambda: _log_has(rosa, f"{record}/activity", "You ended the access of Ana Ruiz"))
    if look.script:
        ana.page.get_by_text(tired).first.wait_for(state="detached")
    _is_out(ana, record)
    _is_told(ana, anas_email)


def _is_out(ana: Visit, record: str) -> None:
    for page in ("health", "messages", "health/documents"):
        assert ana.page.request.get(f"{record}/{page}").status == 404


def _is_told(ana: Visit, email: str) -> None:
    ana.page.goto("/")
    ana.sees("No record here yet.")
    until_now(lambda: letters(ana, email, "your access to a record has ended"))


def _log_has(rosa: Visit, address: str, words: str) -> bool:
    rosa.page.goto(address)
    return words in " ".join(rosa.page.inner_text("main").split())


def test_an_invitation_typed_when_the_session_had_ended_is_sent_after_the_log_in(
    visit: Open,
) -> None:
    rosa, email = somebody(visit)
    elsewhere = visit()
    elsewhere.goes_to("/login")
    for one in (rosa, elsewhere):
        logs_in(one, email, BORN)
    manages_users(rosa)
    invited = f"{uuid4().hex[:8]}@example.com"
    rosa.types("Email", invited)
    rosa.types_date(*ANAS_BIRTHDAY)
    elsewhere.goes_to("/account")
    elsewhere.presses("End all other sessions")
    elsewhere.sees("Done.")

    rosa.presses("Send invitation")
    rosa.sees("You were logged out before this was saved.")
    rosa.types("Email", email)
    rosa.types("Password", PASSWORD)
    rosa.types_date(*BORN)
    rosa.presses("Log in")
    rosa.sees("What you typed is still here. It was not saved.")
    rosa.presses("Send it now")
    rosa.sees("The invitation is on its way.", invited, "Invited")


@ON_A_PHONE
def test_somebody_with_an_account_accepts_some_of_a_record_and_switches(visit: Open) -> None:
    rosa, email = somebody(visit)
    ana, anas_email = somebody(visit)
    logs_in(rosa, email, BORN)
    record = rosa.page.url.removesuffix("/health")
    manages_users(rosa)
    rosa.types("Email", anas_email)
    rosa.types_date(*BORN)
    rosa.page.get_by_label("Only what I tick here").check()
    rosa.presses("Send invitation")
    rosa.sees("Choose at least one part of your record.")
    rosa.page.get_by_label("Results").check()
    rosa.presses("Send invitation")
    rosa.sees("The invitation is on its way.", "Only results")

    ana.goes_to(link(ana, anas_email, "has invited you"))
    logs_in(ana, anas_email, BORN)
    ana.sees("Accept an invitation", "A patient of Lakeside Oncology")
    ana.types_date(*BORN)
    ana.page.get_by_label("I accept the terms").check()
    ana.presses("Accept")
    until_now(lambda: _sees_both(ana))
    ana.sees_a_sound_page()
    ana.page.get_by_role("link", name=email.split("@", maxsplit=1)[0]).click()
    ana.sees("You are viewing Iris Account", "Labs")
    assert ana.page.url == f"{record}/health"
    assert ana.page.get_by_role("link", name="Messages").count() == 0
    for page in ("messages", "health/documents"):
        assert ana.page.request.get(f"{record}/{page}").status in (403, 404)
    ana.follows("Your records")
    ana.page.get_by_role("link", name=anas_email.split("@", maxsplit=1)[0]).click()
    ana.sees_nothing_of("You are viewing")


@ON_A_PHONE
def test_the_practice_ends_an_access_and_the_patient_reads_why(visit: Open) -> None:
    rosa, email = somebody(visit)
    ana, anas_email = visit(), f"ana.{uuid4().hex[:8]}@example.com"
    logs_in(rosa, email, BORN)
    patient = rosa.page.url.removesuffix("/health").rsplit("/", 1)[1]
    manages_users(rosa)
    invites(rosa, anas_email)
    ana.goes_to(link(ana, anas_email, "has invited you"))
    registers(ana, "Ana Ruiz", ANAS_BIRTHDAY)
    logs_in(ana, anas_email, ANAS_BIRTHDAY)
    ana.page.wait_for_url("**/health")
    nurse = visit()
    nurse_is_in(nurse)
    nurse.goes_to(f"/staff/patients/{patient}")
    nurse.page.get_by_role("link", name="Family and caregivers").click()
    nurse.page.get_by_text("End access").first.click()
    nurse.presses("End access of Ana Ruiz now")
    nurse.sees("Say why. The patient reads it.")
    nurse.types("Reason", "Rosa asked us by telephone.")
    nurse.presses("End access of Ana Ruiz now")
    nurse.sees("Revoked", "by the practice: Rosa asked us by telephone.")
    assert ana.page.request.get(f"/p/{patient}/health").status == 404
    rosa.goes_to(f"/p/{patient}/users")
    rosa.sees("by the practice: Rosa asked us by telephone.")


def _sees_both(ana: Visit) -> bool:
    ana.page.goto("/")
    return "You act for this person" in ana.page.content()


@ON_A_PHONE
def test_an_invitation_is_taken_back_and_its_link_is_void(visit: Open) -> None:
    rosa, email = somebody(visit)
    ben, bens_email = visit(), f"ben.{uuid4().hex[:8]}@example.com"
    logs_in(rosa, email, BORN)
    manages_users(rosa)
    invites(rosa, bens_email)
    address = link(ben, bens_email, "has invited you")
    rosa.presses(f"Resend invite to {bens_email}")
    rosa.sees("Give it five minutes.")
    rosa.presses(f"Cancel invite to {bens_email}")
    rosa.sees("The invitation is taken back.", "Only you see your record here.")
    ben.goes_to(address)
    ben.sees("This invitation was taken back")
