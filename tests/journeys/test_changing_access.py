"""A patient gives her daughter less, and the daughter leaves: page by page, in the browser."""

from collections.abc import Callable

from tests.journeys.conftest import Look, Visit
from tests.journeys.patients import logs_in
from tests.journeys.test_accounts import BORN, letters, link, somebody
from tests.journeys.test_family import (
    ANAS_BIRTHDAY,
    invites,
    manages_users,
    newcomer,
    registers,
)
from tests.waiting import until_now

Open = Callable[[], Visit]
CHANGE = "Change what Ana Ruiz may do"


def mother_and_daughter(visit: Open) -> tuple[Visit, Visit, str, str]:
    """Both are logged in, the daughter with full access; her address; and where the record is."""
    rosa, email = somebody(visit)
    ana, email_of_ana, _ = newcomer(visit)
    logs_in(rosa, email, BORN)
    manages_users(rosa)
    invites(rosa, email_of_ana)
    ana.goes_to(link(ana, email_of_ana, "has invited you"))
    registers(ana, "Ana Ruiz", ANAS_BIRTHDAY)
    logs_in(ana, email_of_ana, ANAS_BIRTHDAY)
    ana.page.wait_for_url("**/health")
    record = ana.page.url.removesuffix("/health")
    return rosa, ana, email_of_ana, record


def test_a_daughter_may_do_less_at_once_and_then_leaves(visit: Open, look: Look) -> None:
    rosa, ana, anas_email, record = mother_and_daughter(visit)
    ana.goes_to(f"{record}/messages")
    stale = rosa.page.context.new_page()
    manages_users(rosa)
    rosa.follows(CHANGE)
    stale.goto(rosa.page.url)
    assert rosa.page.get_by_label("Full access").is_checked()
    rosa.page.get_by_label("Only what I tick here").check()
    for no_date in ((20, 13, 1), (9999, 12, 31)):
        rosa.types_date(*no_date)
        rosa.presses("Save changes")
        rosa.sees("There is a problem", "Enter a date, like 12 31 2027, or leave it empty.")
    rosa.types_date(2031, 3, 9)
    rosa.presses("Save changes")
    rosa.sees("There is a problem", "Choose at least one part of your record.")
    assert rosa.page.get_by_label("Year").input_value() == "2031"
    rosa.page.get_by_label("Results").check()
    rosa.presses("Save changes")
    rosa.sees("The change is saved.", "Only results", "until 9 March 2031")

    if look.script:
        ana.page.get_by_role("heading", name="Messages").wait_for(state="detached")
    assert ana.page.request.get(f"{record}/messages").status == 404
    ana.goes_to(f"{record}/health")
    ana.sees("You are viewing Iris Account")
    (letter,) = until_now(lambda: letters(ana, anas_email, "has changed"))
    assert f"{record}/health" in letter
    assert "Iris" not in letter
    rosa.follows(CHANGE)
    assert rosa.page.get_by_label("Only what I tick here").is_checked()
    assert rosa.page.get_by_label("Results").is_checked()
    assert not rosa.page.get_by_label("Messages", exact=True).is_checked()
    assert rosa.page.get_by_label("Year").input_value() == "2031"
    stale.get_by_role("button", name="Save changes").click()
    assert "It was changed meanwhile, in another window." in stale.inner_text("main")
    assert stale.get_by_label("Only what I tick here").is_checked()

    ana.page.locator("details.menu summary").click()
    ana.follows("Leave this record")
    ana.sees("Only the patient can let you in again.")
    ana.presses("Leave this record")
    ana.sees("You have left the record.", "No record here yet.")
    assert ana.page.request.get(f"{record}/health").status == 404
    manages_users(rosa)
    rosa.sees("No longer", "Left", "by their own choice")
    until_now(lambda: _log_has(rosa, f"{record}/activity", "gave up the access to this record"))
    rosa.sees("Ana Ruiz, for you, gave up", "You changed the access of Ana Ruiz")


def _log_has(rosa: Visit, address: str, words: str) -> bool:
    rosa.page.goto(address)
    return words in " ".join(rosa.page.inner_text("main").split())
