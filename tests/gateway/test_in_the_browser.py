"""The pages in a real browser: for everyone, in every form, with script and without."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.gateway import gallery
from tests.gateway.gallery import ORIGIN, PAGES

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
IN_THE_DARK = ("login-error", "register-error", "health", "health-acting", "documents", "account",
               "staff-patients", "staff-patient", "staff-import", "error-503", "again",
               "again-secrets")  # fmt: skip
ALIKE = {f"error-{status}" for status in (400, 403, 409, 413, 500)} | {"link-void", "link-unknown"}
"""Made as one that is looked at, with other words."""
OPEN_HISTORIES = "document.querySelectorAll('details:not(.menu)').forEach(d => d.open = true)"

Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with gallery.browser() as chromium:
        yield chromium


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """A page of the gallery in a browser window of its own."""
    contexts: list[Any] = []

    def opening(name: str, *, width: int = 1280, clock: bool = False, **look: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 844}, **look)
        contexts.append(context)
        page: Page = context.new_page()
        gallery.hang(page)
        if clock:
            page.clock.install()
        page.goto(f"{ORIGIN}/{name}")
        return page

    yield opening
    for context in contexts:
        context.close()


def soundly(page: Page) -> None:
    page.evaluate(OPEN_HISTORIES)
    found = Axe().run(page, options=RULES)

    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ALIKE])
def test_nobody_is_left_out(opened: Opened, name: str) -> None:
    """No axe violation, and nothing wider than 320 px, which is 1280 px at 400 % zoom."""
    page = opened(name)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    soundly(page)
    page.set_viewport_size({"width": 320, "height": 640})

    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert complaints == []


@pytest.mark.parametrize("name", IN_THE_DARK)
def test_nobody_is_left_out_in_the_dark_on_a_phone(opened: Opened, name: str) -> None:
    soundly(opened(name, width=390, color_scheme="dark"))


@pytest.mark.parametrize("name", ["health", "login", "staff-patients"])
def test_everything_that_can_be_pressed_is_large_enough(opened: Opened, name: str) -> None:
    """44 px, but for links inside a sentence or a row that names them."""
    page = opened(name, width=390)
    small = page.evaluate(
        """[...document.querySelectorAll('button, summary, .btn, .tabs a, input:not([type=hidden])')]
            .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([_, box]) => box.height && (box.height < 43.5 || box.width < 43.5))"""
    )

    assert small == []


def test_what_is_wrong_has_the_focus_also_without_script(opened: Opened) -> None:
    page = opened("login-error", java_script_enabled=False)

    expect(page.locator(".errors")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("One-time code")).to_be_focused()


def test_a_history_opens_without_script_by_keyboard(opened: Opened) -> None:
    page = opened("health", java_script_enabled=False)
    chart = page.get_by_role("img", name="Line chart of Hemoglobin")

    expect(chart).to_be_hidden()
    page.locator("summary", has_text="History of Hemoglobin").press("Enter")
    expect(chart).to_be_visible()
    expect(page.get_by_text("10.9 g/dL, below the lab's range of 12.0–15.5.")).to_be_visible()


def test_a_password_can_be_looked_at(opened: Opened) -> None:
    page = opened("login")
    field, button = page.locator("#password"), page.get_by_role("button", name="Show password")

    field.fill("Quiet-Harbor-72")
    button.click()
    assert field.get_attribute("type") == "text"
    page.get_by_role("button", name="Hide password").click()
    assert field.get_attribute("type") == "password"


def test_without_script_there_is_no_button_that_does_nothing(opened: Opened) -> None:
    page = opened("login", java_script_enabled=False)

    expect(page.get_by_text("Show password")).to_be_hidden()


def test_rules_are_ticked_as_they_are_met(opened: Opened) -> None:
    page = opened("register")
    rule = page.locator("[data-rule=number]")

    page.locator("#password").fill("Harbor")
    expect(rule).to_have_text("a number: not yet")
    page.locator("#password").fill("Harbor7")
    expect(rule).to_have_text("a number: done")
    expect(page.locator("[data-rule=not_common]")).not_to_contain_text("done")


def test_the_account_menu_closes_on_escape_and_elsewhere(opened: Opened) -> None:
    page = opened("health")
    menu = page.locator("details.menu")
    summary = menu.locator("summary")

    summary.click()
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    expect(summary).to_be_focused()
    summary.click()
    page.locator("h1").click()
    assert menu.get_attribute("open") is None


def test_a_form_goes_once_however_often_it_is_pressed(opened: Opened) -> None:
    page = opened("staff-new-patient")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    with page.expect_navigation():
        page.evaluate(
            "for (let i = 0; i < 5; i++) document.querySelector('form.form').requestSubmit()"
        )

    assert asked.count("POST") == 1, asked


def test_the_end_of_a_session_is_said_two_minutes_before(opened: Opened) -> None:
    page = opened("health", clock=True)
    said = page.get_by_role("dialog", name="You will be logged out in 2 minutes")

    page.clock.run_for("12:50")
    expect(said).to_be_hidden()
    page.clock.run_for("00:15")
    expect(said).to_be_visible()
    expect(page.get_by_role("button", name="Stay logged in")).to_be_focused()
    soundly(page)


def test_who_stays_is_left_in_peace(opened: Opened) -> None:
    page = opened("health", clock=True)
    asked: list[str] = []

    def stays(route: Any) -> None:
        asked.append(route.request.method)
        until = page.evaluate("new Date(Date.now() + 15 * 60000).toISOString()")
        route.fulfill(json={"idle_ends_at": until})

    page.route("**/session", stays)
    page.clock.run_for("13:10")
    page.get_by_role("button", name="Stay logged in").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.clock.run_for("12:00")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert asked == ["GET"]


def test_a_session_that_is_over_leaves_nothing_on_the_screen(opened: Opened) -> None:
    page = opened("health", clock=True)
    with page.expect_navigation():
        page.clock.run_for("15:05")


def test_what_was_typed_stays_when_the_session_ends(opened: Opened) -> None:
    page = opened("staff-new-patient", clock=True)
    page.get_by_label("Given name").fill("Mina")
    page.clock.run_for("15:05")

    expect(page.get_by_role("dialog", name="You have been logged out")).to_be_visible()
    assert page.locator("#given").input_value() == "Mina"


def test_print_names_the_patient_and_opens_every_history(opened: Opened) -> None:
    page = opened("health", java_script_enabled=False)
    page.emulate_media(media="print")
    head = page.locator(".print-only")

    expect(head).to_contain_text("Rosa Alvarez, born 12 April 1961, record number 40-2217")
    assert head.evaluate("e => getComputedStyle(e).display") == "table-header-group"
    expect(page.get_by_role("img", name="Line chart of Hemoglobin")).to_be_visible()
    expect(page.locator("nav.tabs")).to_be_hidden()
    expect(page.locator("details.menu")).to_be_hidden()


def test_forced_colours_keep_every_dot(opened: Opened) -> None:
    page = opened("health", forced_colors="active")
    page.evaluate(OPEN_HISTORIES)
    dot = page.locator(".chart .dot").first

    assert dot.evaluate("e => getComputedStyle(e).stroke") == page.evaluate(
        "getComputedStyle(document.body).color"
    )


def test_nothing_moves_for_who_asks_for_less_motion(opened: Opened) -> None:
    page = opened("health", reduced_motion="reduce")

    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(e => getComputedStyle(e).transitionDuration === '0s')"
    )
