"""FHIR files that mean harm, or were made by accident: never an exception, and always in time."""

import contextlib
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.records.domain.found import (
    Document,
    LeftOut,
    Patient,
    Reason,
    Unreadable,
)
from services.records.domain.result import Result
from services.records.formats.fhir import window
from services.records.formats.fhir.limits import CHUNK
from tests.records.formats.fhir_resources import (
    Json,
    as_bytes,
    bundle,
    found,
    observation,
    only,
    reads,
    rosa,
)

LONGEST = 5.0
"""Seconds that no file of this size may take."""


def outcome(data: bytes) -> None:
    """The file is read to its end or refused as a whole; in time, and into what can be stored."""
    began = time.perf_counter()
    try:
        things = reads(data)
    except Unreadable:
        things = []
    assert time.perf_counter() - began < LONGEST
    for one in things:
        assert isinstance(one, Patient | Result | Document | LeftOut)
        assert "\x00" not in repr(one)
        repr(one).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)
SEEDS: list[Json] = [
    bundle(
        rosa(identifier=[{"system": "urn:mrn", "value": "17"}]),
        observation(
            referenceRange=[{"low": {"value": 3}, "high": {"value": 5}, "text": "3-5"}],
            interpretation=[{"coding": [{"code": "H"}]}],
            note=[{"text": "seen"}],
            performer=[{"reference": "#p"}],
            contained=[{"resourceType": "Practitioner", "id": "p", "name": [{"text": "A"}]}],
            component=[{"code": {"text": "x"}, "valueString": "y"}],
            hasMember=[{"reference": "Observation/2"}],
            identifier=[{"system": "urn:lab", "value": "1", "type": {"text": "x"}}],
        ),
        {
            "resourceType": "DiagnosticReport",
            "code": {"text": "Panel"},
            "result": [{"reference": "Observation/hb"}],
            "presentedForm": [{"data": "QUJD", "contentType": "text/plain"}],
            "contained": [observation(id="in", category=None)],
            "conclusion": "Well",
        },
        {
            "resourceType": "DocumentReference",
            "subject": {"reference": "Patient/rosa"},
            "type": {"text": "Letter"},
            "content": [{"attachment": {"url": "Binary/b"}}, {"attachment": {"data": "QUJD"}}],
            "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}],
            "context": {"period": {"start": "2026-01-01"}},
        },
        {"resourceType": "Binary", "id": "b", "data": "QUJD", "contentType": "text/plain"},
        {"resourceType": "Specimen", "id": "s", "type": {"text": "Blood"}},
    )
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in inside:
        yield (*path, name)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, name))


PLACES = [(seed, place) for seed in range(len(SEEDS)) for place in places(SEEDS[seed])]


def with_other(seed: Json, place: tuple[Any, ...], other: Any) -> Json:
    """A copy of the seed that says something else at one place."""
    copy: Any = json.loads(json.dumps(seed))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = other
    return dict(copy)


@pytest.mark.parametrize(
    "other",
    [None, True, 7, -1.5, "", "text", [], {}, [None], [[]], [{}], {"a": 1}, ["x"], "\ud800\x00"],
    ids=repr,
)
def test_nothing_said_in_the_wrong_shape_anywhere_is_an_error(other: Any) -> None:
    for seed, place in PLACES:
        outcome(as_bytes(with_other(SEEDS[seed], place, other)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), st.sampled_from(PLACES), JSON, JSON)
def test_nothing_said_at_two_places_is_an_error(
    one: tuple[int, Any], two: tuple[int, Any], first: Any, second: Any
) -> None:
    changed = with_other(SEEDS[one[0]], one[1], first)
    with contextlib.suppress(KeyError, IndexError, TypeError):
        changed = with_other(changed, two[1], second)
    outcome(as_bytes(changed, rosa()))


@pytest.mark.parametrize("chunk", [16, CHUNK])
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_cut_and_no_changed_byte_is_an_error(
    monkeypatch: pytest.MonkeyPatch, chunk: int, data: st.DataObject
) -> None:
    monkeypatch.setattr(window, "CHUNK", chunk)
    indent = data.draw(st.sampled_from([None, 1]))
    whole = json.dumps(SEEDS[0], indent=indent).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    instead = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"{", b"}", b"[", b'"', b"\\", b","])
    )
    outcome(whole[:start] + instead + whole[end:])


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet='{}[]",:\\ \n0e-."entryresource', max_size=80).map(str.encode)
)
def test_no_bytes_are_an_error(data: bytes) -> None:
    outcome(data)


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 17, 64, 301, 1000])
@pytest.mark.parametrize("form", ["one", "lines", "indented", "escaped"])
def test_the_same_is_found_wherever_the_file_is_cut_into_pieces(
    monkeypatch: pytest.MonkeyPatch, chunk: int, form: str
) -> None:
    extra = observation(
        id="é",
        valueQuantity=None,
        valueString='😀 \\" \u2028 Ж' * 9,
        note=[{"text": "-1.5e3 }"}],
        count=-1234567.89,
    )
    whole = bundle(*(one["resource"] for one in SEEDS[0]["entry"]), extra, bundle(observation()))
    data = {
        "one": json.dumps(whole, ensure_ascii=False),
        "lines": "\n".join([json.dumps(extra), json.dumps(whole, ensure_ascii=False), "7", "{}"]),
        "indented": json.dumps(whole, indent=3, ensure_ascii=False),
        "escaped": json.dumps(whole),
    }[form].encode()
    expected = reads(data)

    monkeypatch.setattr(window, "CHUNK", chunk)

    assert reads(data) == expected


def told(data: bytes | str) -> list[tuple[Reason, str, str]]:
    """What was left out, and where."""
    return [(one.reason, one.what, one.where) for one in only(LeftOut, reads(data))]


def in_bundle(*entries: str) -> str:
    return '{"resourceType": "Bundle", "entry": [' + ",".join(entries) + "]}"


GOOD = json.dumps({"resource": observation()})
PERSON = json.dumps({"resource": rosa()})


@pytest.mark.parametrize(
    "bad",
    [
        '{"resource": {"resourceType": "Observation", "status": tru}}',
        '{"resource": {"resourceType": "Observation", "status": "final" "code": {}}}',
        '{"resource": {"resourceType": "Observation", "status": "a", "status": "b"}}',
        '{"resource": {"resourceType": "Observation", "code": {"text": "a", "text": "b"}}}',
        '{"fullUrl": "a", "fullUrl": "b", "resource": {"resourceType": "Observation"}}',
        '{"resource": ' + '{"a": ' * 5000 + "1" + "}" * 5000 + "}",
        '{"resource": {"resourceType": "Observation", "note": ' + "[" * 5000 + "]" * 5000 + "}}",
        "7",
        '"text"',
        "nul",
        "[[{}]]",
        '[{"resourceType": "Observation"}]',
    ],
    ids=lambda bad: bad[:60],
)
@pytest.mark.parametrize("indent", ["", "\n"])
def test_an_entry_that_is_broken_costs_no_other(bad: str, indent: str) -> None:
    data = in_bundle(PERSON, indent + bad, GOOD)

    assert len(only(Result, reads(data))) == 1
    assert told(data) == [(Reason.UNREADABLE_PART, "Entry", "entry 2")]


def test_an_element_without_a_comma_before_it_ends_the_list() -> None:
    data = in_bundle(PERSON, GOOD + GOOD)

    assert len(only(Result, reads(data))) == 1
    assert told(data) == [(Reason.UNREADABLE_PART, "Entry", "entry 2 and all after it")]


@pytest.mark.parametrize(
    "bad",
    [
        "oh no",
        '{"resourceType": "Observation", "status": }',
        '{"resourceType": "Observation", "status": "fin',
        '{"resourceType": "Observation", "status": "a", "status": "b"}',
        '{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": ',
        "]",
        '"',
        "[",
    ],
)
def test_a_line_that_is_broken_costs_no_other(bad: str) -> None:
    data = "\n".join(
        [json.dumps(rosa()), json.dumps(observation(id="x")), bad, json.dumps(observation())]
    )

    assert len(only(Result, reads(data))) == 2
    assert [(reason, where[:6]) for reason, _, where in told(data)] == [
        (Reason.UNREADABLE_PART, "line 3")
    ]


def test_a_last_line_that_is_broken_costs_no_other() -> None:
    data = "\n".join([json.dumps(rosa()), json.dumps(observation()), "{"])

    assert len(only(Result, reads(data))) == 1
    assert told(data) == [(Reason.UNREADABLE_PART, "Entry", "line 3")]


def test_a_bundle_inside_a_bundle_that_is_cut_off_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(window, "CHUNK", 32)
    whole = json.dumps(bundle(rosa(), bundle(observation(), observation(id="z"))))

    data = whole[: whole.rindex("valueQuantity")]

    assert len(only(Result, reads(data))) == 1
    assert told(data) == [(Reason.UNREADABLE_PART, "Entry", "entry 2.2 and all after it")]


def test_a_broken_entry_of_a_bundle_on_a_line_costs_the_rest_of_the_line() -> None:
    line = in_bundle(GOOD, '{"resource": {"resourceType": "Observation", "id": tru}}', GOOD)
    data = "\n".join([json.dumps(rosa()), line, json.dumps(observation(id="z"))])

    assert len(only(Result, reads(data))) == 2
    assert told(data) == [
        (Reason.UNREADABLE_PART, "Entry", "line 2, entry 2 and the rest of the line")
    ]


def test_a_file_that_is_cut_off_gives_what_came_before() -> None:
    whole = in_bundle(PERSON, GOOD, json.dumps({"resource": observation(id="z")}))

    assert len(only(Result, reads(whole[:-40]))) == 1
    assert told(whole[:-40]) == [(Reason.UNREADABLE_PART, "Entry", "entry 3 and all after it")]


def test_what_follows_the_file_is_told() -> None:
    data = json.dumps(rosa()) + " trailing"

    assert told(data) == [(Reason.UNREADABLE_PART, "Entry", "the file and all after it")]


def test_keys_in_any_order_make_the_same_bundle() -> None:
    data = '{"entry": [{"resource": %s, "fullUrl": "a"}], "resourceType": "Bundle"}'

    assert len(only(Result, reads(data % json.dumps(observation())))) == 1


def test_resources_that_hold_themselves_end_somewhere() -> None:
    inside = [{"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "#p"}}]}]
    circle = observation(
        contained=inside, subject={"reference": "#p"}, hasMember=[{"reference": "Observation/hb"}]
    )

    assert len(only(Result, found(bundle(circle)))) == 1


def test_an_address_is_never_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    elsewhere = {
        "resourceType": "DocumentReference",
        "subject": {"reference": "http://127.0.0.1:9/Patient/1"},
        "content": [{"attachment": {"url": "http://127.0.0.1:9/a.pdf"}}],
    }

    things = found(bundle(elsewhere, observation(subject={"reference": "http://[::1]/Patient/2"})))

    assert [one.reason for one in only(LeftOut, things)] == [Reason.CONTENT_ELSEWHERE]
    assert only(Document, things) == []
