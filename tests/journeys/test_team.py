"""An administrator lets a colleague in, changes what they may do, and takes them off the team."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import pyotp
import pytest
from playwright.sync_api import expect

from deploy.demo.people import LAKESIDE, PASSWORD
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.patients import logs_in
from tests.journeys.test_accounts import letters, link
from tests.waiting import until_now

Open = Callable[[], Visit]
DANA = "manager@lakeside.example.com"
NEW_PASSWORD = "Quiet-Harbor-72"


def at_the_staff_door(visit: Visit, email: str, password: str, code: str) -> None:
    visit.goes_to("/staff/login")
    visit.types("Email", email)
    visit.types("Password", password)
    visit.types("One-time code", code)
    visit.presses("Log in")


def in_her_menu(visit: Visit, name: str) -> None:
    visit.page.locator("details.menu summary").first.click()
    visit.follows(name)


def registers(kim: Visit, email: str) -> str:
    """By the link in the letter; the secret of her one-time codes."""
    kim.goes_to(kim.portal.link(email))
    kim.types_date(1980, 2, 29)
    kim.types("Password", NEW_PASSWORD)
    kim.types("Confirm password", NEW_PASSWORD)
    kim.page.get_by_label("I have read and accept").check()
    kim.presses("Complete registration")
    return kim.page.locator(".phrase").inner_text().replace(" ", "")


@pytest.mark.parametrize("look", LOOKS[:2], indirect=True)
def test_a_colleague_is_invited_given_a_role_and_taken_off_the_team(visit: Open) -> None:
    dana, kim = visit(), visit()
    email = f"kim.{uuid4().hex[:8]}@example.com"
    at_the_staff_door(dana, DANA, PASSWORD, dana.portal.code(DANA))
    dana.sees("Patients")
    in_her_menu(dana, "Team")
    dana.sees("Team", "Dana Whitfield", "Administrator", "Nora Lindqvist, RN", "Clinician")
    dana.presses("Send invitation")
    dana.sees("There is a problem", "Enter their name.")
    dana.types("Name", "Kim Lee")
    dana.types("Email", email)
    dana.types_date(1980, 2, 29)
    dana.page.get_by_label("Front desk").check()
    dana.presses("Send invitation")
    dana.sees("The invitation is on its way.", "Kim Lee", email)

    secret = registers(kim, email)
    at_the_staff_door(kim, email, NEW_PASSWORD, pyotp.TOTP(secret).now())
    kim.sees("Patients")
    in_her_menu(kim, "Team")
    kim.sees("Administrators change it.")
    kim.sees_nothing_of("Send invitation")

    dana.goes_to("/staff/team")
    dana.presses("Change the role of Kim Lee, or remove them", role="link")
    dana.page.get_by_label("Clinician").check()
    dana.presses("Save the role")
    dana.sees("The new role is saved.")
    kim.page.reload()
    expect(kim.page).to_have_url(re.compile("/login"))
    time.sleep(31 - time.time() % 30)  # each code counts once
    at_the_staff_door(kim, email, NEW_PASSWORD, pyotp.TOTP(secret).now())
    kim.sees("Patients")

    dana.follows("Kim Lee")
    dana.sees("Remove from the team", "It ends at once")
    dana.presses("Remove Kim Lee")
    dana.sees("They are off the team.")
    dana.sees_nothing_of(email)
    kim.page.reload()
    expect(kim.page).to_have_url(re.compile("/login"))


@pytest.mark.parametrize("look", LOOKS[1:2], indirect=True)
def test_what_a_practice_says_of_itself_is_on_its_patients_pages(visit: Open) -> None:
    dana = visit()
    at_the_staff_door(dana, DANA, PASSWORD, dana.portal.code(DANA))
    in_her_menu(dana, "Practice settings")
    dana.sees("Practice settings", "What your patients read")
    dana.types("Name of the practice", "")
    dana.presses("Save")
    dana.sees("There is a problem", "Enter the name that your patients know you by.")
    dana.types("Name of the practice", "Lakeside Oncology")
    dana.page.locator("#title_2").fill("Parking")
    dana.page.locator("#url_2").fill("javascript:alert(1)")
    dana.presses("Save")
    dana.sees("Each resource has a title, and an address that begins with https://.")
    assert dana.page.locator("#title_2").input_value() == "Parking"
    dana.page.locator("#url_2").fill("https://lakeside.example.com/parking")
    dana.presses("Save")
    dana.sees("The settings are saved.")
    rosa = visit()
    rosa.goes_to("/login")
    rosa.types("Email", "rosa.alvarez@example.com")
    rosa.types("Password", PASSWORD)
    rosa.types_date(1961, 4, 12)
    rosa.presses("Log in")
    rosa.follows("Resources")
    rosa.sees("From Lakeside Oncology", "Parking", "Rides to treatment")
    dana.page.locator("#title_2").fill("")
    dana.page.locator("#url_2").fill("")
    dana.presses("Save")
    dana.sees_nothing_of("lakeside.example.com/parking")


def test_a_colleague_who_lost_their_phone_comes_back_by_a_letter(visit: Open) -> None:
    dana, kim = visit(), visit()
    email = f"kim.{uuid4().hex[:8]}@example.com"
    at_the_staff_door(dana, DANA, PASSWORD, dana.portal.code(DANA))
    in_her_menu(dana, "Team")
    dana.types("Name", "Kim Lee")
    dana.types("Email", email)
    dana.types_date(1980, 2, 29)
    dana.presses("Send invitation")
    lost = registers(kim, email)
    at_the_staff_door(kim, email, NEW_PASSWORD, pyotp.TOTP(lost).now())
    kim.sees("Patients")

    dana.goes_to("/staff/team")
    dana.page.get_by_role("row").filter(has_text=email).get_by_role(
        "link", name="Kim Lee"
    ).first.click()
    dana.follows("They lost their phone and recovery codes")
    dana.sees("Make sure that it is they who ask", "They are logged out at once, everywhere.")
    dana.presses("Reset two-step verification of Kim Lee")
    dana.sees("They get an email with a link to set up new codes.")
    kim.page.reload()
    expect(kim.page).to_have_url(re.compile("/login"))
    until_now(lambda: letters(kim, email, "two-step"))

    until_now(lambda: len(letters(kim, email, "finish your staff")) > 1)
    kim.goes_to(link(kim, email, "finish your staff"))
    logs_in(kim, email, (1980, 2, 29), NEW_PASSWORD)
    kim.sees("Accept to work there with this account.")
    kim.types_date(1980, 2, 29)
    kim.page.get_by_label("I accept the").check()
    kim.presses("Accept")
    secret = kim.page.locator(".phrase").inner_text().replace(" ", "")
    assert secret != lost
    at_the_staff_door(kim, email, NEW_PASSWORD, pyotp.TOTP(secret).now())
    kim.sees("Patients")
    dana.page.reload()
    dana.page.get_by_role("row").filter(has_text=email).get_by_role(
        "link", name="Kim Lee"
    ).first.click()
    dana.sees_a_sound_page()
    dana.sees("Two-step verification was reset", "by Dana Whitfield")


def takes(visit: Visit, key: str) -> bool:
    """The endpoint lets a machine with this key in; what is sent is of no kind that it takes."""
    answer = visit.page.request.post(
        visit.portal.url + "/api/v1/import",
        data="nothing",
        headers={"Authorization": f"Bearer {key}", "Content-Type": "text/plain"},
    )
    assert answer.status in (401, 415)
    return answer.status == 415


def test_an_administrator_makes_a_new_import_key_beside_the_old_one(visit: Open) -> None:
    dana = visit()
    old = dana.portal.import_key(str(LAKESIDE))
    assert takes(dana, old)
    at_the_staff_door(dana, DANA, PASSWORD, dana.portal.code(DANA))
    in_her_menu(dana, "Practice settings")
    dana.follows("Import key")
    dana.sees("Whoever has it can add to records, and read none.", "The operator of this portal")
    assert dana.page.get_by_label("It works for 7 more days").is_checked()
    dana.presses("Make a new key")
    dana.sees("Your new import key", "It is shown this once.", "Keys from before work until")
    new = dana.page.get_by_label("The key", exact=True).input_value()
    assert takes(dana, new)
    assert takes(dana, old)
    dana.follows("I have kept it")
    dana.sees("Dana Whitfield", "Works until", "Works")
    dana.sees_nothing_of(new, "Never")
