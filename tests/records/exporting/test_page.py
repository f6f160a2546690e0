"""The page that a record can be read on, wherever it is opened."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from services.records.domain.result import (
    LOINC,
    Code,
    Result,
    ResultStatus,
    Value,
    ValueKind,
)
from services.records.exporting import page
from tests.gateway import gallery
from tests.journeys.conftest import RULES
from tests.records.exporting import charts

HOSTILE = "<script>document.title='taken'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with gallery.browser() as chromium:
        yield chromium


def shown() -> str:
    """A page of everything, some of it written by somebody who means no good."""
    results = [
        Result(
            source_id=str(number),
            patient_key="",
            code=Code(system=LOINC, code=f"{number}-8"),
            name=f"Albumin {HOSTILE}",
            value=Value(kind=ValueKind.TEXT, text=f"{HOSTILE}\nline two"),
            status=ResultStatus.CORRECTED,
            collected=None,
            comment=HOSTILE,
        )
        for number in range(3)
    ]
    chart = charts.chart(charts.measured(results), charts.papers(HOSTILE))
    return charts.whole(page.page(chart)).decode()


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out_and_nothing_on_it_runs(
    browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    tab = context.new_page()
    tab.set_content(shown())
    results = Axe().run(tab, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert tab.title() == "Health record of Rosa Alvarez <Ruiz>"
    context.close()
