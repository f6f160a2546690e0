"""A patient sets two-step verification up, logs in with it, loses her phone, and is asked again."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pyotp
import pytest

from deploy import installation
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.patients import PASSWORD, logs_in
from tests.journeys.test_accounts import BORN, letters, somebody
from tests.journeys.test_family import invites, manages_users
from tests.waiting import until_now

Open = Callable[[], Visit]


def in_the_app(visit: Visit) -> str:
    """What an authenticator app makes of the key on the page."""
    key = visit.page.locator(".phrase").inner_text().replace(" ", "")
    return pyotp.TOTP(key).now()


@pytest.mark.parametrize("look", LOOKS[:2], indirect=True)
def test_codes_are_set_up_asked_for_and_replaced_by_a_recovery_code(visit: Open) -> None:
    rosa, email = somebody(visit)
    logs_in(rosa, email, BORN)
    rosa.goes_to("/account")
    rosa.follows("Set up two-step verification")
    rosa.presses("Set up")
    rosa.sees("There is a problem", "This is not your current password.")
    rosa.types("Your password", PASSWORD)
    rosa.presses("Set up")
    rosa.sees("Set up two-step verification", "Scan this picture")
    assert rosa.page.locator("svg.qr-code rect, svg.qr-code path").count() > 0
    rosa.types("Code from the app", "000000")
    rosa.presses("Turn on")
    rosa.sees("This code does not fit.")
    rosa.types("Code from the app", in_the_app(rosa))
    rosa.presses("Turn on")
    rosa.sees("Your recovery codes", "They are shown this once.")
    codes = rosa.page.locator("ol.codes .phrase").all_inner_texts()
    assert len(set(codes)) == 10
    rosa.follows("I have kept them")
    rosa.sees("Account", "On")
    told = until_now(
        lambda: [one for one in rosa.portal.letters(email) if "two-step" in one["subject"]]
    )
    assert codes[0] not in told[0]["text"]

    again = visit()
    logs_in_at_the_door(again, email)
    again.sees("Enter your password again, and the code")
    assert again.page.get_by_label("Email").input_value() == email
    again.types("Password", PASSWORD)
    again.types("One-time code", codes[0].upper())
    again.presses("Log in")
    again.page.wait_for_url("**/health")
    sends_a_record(again, email, codes[1])
    again.goes_to("/account/two-step")
    again.sees("8 recovery codes")
    again.types("Your password", PASSWORD)
    again.types("One-time code", codes[0])
    again.presses("Turn off")
    again.sees("This code is not right, or was used before.")
    again.types("Your password", PASSWORD)
    again.types("One-time code", codes[2])
    again.presses("Turn off")
    again.sees("Two-step verification is off.")
    tab = rosa.page.context.new_page()  # the open one is led to the door by itself, with script
    tab.goto("/account")
    assert re.search("/login", tab.url)  # every other session ended


@pytest.mark.parametrize("look", LOOKS[1:2], indirect=True)
def test_the_operator_lets_a_patient_in_who_lost_phone_and_recovery_codes(visit: Open) -> None:
    rosa, email = somebody(visit)
    logs_in(rosa, email, BORN)
    rosa.page.wait_for_url("**/health")
    record = rosa.page.url.removesuffix("/health")
    rosa.goes_to("/account/two-step")
    rosa.types("Your password", PASSWORD)
    rosa.presses("Set up")
    rosa.types("Code from the app", in_the_app(rosa))
    rosa.presses("Turn on")
    again = visit()
    logs_in_at_the_door(again, email)
    again.sees("Enter your password again, and the code")

    assert operator(again, "nobody@example.com", "x") == (
        1,
        "Nobody has an account with this address.\n",
    )
    assert operator(again, email, " ")[0] == 1
    code, said = operator(again, email, "Came by with her passport.")
    assert code == 0, said
    assert "Two-step verification of Iris Account" in said
    rosa.page.goto("/account")
    assert "/login" in rosa.page.url
    until_now(lambda: len(letters(again, email, "two-step")) > 1)
    logs_in_at_the_door(again, email)
    again.page.wait_for_url("**/health")
    until_now(lambda: "off your two-step" in again.page.request.get(f"{record}/activity").text())
    again.goes_to(f"{record}/activity")
    again.sees("The operator of this portal turned off your two-step verification")


def operator(visit: Visit, email: str, reason: str) -> tuple[int, str]:
    """What the command ends with, and says."""
    words = ["account", "reset-two-step", "--email", email, "--reason", reason]
    done = subprocess.run(
        [sys.executable, "-m", "deploy", *words, "--data-dir", str(visit.portal.folder)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def sends_a_record(rosa: Visit, email: str, code: str) -> None:
    """Password and code are asked for once more, for she logged in a while ago."""
    form = rosa.page.url + "/send"
    _age(rosa, email)
    time.sleep(5)  # for as long does the gateway keep what it knows of a session
    rosa.goes_to(form)
    rosa.types("Recipient email", "dr.okafor@clinic.example.com")
    rosa.types("Your password", PASSWORD)
    rosa.presses("Send Record")
    rosa.sees("There is a problem", "Enter the code from your authenticator app")
    rosa.types("Your password", PASSWORD)
    rosa.types("One-time code", code)
    rosa.page.get_by_role("button", name="Send Record").click()
    rosa.page.get_by_text("We emailed a link to dr.okafor@clinic.example.com").wait_for()


@pytest.mark.parametrize("look", LOOKS[1:2], indirect=True)
def test_whoever_lets_somebody_in_is_asked_again_once_the_log_in_is_a_while_ago(
    visit: Open,
) -> None:
    rosa, email = somebody(visit)
    logs_in(rosa, email, BORN)
    rosa.page.wait_for_url("**/health")
    manages_users(rosa)
    assert rosa.page.get_by_label("Your password").count() == 0
    _age(rosa, email)
    time.sleep(5)  # for as long does the gateway keep what it knows of a session
    invites(rosa, "ben@example.com")
    rosa.sees("There is a problem")
    assert rosa.page.get_by_label("Email").input_value() == "ben@example.com"
    rosa.types("Your password", "Wrong-Harbor-72")
    rosa.presses("Send invitation")
    rosa.sees("This is not your current password.")
    rosa.types("Your password", PASSWORD)
    rosa.presses("Send invitation")
    rosa.sees("The invitation is on its way.", "ben@example.com")


def _age(rosa: Visit, email: str) -> None:
    """The proof of this person's session is eleven minutes older."""

    async def run() -> None:
        admin = await asyncpg.connect(
            installation.running(rosa.portal.folder).database_url("admin")
        )
        await admin.execute(
            """
            UPDATE identity.session SET proven_at = proven_at - interval '11 minutes'
             WHERE account_id = (SELECT id FROM identity.account WHERE email = $1)
            """,
            email,
        )
        await admin.close()

    with ThreadPoolExecutor(1) as elsewhere:  # the browser has this thread's loop
        elsewhere.submit(asyncio.run, run()).result()


def logs_in_at_the_door(visit: Visit, email: str) -> None:
    visit.goes_to("/login")
    logs_in(visit, email, BORN)
