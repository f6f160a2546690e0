"""A passkey in the browser: made, used in place of a code, and removed."""

from collections.abc import Callable, Iterator

import pyotp
import pytest

from tests.journeys import installation
from tests.journeys.conftest import LOOKS, Visit
from tests.journeys.installation import Installation
from tests.journeys.patients import PASSWORD, logs_in
from tests.journeys.test_accounts import BORN, somebody
from tests.journeys.test_two_step import in_the_app

Open = Callable[[], Visit]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """By a name: a passkey is bound to one, and not to an address."""
    with installation.up(tmp_path_factory.mktemp("named") / "here", name="localhost") as here:
        yield here


@pytest.mark.parametrize("look", LOOKS[:1], indirect=True)
def test_a_passkey_is_made_used_and_removed(visit: Open) -> None:
    rosa, email = somebody(visit)
    logs_in(rosa, email, BORN)
    rosa.goes_to("/account/two-step")
    rosa.types("Your password", PASSWORD)
    rosa.presses("Set up")
    key = rosa.page.locator(".phrase").inner_text().replace(" ", "")
    rosa.types("Code from the app", in_the_app(rosa))
    rosa.presses("Turn on")
    codes = rosa.page.locator("ol.codes .phrase").all_inner_texts()
    assert pyotp.TOTP(key).now()

    devices = rosa.page.context.new_cdp_session(rosa.page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    rosa.goes_to("/account/two-step")
    rosa.sees("No passkey yet.")
    rosa.types("Your password", PASSWORD)
    rosa.types("One-time code", codes[0])
    rosa.presses("Add a passkey")
    rosa.types("Name", "My phone")
    _asks_the_device(rosa, "Add this device")
    rosa.page.get_by_text("The passkey is added.").wait_for()
    rosa.sees_a_sound_page()
    rosa.sees("The passkey is added.", "My phone", "Not used yet")

    rosa.page.locator("details.menu summary").click()
    rosa.presses("Log out")
    logs_in(rosa, email, BORN)
    rosa.sees("Enter your password again")
    rosa.types("Password", PASSWORD)
    _asks_the_device(rosa, "Use a passkey in place of a code")
    rosa.page.wait_for_url("**/health")
    rosa.goes_to("/account/two-step")
    rosa.sees("Last used")
    rosa.types("Your password", PASSWORD)
    rosa.types("One-time code", codes[1])
    rosa.presses("Remove My phone")
    rosa.sees("The passkey is removed.", "No passkey yet.")


def _asks_the_device(visit: Visit, button: str) -> None:
    """The page goes on by itself once the device has answered."""
    visit.page.get_by_role("button", name=button).click()
