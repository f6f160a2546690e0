"""An account: a forgotten password, a new one, a new address, and where one is logged in."""

import json
import re
import urllib.request
from collections.abc import Callable
from uuid import uuid4

from tests.journeys.conftest import Look, Visit
from tests.journeys.nurse import nurse_is_in
from tests.journeys.patients import PASSWORD, is_registered, logs_in
from tests.waiting import until_now

Open = Callable[[], Visit]
BORN = (1972, 7, 9)
NEW = "Silver-Meadow-41"


def letters(visit: Visit, to: str, subject: str) -> list[str]:
    """The texts of the letters to this address, the newest first."""
    with urllib.request.urlopen(f"{visit.portal.url}/mailbox.json", timeout=5) as answer:
        found = json.load(answer)
    return [one["text"] for one in found if one["to"] == to and subject in one["subject"].lower()]


def link(visit: Visit, to: str, subject: str) -> str:
    text = until_now(lambda: letters(visit, to, subject))[0]
    return str(re.findall(r"http://\S+", text)[0])


def somebody(visit: Open) -> tuple[Visit, str]:
    """With an account of their own."""
    staff, opened, email = visit(), visit(), f"iris.{uuid4().hex[:8]}@example.com"
    nurse_is_in(staff)
    is_registered(staff, opened, email, BORN)
    return opened, email


def is_out(visit: Visit, look: Look) -> None:
    """The next thing that is done leads to the door; an open page goes there by itself."""
    if look.script:
        visit.page.wait_for_url(re.compile("/login"))
    else:
        visit.page.goto("/account")
        assert "/login" in visit.page.url


def test_a_forgotten_password_is_replaced_by_the_link_in_a_letter(visit: Open, look: Look) -> None:
    iris, email = somebody(visit)
    logs_in(iris, email, BORN)
    iris.sees("Health")
    elsewhere = visit()
    elsewhere.goes_to("/login")
    elsewhere.follows("Forgot password")
    elsewhere.types("Email", email)
    elsewhere.page.locator("main form button").last.click()
    elsewhere.sees_a_sound_page()
    address = link(iris, email, "password")
    elsewhere.goes_to(address)
    elsewhere.types("Password", "short")
    elsewhere.types("Confirm password", "short")
    elsewhere.page.locator("main form button.btn").last.click()
    elsewhere.sees("There is a problem", "8 characters or more")
    elsewhere.types("Password", NEW)
    elsewhere.types("Confirm password", NEW)
    elsewhere.page.locator("main form button.btn").last.click()
    elsewhere.sees("Your new password is saved.")
    is_out(iris, look)
    iris.goes_to(address)
    assert iris.page.get_by_label("Confirm password").count() == 0
    logs_in(elsewhere, email, BORN, NEW)
    elsewhere.sees("Health")
    until_now(lambda: letters(iris, email, "was changed"))


def test_whoever_has_no_account_sees_the_same_page(visit: Open) -> None:
    nobody = visit()
    pages = []
    for email in ("nobody@example.com", "rosa.alvarez@example.com"):
        nobody.goes_to("/forgot-password")
        nobody.types("Email", email)
        nobody.page.locator("main form button").last.click()
        pages.append(nobody.page.locator("main").inner_text().replace(email, ""))
    assert pages[0] == pages[1]


def test_password_address_and_sessions_are_changed_in_one_place(visit: Open, look: Look) -> None:
    iris, email = somebody(visit)
    logs_in(iris, email, BORN)
    others = [visit(), visit()]
    for other in others:
        other.goes_to("/login")
        logs_in(other, email, BORN)
    iris.goes_to("/account")
    assert iris.page.get_by_role("button", name="End the session of").count() == 2
    iris.page.get_by_role("button", name="End the session of").first.click()
    iris.sees("Done. It is logged out.")
    iris.presses("End all other sessions")
    for other in others:
        is_out(other, look)

    iris.types("Current password", PASSWORD)
    iris.types("New password", NEW)
    iris.types("Confirm password", NEW)
    iris.presses("Change password")
    iris.sees("Your new password is saved.")

    address = f"new.{email}"
    iris.types("New email", address)
    iris.page.locator("#proof_password").fill(NEW)
    iris.presses("Change email")
    iris.sees("We have sent an email to the new address.")
    iris.goes_to(link(iris, address, "address"))
    iris.page.locator("main form button").last.click()
    iris.sees("Your new email address is in use now.")
    until_now(lambda: letters(iris, email, "address"))
    iris.goes_to("/login")
    if iris.page.get_by_label("Password", exact=True).count():
        logs_in(iris, address, BORN, NEW)
    iris.goes_to("/account")
    iris.sees(address)


def test_a_choice_of_emails_is_kept(visit: Open) -> None:
    iris, email = somebody(visit)
    logs_in(iris, email, BORN)
    iris.goes_to("/account")
    iris.page.get_by_label("Once a day, in the morning").check()
    iris.page.get_by_label("From", exact=True).select_option("21")
    iris.page.get_by_label("Until", exact=True).select_option("7")
    iris.page.locator("form", has_text="Tell me").get_by_role("button", name="Save").click()
    iris.sees("Your choice is saved.")
    assert iris.page.get_by_label("Once a day, in the morning").is_checked()
    assert iris.page.get_by_label("From", exact=True).input_value() == "21"


def test_a_page_that_was_asked_for_is_where_the_log_in_leads(visit: Open) -> None:
    iris, email = somebody(visit)
    logs_in(iris, email, BORN)
    health = iris.page.url
    iris.page.locator("details.menu summary").click()
    iris.presses("Log out")
    iris.sees("You are logged out.")
    iris.goes_to(health.replace("/health", "/messages"))
    logs_in(iris, email, BORN)
    assert iris.page.url.endswith("/messages")
