"""Each rule of compatibility beside what pydantic really does with such a pair of contracts.

A pair is a field as two releases have it. The side that writes sends the most awkward value that it
may; whether the other side can read it is tried out, and the rule has to say the same.
"""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError, create_model

from libs.contracts.base import Contract
from tests.contracts import compatibility
from tests.contracts.compatibility import Said


class Two(StrEnum):
    SENT = "sent"
    FAILED = "failed"


class Three(StrEnum):
    SENT = "sent"
    FAILED = "failed"
    PAUSED = "paused"


class Inner(Contract):
    word: str


class InnerWithMore(Contract):
    word: str
    more: str


Kind = tuple[Any, Any]
"""A field's type and its default; `...` for none."""


def model(name: str, **fields: Kind) -> type[Contract]:
    make: Any = create_model
    made: type[Contract] = make(name, __base__=Contract, **fields)
    return made


def says(writes: type[Contract], reads: type[Contract]) -> list[str]:
    return list(
        compatibility.unread(
            Said.of(writes.model_json_schema()), Said.of(reads.model_json_schema()), "It"
        )
    )


def is_read(said: Contract, reads: type[Contract]) -> bool:
    try:
        reads.model_validate_json(said.model_dump_json())
    except ValidationError:
        return False
    return True


def needed(kind: Any, **limits: Any) -> Mapping[str, Kind]:
    return {"field": (kind, Field(**limits) if limits else ...)}


NOTHING: Mapping[str, Kind] = {}
LONG = "a rather long word"

UNREADABLE = [
    ("a field that is required and new", NOTHING, {}, needed(str)),
    ("a field of another type", needed(str), {"field": "a word"}, needed(int)),
    ("a number where words are read", needed(int), {"field": 1}, needed(str)),
    ("a part where a whole is read", needed(float), {"field": 1.5}, needed(int)),
    ("one where many are read", needed(str), {"field": "a"}, needed(list[str])),
    ("any words where an id is read", needed(str), {"field": "a"}, needed(UUID)),
    ("a moment where a day is read", needed(datetime), {"field": "2026-01-01T10:00Z"}, needed(date)),
    ("nothing where something is read", needed(str | None), {"field": None}, needed(str)),
    ("a new choice", needed(Three), {"field": "paused"}, needed(Two)),
    ("words where a choice is read", needed(str), {"field": LONG}, needed(Two)),
    ("a new choice in a list", needed(list[Three]), {"field": ["paused"]}, needed(list[Two])),
    ("a new choice in a set", needed(frozenset[Three]), {"field": ["paused"]}, needed(frozenset[Two])),
    ("a new choice or nothing", needed(Three | None), {"field": "paused"}, needed(Two | None)),
    ("a new choice by name", needed(dict[str, Three]), {"field": {"a": "paused"}}, needed(dict[str, Two])),
    ("a part that is new", needed(Inner), {"field": {"word": "a"}}, needed(InnerWithMore)),
    ("a part of a list that is new", needed(list[Inner]), {"field": [{"word": "a"}]}, needed(list[InnerWithMore])),
    ("more than is read", needed(int, le=9), {"field": 9}, needed(int, le=8)),
    ("less than is read", needed(int, ge=1), {"field": 1}, needed(int, ge=2)),
    ("as much as is too much", needed(int, le=8), {"field": 8}, needed(int, le=8, lt=8)),
    ("longer than is read", needed(str), {"field": LONG}, needed(str, max_length=3)),
    ("shorter than is read", needed(str), {"field": ""}, needed(str, min_length=1)),
    ("another pattern", needed(str), {"field": LONG}, needed(str, pattern="^a$")),
    ("more of them than are read", needed(list[int]), {"field": [1, 2]}, needed(list[int], max_length=1)),
    ("fewer of them than are read", needed(list[int]), {"field": []}, needed(list[int], min_length=1)),
]  # fmt: skip

READABLE = [
    ("a field that is new and has a default", NOTHING, {}, {"field": (str, "")}),
    ("a field that is not known", needed(str), {"field": "a"}, NOTHING),
    ("a field that lost its default", {"field": (str, "")}, {}, needed(str)),
    ("a whole number where any is read", needed(int), {"field": 1}, needed(float)),
    ("something where nothing is read too", needed(str), {"field": "a"}, needed(str | None)),
    ("a choice of fewer", needed(Two), {"field": "sent"}, needed(Three)),
    ("a choice where words are read", needed(Two), {"field": "sent"}, needed(str)),
    ("an id where words are read", needed(UUID), {"field": UUID(int=1)}, needed(str)),
    ("less than is read at most", needed(int, le=8), {"field": 8}, needed(int, le=9)),
    ("shorter than is read at most", needed(str, max_length=3), {"field": "abc"}, needed(str, max_length=4)),
    ("a part with more in it", needed(InnerWithMore), {"field": {"word": "", "more": ""}}, needed(Inner)),
    ("many of one kind in another order", needed(list[int]), {"field": [1, 1]}, needed(frozenset[int])),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "wrote", "said", "read"), UNREADABLE, ids=[p[0] for p in UNREADABLE]
)
def test_what_can_not_be_read_is_said(
    what: str, wrote: Mapping[str, Kind], said: dict[str, Any], read: Mapping[str, Kind]
) -> None:
    writes, reads = model("It", **wrote), model("It", **read)
    assert not is_read(writes.model_validate(said), reads), what
    assert len(says(writes, reads)) == 1


@pytest.mark.parametrize(("what", "wrote", "said", "read"), READABLE, ids=[p[0] for p in READABLE])
def test_what_can_be_read_is_let_pass(
    what: str, wrote: Mapping[str, Kind], said: dict[str, Any], read: Mapping[str, Kind]
) -> None:
    writes, reads = model("It", **wrote), model("It", **read)
    assert is_read(writes.model_validate(said), reads), what
    assert says(writes, reads) == []


KINDS = [
    str, int, float, bool, UUID, date, datetime, bytes, Two, Three, Inner, InnerWithMore,
    str | None, Two | None, Three | None, Inner | None, list[str], list[Two], list[Three],
    frozenset[Three], list[InnerWithMore], dict[str, int], dict[str, Two], dict[str, Inner],
]  # fmt: skip
DEFAULTS: dict[Any, Any] = {
    str: "",
    int: 0,
    bool: False,
    str | None: None,
    Two | None: None,
    Inner | None: None,
}
LIMITS: list[dict[str, Any]] = [{}, {"le": 5}, {"ge": 2, "le": 9}, {"lt": 9}]


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Kind]:
    """Up to three fields of any kind, with and without defaults, a number perhaps with limits."""
    made: dict[str, Kind] = {}
    for name in draw(st.sets(st.sampled_from("abc"))):
        kind = draw(st.sampled_from(KINDS))
        default = DEFAULTS[kind] if kind in DEFAULTS and draw(st.booleans()) else ...
        limits = draw(st.sampled_from(LIMITS)) if kind is int and default is ... else {}
        made[name] = (kind, Field(default, **limits))
    return made


@st.composite
def instances(draw: st.DrawFn, kinds: Mapping[str, Kind]) -> dict[str, Any]:
    def value(kind: Any, field: Any) -> Any:
        low = max([2] if "Ge(ge=2)" in str(field.metadata) else [-100])
        high = 5 if "Le(le=5)" in str(field.metadata) else 8 if field.metadata else 100
        if kind is int:
            return draw(st.integers(low, high))
        if kind is float:
            return draw(st.floats(allow_nan=False, allow_infinity=False))
        return draw(st.from_type(kind))

    return {name: value(kind, field) for name, (kind, field) in kinds.items()}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), wrote=fields(), read=fields())
def test_whatever_the_rules_let_pass_can_be_read(
    data: st.DataObject, wrote: dict[str, Kind], read: dict[str, Kind]
) -> None:
    shared = data.draw(st.sets(st.sampled_from(sorted(wrote)))) if wrote else set()
    read |= {name: wrote[name] for name in shared}
    writes, reads = model("It", **wrote), model("It", **read)
    said = writes.model_validate(data.draw(instances(wrote)))
    if not says(writes, reads):
        assert is_read(said, reads)


def test_what_is_gone_without_a_word_is_not_heard() -> None:
    def gone(released: type[Contract], today: type[Contract]) -> list[str]:
        schemas = (released.model_json_schema(), today.model_json_schema())
        return list(compatibility.between(*schemas, "It"))

    has = model("It", field=(str, ""))
    deprecated = model("It", field=(str, Field("", deprecated=True)))
    without = model("It")
    assert gone(has, deprecated) == []
    assert gone(has, without) == [
        "The release to come would not hear: It.field is gone, and was not deprecated."
    ]
    assert gone(deprecated, without) == []
    within = model("It", field=(list[InnerWithMore] | None, None))
    less = model("It", field=(list[Inner] | None, None))
    assert "The release to come would not hear: It.field[].more is gone, and was not deprecated." in gone(within, less)  # fmt: skip


def test_a_schema_that_the_rules_do_not_know_does_not_pass() -> None:
    of = model("It", field=(int, Field(multiple_of=3)))
    assert says(of, of) == ["It.field: no rule for multipleOf"]


def test_a_contract_that_names_itself_comes_to_an_end() -> None:
    class Tree(Contract):
        branches: list["Tree"]

    assert says(Tree, Tree) == []
    schemas = (Tree.model_json_schema(), Tree.model_json_schema())
    assert list(compatibility.between(*schemas, "Tree")) == []
