"""A clinical document as a page: every word of it, in order, and nothing that acts."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from services.records.domain.found import Unreadable
from services.records.formats.cda_page import MAX_HTML, render
from tests.corpus import CORPUS, content, files, needs_corpus, truth
from tests.records.formats.cda_documents import RECORD_TARGET, document, section
from tests.records.formats.shown_page import Page, page_of, without_blanks

V3 = "{urn:hl7-org:v3}"
NOT_JUST_WORDS = {"renderMultiMedia", "linkHtml", "footnote", "footnoteRef", "caption"}


@pytest.fixture(params=files("ccda"), ids=lambda path: path.name[:60])
def path(request: pytest.FixtureRequest) -> Path:
    given: Path = request.param
    return given


@needs_corpus
def test_every_document_of_the_corpus_is_safe_and_in_order(path: Path) -> None:
    Page(render(content(path))).assert_safe_and_in_order()


@needs_corpus
def test_every_section_of_the_corpus_has_its_title_and_all_its_words(path: Path) -> None:
    page = Page(render(content(path)))
    told = truth()[f"ccda/{path.name}"]
    shown = without_blanks(page.text)

    for one in told["sections"]:
        assert without_blanks(one["title"] or "") in shown
    bare = re.sub(rb"^\xef\xbb\xbf|<\?xml[^>]*\?>", b"", content(path))
    root = ET.fromstring(
        b'<all xmlns="urn:hl7-org:v3" xmlns:xsi="urn:x" xmlns:sdtc="urn:s">' + bare + b"</all>"
    )
    for text in root.iterfind(f".//{V3}section/{V3}text"):
        if not {str(one.tag).removeprefix(V3) for one in text.iter()} & NOT_JUST_WORDS:
            assert without_blanks("".join(text.itertext())) in shown
        for piece in text.itertext():
            assert without_blanks(piece) in shown


@needs_corpus
def test_the_page_says_whose_document_it_is_from_whom_and_when() -> None:
    page = Page(render(content(CORPUS / "ccda" / "C-CDA-Examples__CCD_1_CCD.XML")))
    assert page.text.startswith("Patient Chart Summary")
    for fact in ("Eve Betterhalf", "1 May 1975", "Female", "15 August 2013", "Patricia"):
        assert fact in page.text


def test_a_table_has_a_name_column_heads_and_row_heads() -> None:
    page = page_of(
        "<table><caption>Blood</caption><thead><tr><td>Test</td><th colspan='2'>Value</th><th/>"
        "</tr></thead><tbody><tr><th>Hb</th><td>10</td></tr><tr><th colspan='3'>CBC</th></tr>"
        "</tbody></table>"
    )
    assert [head["scope"] for head in page.all("th")] == ["col", "colgroup", "row", "rowgroup"]
    assert page.all("th")[1]["colspan"] == "2"
    assert len(page.all("caption")) == 1
    (frame,) = [one for one in page.all("div") if one.get("class") == "cda-table"]
    assert (frame["role"], frame["tabindex"]) == ("group", "0")
    assert frame["aria-labelledby"] == "section-1"


def test_a_table_without_head_whose_first_row_is_heads_has_column_heads() -> None:
    page = page_of(
        "<table><tr><th>Test</th><th>Value</th></tr><tr><td>Hb</td><td>10</td></tr></table>"
    )
    assert [head["scope"] for head in page.all("th")] == ["col", "col"]


@pytest.mark.parametrize(
    "table",
    [
        (
            "<table>one<thead>two<td>three</td></thead><tbody><tr>four<td>five</td>six"
            "<content>seven</content></tr></tbody>eight<content>nine</content></table>"
        ),
        "<table><caption>one two three</caption>four five six seven eight nine</table>",
        (
            "<list>one<item>two</item><style/>three<content>four</content><caption>five</caption>six</list>"
            "<item>seven</item><tr><td>eight</td><td>nine</td></tr>"
        ),
        (
            "<paragraph>one<paragraph>two<footnote>three<paragraph>four</paragraph></footnote>"
            "</paragraph>five six</paragraph><sup>seven<paragraph>eight</paragraph></sup><b>nine</b>"
        ),
    ],
)
def test_no_word_is_lost_where_elements_are_out_of_place(table: str) -> None:
    shown = page_of(table).text
    for word in ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"):
        assert shown.count(word) == 1


def test_spans_that_make_no_sense_are_dropped() -> None:
    page = page_of("<table><tr><td colspan='99999' rowspan='-1'>x</td></tr></table>")
    assert page.all("td") == [{}]


def test_lists_paragraphs_and_looks_keep_their_meaning() -> None:
    page = page_of(
        "<list listType='ordered' styleCode='LittleAlpha'><caption>Do</caption><item>one</item>"
        "<item>two<list><item>three</item></list></item></list><paragraph>p</paragraph>"
        "<content styleCode='Bold xFallRisk'>b</content><content revised='delete'>old</content>"
        "H<sub>2</sub>O<br/>end"
    )
    assert page.all("ol") == [{"class": "cda-little-alpha"}]
    assert len(page.all("li")) == 3
    assert {"class": "cda-bold"} in page.all("span")
    assert len(page.all("del")) == len(page.all("sub")) == len(page.all("p")) == 1
    assert "Doone" in page.text


def test_a_link_is_words_and_a_picture_is_a_note() -> None:
    page = page_of(
        "<linkHtml href='https://example.org/a'>Read</linkHtml><renderMultiMedia "
        "referencedObject='m'><caption>Chest</caption></renderMultiMedia><footnote>n</footnote>"
    )
    assert "Read (https://example.org/a)" in page.text
    assert "[A picture or file is not shown here.] Chest" in page.text
    assert page.all("a") == []


def test_sections_inside_sections_are_headed_one_level_down() -> None:
    inner = section(title="Chemistry", text="c")
    data = document(
        section(title="A", text="a"),
        section(inner.replace("<component>", "<component typeCode='COMP'>"), title="B", text="b"),
        section(title="C", text=""),
    )
    page = Page(render(data))
    page.assert_safe_and_in_order()

    assert [tag for tag, _ in page.elements if re.fullmatch(r"h\d", tag)] == [
        "h1", "h2", "h2", "h3", "h2",
    ]  # fmt: skip
    assert [one["href"] for one in page.all("a")] == ["#section-1", "#section-2", "#section-4"]
    assert "Nothing is written here." in page.text


@pytest.mark.parametrize(
    ("code", "language", "direction"),
    [
        ("es-MX", "es-MX", ""),
        ("ara", "ar", "rtl"),
        ("eng", "en", ""),
        ("", "en", ""),
        ("x y", "en", ""),
    ],
)
def test_a_page_says_its_language(code: str, language: str, direction: str) -> None:
    page = Page(render(document(header=f'{RECORD_TARGET}<languageCode code="{code}"/>')))
    article = page.all("article")[0]
    assert (article["lang"], article.get("dir", "")) == (language, direction)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<text>Dear &lt;b&gt;Rosa&lt;/b&gt;</text>", "Dear <b>Rosa</b>"),
        ('<text representation="B64" mediaType="text/plain">TG93</text>', "Low"),
        ('<text representation="B64" mediaType="application/pdf">JVBERi0=</text>', "is a file"),
        ('<text><reference value="a.pdf"/></text>', "was not sent with it"),
        ('<text representation="B64">*</text>', "can't be opened"),
        ("<text/>", "holds nothing"),
    ],
)
def test_an_unstructured_document_says_where_its_content_is(body: str, words: str) -> None:
    page = Page(render(document(body=f"<nonXMLBody>{body}</nonXMLBody>")))
    page.assert_safe_and_in_order()
    assert words in page.text


def test_a_document_without_a_body_says_so() -> None:
    assert "This document holds no text to read." in Page(render(document())).text


def test_the_longest_page_is_shown_and_a_longer_one_is_not() -> None:
    bare = len(render(document(section(text="x"))).encode()) - 1
    longest = MAX_HTML - bare
    assert len(render(document(section(text="x" * longest)))) == MAX_HTML
    with pytest.raises(Unreadable, match="too long to be shown"):
        render(document(section(text="x" * (longest + 1))))


def test_a_page_of_more_elements_than_it_may_have_is_not_begun() -> None:
    with pytest.raises(Unreadable, match="too long to be shown"):
        render(document(section(text="<content/>" * (MAX_HTML // 40))))


def test_what_is_no_clinical_document_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        render(b"<html/>")
