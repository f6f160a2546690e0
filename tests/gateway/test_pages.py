"""Every page with made-up data, as HTML: whole, in order, small, and plain to read."""

import gzip
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import make_mocked_request
from lxml import html as parser
from markupsafe import escape

from gateway import static_files
from gateway.rendering import Chrome
from tests.corpus import CORPUS, needs_corpus
from tests.gateway import samples
from tests.gateway.gallery import PAGES, Shown, application, html
from tests.readability import reading_age

BUDGET = 60_000
AGE = 12
SHOWN_AT_LEAST = 12
"""Places that a text from elsewhere has on a Health page, a very long one too."""
FOR_PATIENTS = [
    name for name in PAGES
    if not name.startswith(("staff", "mailbox", "document", "test-in-words"))
]  # fmt: skip


def tree(name: str) -> Any:
    return parser.document_fromstring(html(PAGES[name]))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(name: str) -> None:
    page = tree(name)
    ids = page.xpath("//@id")

    assert len(ids) == len(set(ids))
    assert page.get("lang") == "en"
    assert page.xpath("//title")[0].text.strip()
    assert len(page.xpath("//h1")) == 1
    assert len(page.xpath("//main")) == 1
    for attribute in ("for", "aria-labelledby", "aria-describedby"):
        for named in page.xpath(f"//@{attribute}"):
            assert set(named.split()) <= set(ids), f"{attribute} names {named}"


@pytest.mark.parametrize("name", PAGES)
async def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = tree(name)
    ids = set(page.xpath("//@id"))
    addresses = [(address, "GET") for address in page.xpath("//a/@href|//iframe/@src|//img/@src")]
    addresses += [
        (form.get("action"), form.get("method", "get").upper())
        for form in page.xpath("//form[@action]")
    ]
    for address, method in addresses:
        if address.startswith("#"):
            assert address[1:] in ids
        elif address.startswith("/") and not address.startswith("/p/x"):
            request = make_mocked_request(method, urlsplit(address).path)
            found = await application().router.resolve(request)
            assert found.http_exception is None, f"{method} {address}"
        else:
            assert re.match(r"https://|tel:|/p/x", address), address


@pytest.mark.parametrize("name", PAGES)
def test_a_link_out_of_the_portal_tells_nobody_where_from_and_says_so(name: str) -> None:
    for link in tree(name).xpath("//a[starts-with(@href, 'http')]"):
        assert "noopener" in link.get("rel")
        if name == "resources":
            assert "noreferrer" in link.get("rel")
            assert "leaves CareSpace" in str(link.xpath("string()"))


@pytest.mark.parametrize("name", PAGES)
def test_a_button_says_what_it_does(name: str) -> None:
    """By itself, without the row it stands in: no two buttons or links say the same."""
    seen: dict[str, str] = {}
    for button in tree(name).xpath("//main//button|//main//a[not(ancestor::*[@role='alert'])]"):
        said = " ".join(button.text_content().split())
        leads = button.get("href") or parser.tostring(button.getparent()).decode()
        assert said
        if not said.startswith(("Give to", "Discard", "Save the right", "Show password")):
            assert seen.setdefault(said, leads) == leads, said


def test_the_busiest_health_page_keeps_its_budget() -> None:
    tests = tuple(
        samples.test_of(
            f"Measure number {number}",
            f"Group {number // 6}",
            "mg/dL",
            *(
                samples.result(f"{(number * 7 + draw * 3) % 19}.5", days_ago=5 + 21 * draw,
                               low="4.0", high="15.5", performer="Front Range Reference Lab")
                for draw in range(8)
            ),
            about="Carries oxygen in the blood",
        )
        for number in range(25)
    )  # fmt: skip
    health = samples.HEALTH.model_copy(update={"tests": tests})
    page = html(Shown(template="health/index.html", chrome=samples.record(),
                      content={"health": health}))  # fmt: skip
    style, script = (
        static_files.published()[static_files.static(name)[8:]]
        for name in ("carespace.css", "carespace.js")
    )

    assert page.count('class="chart"') == 25
    assert len(gzip.compress(page.encode(), static_files.FAST)) + len(style.packed) + len(
        script.packed
    ) <= BUDGET  # fmt: skip


def test_an_absent_record_leaves_a_gap_that_says_so() -> None:
    page = html(PAGES["health-away"])

    assert "Labs and documents are away for the moment." in page
    assert "Try again" in page


def test_acting_for_someone_is_said_on_the_page() -> None:
    said = tree("health-acting").xpath("//*[@role='region']")[0].text_content()

    assert "You are viewing Rosa Alvarez's record" in said
    unknown = tree("acting-unknown").xpath("//*[@role='region']")[0].text_content()
    assert "You are viewing another person's record" in unknown
    assert "You are viewing" not in html(PAGES["health"])


def test_a_correction_shows_the_new_value_and_the_old_one_struck_through() -> None:
    page = tree("health")
    struck: Any = page.xpath("//*[@id='test-hemoglobin']//del")[0]

    assert struck.text_content() == "It said 12.0"
    assert "10.2" in struck.getparent().getparent().text_content()
    assert "corrected 17 September 2026" in struck.getparent().text_content()


def test_an_error_keeps_what_was_typed_and_says_where_it_is_wrong() -> None:
    page = tree("login-error")

    assert page.xpath("//input[@id='email']/@value") == ["rosa.alvarez@example.com"]
    assert page.xpath("//input[@id='date_of_birth_year']/@value") == ["1961"]
    assert not page.xpath("//input[@type='password']/@value")
    assert page.xpath("//*[@role='alert']/@autofocus")
    assert page.xpath("//*[@role='alert']//a/@href") == ["#code"]


def test_a_date_typed_as_one_comes_back_in_three() -> None:
    page = tree("register-error")

    values = [page.xpath(f"//input[@name='date_of_birth_{part}']/@value")[0]
              for part in ("month", "day", "year")]  # fmt: skip
    assert values == ["04", "12", "1961"]


def test_each_rule_of_a_password_is_said_to_be_met_or_not() -> None:
    rules = [item.text_content() for item in tree("register-error").xpath("//*[@data-rule]")]

    assert "8 characters or more: done" in rules
    assert "a number: not yet" in rules
    assert not any(
        ": " in item.text_content() for item in tree("register").xpath("//*[@data-rule]")
    )


@pytest.mark.parametrize("why", ["expired", "void", "used", "locked", "unknown"])
def test_an_ended_link_reveals_nobody_and_says_what_next(why: str) -> None:
    page = html(PAGES[f"link-{why}"])

    assert "rosa" not in page.lower()
    assert ("Ask for a new link" in page) == (why in ("expired", "locked"))


def test_names_of_any_kind_are_shown_as_text() -> None:
    nasty = '<script>alert("1")</script>\u202e\'"&{{ 11 * 12121 }}{% raw %}'
    person = samples.ROSA.model_copy(update={"given": nasty, "family": nasty, "mrn": nasty})
    test = samples.test_of(nasty, nasty, nasty, samples.result(nasty, performer=nasty,
                           comment=nasty, days_ago=1)).model_copy(update={"key": "k"})  # fmt: skip
    papers = (samples.paper(1, nasty, nasty, 1, author=nasty, file_name=nasty),)
    health = samples.HEALTH.model_copy(
        update={"person": person, "tests": (test,), "documents": papers}
    )
    chrome = samples.record(patient=person, session=samples.session(nasty))
    page = html(Shown(template="health/index.html", chrome=chrome, content={"health": health}))
    text = str(parser.document_fromstring(page).xpath("string()"))

    assert "<script>alert" not in page
    assert nasty in text
    assert "133331" not in text


@pytest.mark.parametrize("name", FOR_PATIENTS)
def test_a_twelve_year_old_can_read_it(name: str) -> None:
    page = tree(name)
    for hidden in page.xpath("//dialog|//table|//ul[@class='rows docs']|//*[@class='print-only']"):
        hidden.drop_tree()
    read = page.xpath("//main//p|//main//li[not(.//p)]|//main//h1|//main//dd")
    sentences = [" ".join(part.text_content().split()).rstrip(".?") for part in read]
    text = ". ".join(sentence for sentence in sentences if sentence) + ". "
    text = text.replace("Lakeside Oncology", "Lake").replace("Alvarez", "Hill")

    assert reading_age(text) <= AGE, text


@needs_corpus
def test_every_naughty_string_is_shown_as_text_everywhere() -> None:
    told = (CORPUS / "misc" / "big-list-of-naughty-strings__blns.json").read_text("utf-8")
    plain = record_of("plain")
    for naughty in json.loads(told):
        page = record_of(naughty)

        assert page.count(str(escape(naughty))) >= SHOWN_AT_LEAST
        assert page.count("<") == plain.count("<")


def record_of(text: str) -> str:
    """A Health page on which everything that came from elsewhere is this text."""
    person = samples.ROSA.model_copy(update={"given": text, "family": text, "mrn": "1"})
    result = samples.result("4.0").model_copy(
        update={"value": text, "number": None, "kind": "text", "performer": "x" + text,
                "comment": "x" + text}
    )  # fmt: skip
    test = samples.test_of("x" + text, "x" + text, "", result).model_copy(update={"key": "k"})
    papers = (samples.paper(1, text, "x" + text, 1, author="x" + text, file_name=text),)
    health = samples.HEALTH.model_copy(
        update={"person": person, "tests": (test,), "documents": papers}
    )
    chrome = samples.record(patient=person, session=samples.session("x" + text))
    return html(Shown(template="health/index.html", chrome=chrome, content={"health": health}))


def test_the_session_ends_with_whatever_comes_first() -> None:
    who = samples.session()
    chrome = samples.record(
        session=who.model_copy(update={"ends_at": who.idle_ends_at - timedelta(minutes=10)})
    )

    assert chrome.idle_seconds(who.idle_ends_at - timedelta(minutes=15)) == 300
    assert chrome.idle_seconds(who.idle_ends_at) == 0
    assert Chrome().idle_seconds(who.idle_ends_at) == 0


def test_every_value_of_a_chart_is_in_the_table_beside_it() -> None:
    for opened in tree("health").xpath("//*[@class='opened'][.//*[@class='chart']]"):
        said = {cell.text_content() for cell in opened.xpath(".//td/strong")}
        drawn = opened.xpath(".//*[@class='path']/@d")[0].count(" ")

        assert len(opened.xpath(".//tbody/tr")) == drawn
        assert opened.xpath(".//*[@class='last']")[0].text_content() in said
