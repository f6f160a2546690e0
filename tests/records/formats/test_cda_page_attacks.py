"""What someone plants in a clinical document is words on its page, or nothing."""

import json
import re
from xml.sax.saxutils import escape

import pytest

from services.records.formats.cda_page import render
from services.records.formats.cda_page.allowed import clean
from tests.corpus import CORPUS, needs_corpus
from tests.records.formats.cda_documents import RECORD_TARGET, document, section
from tests.records.formats.shown_page import ATTRIBUTES, Page, page_of, without_blanks

ATTACKS = [
    "<script>alert(1)</script>",
    "<paragraph onclick='alert(1)' style='position:fixed'>x</paragraph>",
    "<content onmouseover='alert(1)' styleCode='\">&lt;script>alert(1)&lt;/script>'>x</content>",
    "<linkHtml href='javascript:alert(1)'>x</linkHtml>",
    "<linkHtml href='  java&#10;script:alert(1)'>x</linkHtml>",
    "<linkHtml href='data:text/html,&lt;script&gt;alert(1)&lt;/script&gt;'>x</linkHtml>",
    "<renderMultiMedia referencedObject='http://evil.example/x.png'/>",
    "<img xmlns='http://www.w3.org/1999/xhtml' src='http://evil.example/x.png' onerror='a()'/>",
    "<html:script xmlns:html='http://www.w3.org/1999/xhtml'>alert(1)</html:script>",
    "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "<math><mtext><style>x</style></mtext></math>",
    "<iframe src='http://evil.example'/><object data='x'/><embed src='x'/>",
    "<form action='http://evil.example'><input name='a'/><button>x</button></form>",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<meta http-equiv='refresh' content='0;url=http://evil.example'/><base href='http://e'/>",
    (
        "<table background='http://evil.example/x'><tbody><tr><td colspan='2\" onload=\"a()'>x</td>"
        "</tr></tbody></table>"
    ),
    "<paragraph>&lt;script&gt;alert(1)&lt;/script&gt;</paragraph>",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<content ID='section-1\">&lt;b>'>x</content>",
    "<plaintext>x</plaintext><xmp>&lt;/xmp&gt;&lt;script&gt;</xmp><noscript>x</noscript>",
    "<td>x</td><tr>x</tr><tbody/><select><option>x</option></select><textarea>x</textarea>",
    "<template><script>alert(1)</script></template>",
    (
        "<paragraph>a<table><tbody><tr><td>b<paragraph>c</paragraph></td></tr></tbody></table>d"
        "</paragraph>"
    ),
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_planted_in_a_narrative_survives(attack: str) -> None:
    page = page_of(f"before {attack} after")
    assert page.text.index("before") < page.text.index("after")


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_second_wall_holds_without_the_first(attack: str) -> None:
    page = Page(clean(f"<article lang='en'><h1>x</h1>{attack}</article>"))
    for tag, attributes in page.elements:
        assert tag not in {"script", "style", "img", "iframe", "object", "form", "input", "svg"}
        assert attributes.keys() <= ATTRIBUTES
        assert "href" not in attributes
        assert attributes.get("class", "") == ""


@pytest.mark.parametrize("attack", ["<b>x</b>", "\"'><script>alert(1)</script>", "&amp;lt;i&gt;"])
def test_titles_names_and_codes_are_text(attack: str) -> None:
    text = escape(attack, {'"': "&quot;", "'": "&apos;"})
    header = RECORD_TARGET.replace("Rosa", text) + f'<languageCode code="{text}"/>'
    data = document(section(title=text), section(title=text, text="x"), header=header)
    page = Page(render(data.replace(b"Patient Chart", text.encode())))

    page.assert_safe_and_in_order()
    assert page.text.count(attack) == 4
    assert page.all("article")[0]["lang"] == "en"


@needs_corpus
def test_naughty_strings_are_shown_as_they_are() -> None:
    strings = json.loads((CORPUS / "misc" / "big-list-of-naughty-strings__blns.json").read_text())
    for naughty in strings:
        writable = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", naughty)
        page = page_of(f"<paragraph>[{escape(writable)}]</paragraph>")
        assert without_blanks(f"[{writable}]") in without_blanks(page.text)
