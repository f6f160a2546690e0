"""A patient reads: results with their history, every kind of document, and where to find help."""

import re
from collections.abc import Callable

from deploy.demo.people import PASSWORD
from tests.journeys.conftest import Visit
from tests.journeys.patients import logs_in

Open = Callable[[], Visit]
ROSA, BORN = "rosa.alvarez@example.com", (1961, 4, 12)


def rosa(visit: Open) -> Visit:
    opened = visit()
    opened.goes_to("/login")
    logs_in(opened, ROSA, BORN, PASSWORD)
    return opened


def test_a_result_says_what_it_was_and_how_it_has_been(visit: Open) -> None:
    reader = rosa(visit)
    reader.sees("Labs", "Lab's range", "Hemoglobin", "Documents")
    test = reader.page.locator("tbody.test", has_text="Hemoglobin").first
    assert test.locator(".tag").count()
    test.locator("summary").click()
    chart = test.locator("svg[role=img]").first
    assert "Hemoglobin" in (chart.get_attribute("aria-label") or chart.inner_text())
    assert test.locator(".opened table tbody tr").count() > 3
    reader.sees_a_sound_page()
    test.get_by_role("link", name="on a page of its own").click()
    reader.sees_a_sound_page()
    reader.sees("Hemoglobin")
    assert "/health/labs/" in reader.page.url


def test_printed_it_says_whose_it_is_and_shows_no_menu(visit: Open) -> None:
    reader = rosa(visit)
    reader.page.emulate_media(media="print")
    assert reader.page.get_by_text("Rosa Alvarez, born 12 April 1961").first.is_visible()
    assert not reader.page.locator("header.top").is_visible()
    assert not reader.page.locator(".btns").first.is_visible()


def test_every_document_is_found_shown_and_kept(visit: Open) -> None:
    reader = rosa(visit)
    reader.page.get_by_role("link", name="View All Documents").click()
    reader.sees_a_sound_page()
    reader.sees("All documents")
    told = re.search(r"(\d+) documents", reader.page.locator("body").inner_text())
    assert told
    assert int(told[1]) >= 14  # other journeys may have added some
    kinds = reader.page.locator("#type option").all_inner_texts()
    reader.page.locator("#type").select_option(index=1)
    reader.page.get_by_role("button", name="Show").click()
    reader.sees_a_sound_page()
    reader.sees("found", "Show all")
    assert len(kinds) > 2
    reader.follows("Show all")
    links = reader.page.locator("ul.docs .title a")
    addresses = [links.nth(n).get_attribute("href") or "" for n in range(links.count())]
    assert len(set(addresses)) == int(told[1])
    shown = set()
    for address in addresses:
        reader.page.goto(address)
        viewer = reader.page.locator("iframe.viewer, img.sheet")
        kind = viewer.first.evaluate("one => one.tagName") if viewer.count() else "NONE"
        if kind not in shown:
            reader.sees_a_sound_page()
        shown.add(kind)
        file = reader.page.request.get(f"{reader.portal.url}{address}/download")
        assert file.ok
        assert "attachment" in file.headers["content-disposition"]
    assert "IFRAME" in shown


def test_help_is_a_link_away(visit: Open) -> None:
    reader = rosa(visit)
    reader.follows("Resources")
    reader.sees("National Cancer Institute", "American Cancer Society", "CancerCare")
