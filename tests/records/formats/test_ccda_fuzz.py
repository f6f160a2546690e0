"""Damage of every kind: a clinical document is read, or it is unreadable; there is no third thing."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from services.records.domain.found import Document, LeftOut, Patient, Unreadable
from services.records.domain.result import Result
from services.records.formats import cda_page
from services.records.formats.ccda import read, tree
from tests.corpus import content, files
from tests.records.formats.cda_documents import found_in, observation, results_document


def read_and_shown(data: bytes) -> None:
    """Either both come to an end, or the file is `Unreadable`: there is no third thing."""
    try:
        found = list(read(io.BytesIO(data)))
    except Unreadable:
        found = []
    for one in found:
        assert isinstance(one, Patient | Result | Document | LeftOut)
    with contextlib.suppress(Unreadable):
        assert cda_page.render(data).startswith("<article")


def samples() -> list[bytes]:
    own = results_document(
        observation(more="<referenceRange><observationRange><text>1-2</text></observationRange>"
        "</referenceRange>"),
        observation('<value xsi:type="CD" displayName="Positive"/>', identity=""),
        text="<table><thead><tr><th>a</th></tr></thead><tbody><tr><td ID='x'>1</td></tr></tbody>"
        "</table><list><item>b</item></list><paragraph>c</paragraph>",
    )  # fmt: skip
    small = [path for path in files("ccda") if path.stat().st_size < 30_000]
    return [own, *(content(path) for path in small)]


bounded = settings(
    max_examples=150,
    deadline=5000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@bounded
@given(st.data())
def test_a_file_with_bytes_changed_cut_or_moved_is_read_or_unreadable(data: st.DataObject) -> None:
    changed = bytearray(data.draw(st.sampled_from(samples())))
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(changed)))
        stop = min(len(changed), start + data.draw(st.integers(0, 200)))
        match data.draw(st.sampled_from(["replace", "cut", "move", "end"])):
            case "replace":
                changed[start:stop] = data.draw(st.binary(max_size=40))
            case "cut":
                del changed[start:stop]
            case "move":
                piece = changed[start:stop]
                del changed[start:stop]
                to = data.draw(st.integers(0, len(changed)))
                changed[to:to] = piece
            case _:
                del changed[start:]
    read_and_shown(bytes(changed))


@bounded
@given(st.data())
def test_a_document_with_its_elements_shuffled_is_read_or_unreadable(data: st.DataObject) -> None:
    root = tree.parse(data.draw(st.sampled_from(samples())))
    texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
    for _ in range(data.draw(st.integers(1, 12))):
        elements = [one for one in root.iter("*") if one is not root]
        if not elements:
            break
        one = data.draw(st.sampled_from(elements))
        parent = one.getparent()
        assert parent is not None
        match data.draw(st.sampled_from(["remove", "move", "attribute", "bare", "text"])):
            case "remove":
                parent.remove(one)
            case "move":
                others = [
                    each for each in root.iter("*") if one not in (each, *each.iterancestors())
                ]
                data.draw(st.sampled_from(others)).append(one)
            case "attribute":
                name = data.draw(st.sampled_from([*one.attrib, "nullFlavor", "value", "ID"]))
                one.set(name, data.draw(texts.filter(lambda text: text.isprintable())))
            case "bare":
                one.attrib.clear()
            case _:
                one.text = data.draw(texts.filter(lambda text: text.isprintable()))
    read_and_shown(etree.tostring(root))


@bounded
@given(st.binary(max_size=400))
def test_bytes_that_are_no_document_are_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        found_in(data)
