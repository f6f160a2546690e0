"""A portal for the whole run, and a browser in every form that people come with."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys import installation
from tests.journeys.installation import Installation

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}

CHANGES = re.compile(
    r"(?<=value=\")[\w=-]{20,}(?=\")"  # proofs and keys of forms
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<=data-idle=\")\d+"
)
"""What a page has anew each time it is seen, and what nobody sees of it."""
FOUND_SOUND: set[tuple[Any, ...]] = set()
"""What axe has looked at: size and colours of the window, whether with script, and each word."""

MANY_STOPS = 400
FOCUSED = """() => {
  const one = document.activeElement;
  const ring = part => {
    const style = getComputedStyle(part);
    return style.outlineStyle == 'none' ? 0 : parseFloat(style.outlineWidth);
  };
  const label = one.labels && one.labels[0];
  const words = (label || one).cloneNode(true);
  words.querySelectorAll('[aria-hidden=true], [hidden]').forEach(hidden => hidden.remove());
  const text = one.getAttribute('aria-label') || words.textContent;
  const away = one == document.body;  // past the last stop, before the first
  const drawn = away ? 1 : Math.max(ring(one), one.closest('li') ? ring(one.closest('li')) : 0);
  return {name: text.replace(/\\s+/g, ' ').trim(), outline: drawn};
}"""
"""The name of what has the focus, and how thick the ring around it, or around its row, is."""
OWN = ("data:", "about:", "chrome:", "chrome-extension:")
"""What a browser asks itself for; it shows a PDF with an extension of its own."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """How somebody comes to the portal."""

    name: str
    width: int
    height: int
    script: bool
    dark: bool = False


LOOKS = (
    Look(name="desk", width=1280, height=900, script=True),
    Look(name="phone without script", width=390, height=844, script=False),
    Look(name="dark phone", width=390, height=844, script=True, dark=True),
)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation.up(tmp_path_factory.mktemp("portal") / "here") as here:
        yield here


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: while it is open, no test may have an event loop of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(params=LOOKS, ids=lambda look: look.name)
def look(request: pytest.FixtureRequest) -> Look:
    found: Look = request.param
    return found


@pytest.fixture
def visit(browser: Browser, portal: Installation, look: Look) -> Iterator[Callable[[], "Visit"]]:
    """A browser window of its own, without cookies, for each call."""
    contexts: list[Any] = []

    def opened() -> Visit:
        context = browser.new_context(
            base_url=portal.url,
            viewport={"width": look.width, "height": look.height},
            java_script_enabled=look.script,
            color_scheme="dark" if look.dark else "light",
        )
        contexts.append(context)
        if look.script:
            return Visit(page=context.new_page(), portal=portal)
        copies = browser.new_context(viewport={"width": look.width, "height": look.height})
        contexts.append(copies)
        return Visit(page=context.new_page(), portal=portal, copy=copies.new_page())

    yield opened
    for context in contexts:
        context.close()


class Visit:
    """Somebody at the portal, page by page; each page they come to is checked with axe."""

    def __init__(self, *, page: Page, portal: Installation, copy: Page | None = None) -> None:
        self.page = page
        self.portal = portal
        self._copy = copy
        """Where a page is looked at by axe, which is a script, if the page itself may run none."""
        self.outside: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Any) -> None:
        if not request.url.startswith((self.portal.url, *OWN)):
            self.outside.append(request.url)

    def goes_to(self, address: str) -> None:
        self.page.goto(address)
        self.sees_a_sound_page()

    def presses(self, name: str, *, role: Any = "button") -> None:
        """By its accessible name, as a screen reader says it."""
        self.page.get_by_role(role, name=name, exact=True).first.click()
        self.sees_a_sound_page()

    def follows(self, name: str) -> None:
        self.presses(name, role="link")

    def types(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)

    def types_date(self, year: int, month: int, day: int) -> None:
        for label, number in (("Month", month), ("Day", day), ("Year", year)):
            self.types(label, str(number))

    def sees(self, *texts: str) -> None:
        body = self.page.locator("body").inner_text()
        for text in texts:
            assert text in body, f"{text!r} is not on {self.page.url}:\n{body[:3000]}"

    def sees_nothing_of(self, *texts: str) -> None:
        content = self.page.content()
        for text in texts:
            assert text not in content, f"{text!r} is on {self.page.url}"

    def sees_a_sound_page(self) -> None:
        """Nobody is left out: no axe violation, nothing wider than the window, no stranger."""
        seen = (
            str(self.page.viewport_size),
            self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"),
            self._copy is None,
            CHANGES.sub("", self.page.content()),
        )
        if seen not in FOUND_SOUND:
            results = Axe().run(self._copied() if self._copy else self.page, options=RULES)
            assert results.violations_count == 0, f"{self.page.url}\n{results.generate_report()}"
            FOUND_SOUND.add(seen)
        width = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{self.page.url} is {width} px wider than its window"
        assert self.outside == []

    def _copied(self) -> Page:
        """The page as it stands, again, with its style and without its own script."""
        assert self._copy
        html = (
            self.page.content()
            .replace("<script ", "<template ")
            .replace("</script>", "</template>")
        )
        self._copy.unroute_all()
        self._copy.route(
            self.page.url, lambda route: route.fulfill(body=html, content_type="text/html")
        )
        self._copy.goto(self.page.url)
        return self._copy

    def tabs_to(self, name: str) -> None:
        """With the Tab key alone, to the control of this name; each stop on the way can be seen."""
        for _ in range(MANY_STOPS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(FOCUSED)
            assert stop["outline"] > 0, f"{stop['name']!r} has the focus, and nothing shows it"
            if stop["name"] == name:
                return
        raise AssertionError(f"the keyboard does not reach {name!r} on {self.page.url}")

    def enters(self, label: str, text: str) -> None:
        """By keyboard, into the field of this name."""
        self.tabs_to(label)
        self.page.keyboard.type(text)

    def sends(self, name: str, *, key: str = "Enter") -> None:
        """By keyboard: to the button or link of this name, and press it."""
        self.tabs_to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.sees_a_sound_page()

    def picture(self, folder: Path, name: str) -> None:
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)
