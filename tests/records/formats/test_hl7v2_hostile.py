"""What no laboratory sends on purpose: the reader says so, soon, in little memory, unharmed."""

import base64
import io
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.records.domain.found import Document, LeftOut, Patient, Reason, Unreadable
from services.records.domain.result import Result
from services.records.formats.hl7v2 import read
from services.records.formats.hl7v2.framing import (
    LARGEST_MESSAGE,
    LARGEST_SEGMENT,
    MOST_SEGMENTS,
)
from services.records.formats.hl7v2.observations import LONGEST_TEXT
from services.records.formats.hl7v2.results import LONGEST_ORDER_COMMENT
from services.records.formats.hl7v2.segments import LONGEST_LABEL
from tests.corpus import content, files
from tests.records.formats.hl7v2_messages import (
    HEADER,
    ORDER,
    PATIENT,
    SODIUM,
    found_in,
    message,
    only,
    reasons_in,
)

LONGEST_WAIT = 5.0
MEGABYTE = 1024 * 1024


class Stream(io.BytesIO):
    """A file that is made as it is read, so that only the reader holds anything of it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self.pieces = pieces
        self.rest = b""

    def read(self, size: int | None = -1) -> bytes:
        size = size or 0
        while len(self.rest) < size:
            piece = next(self.pieces, b"")
            if not piece:
                break
            self.rest += piece
        given, self.rest = self.rest[:size], self.rest[size:]
        return given


def read_all(pieces: Iterator[bytes]) -> list[Any]:
    return list(read(Stream(pieces)))


def test_20_megabytes_are_read_in_the_memory_of_one_message() -> None:
    pdf = base64.b64encode(b"%PDF-1.4" + bytes(200_000)).decode()
    one = message(SODIUM, f"OBX|2|ED|PDF^Report^L||^AP^pdf^Base64^{pdf}||||||F", header=HEADER)
    count = 20 * MEGABYTE // len(one)

    tracemalloc.start()
    taken = sum(1 for _ in read(Stream(one for _ in range(count))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken == 2 * count + 1
    assert peak < 8 * len(one)


def test_many_small_messages_leave_nothing_behind() -> None:
    def batch(count: int) -> int:
        small = (
            message(PATIENT.replace("4711", str(number)), ORDER, SODIUM) for number in range(count)
        )
        tracemalloc.start()
        taken = sum(1 for _ in read(Stream(small)))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert taken == 2 * count
        return peak

    assert batch(2_000) < batch(200) + MEGABYTE


def test_a_document_of_ten_megabytes_is_taken_and_a_value_of_that_size_is_not() -> None:
    pdf = b"%PDF-1.4" + bytes(10 * MEGABYTE)
    began = time.monotonic()
    found = found_in(
        message(
            f"OBX|1|ED|PDF^Report^L||^AP^pdf^Base64^{base64.b64encode(pdf).decode()}||||||F",
            f"OBX|2|TX|T^Text^L||{'x' * (10 * MEGABYTE)}||||||F",
            f"OBX|3|NM|N^Number^L||{'9' * (10 * MEGABYTE)}||||||F",
            f"OBX|4|BAD|B^Bad^L||{'^' * (10 * MEGABYTE)}||||||F",
            SODIUM,
        )
    )

    assert [document.content for document in only(Document, found)] == [pdf]
    assert [result.name for result in only(Result, found)] == ["Sodium"]
    assert [each.reason for each in only(LeftOut, found)] == [Reason.TOO_LARGE] * 3
    assert time.monotonic() - began < LONGEST_WAIT


def line_of(size: int) -> Iterator[bytes]:
    """An OBX of exactly this many bytes, in pieces."""
    head = b"OBX|1|ED|PDF^Report^L||^AP^pdf^Base64^"
    yield head
    size -= len(head)
    while size > 0:
        yield b"A" * min(size, MEGABYTE)
        size -= MEGABYTE
    yield b"\r"


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_segment_has_a_largest_size(more: int, *, taken: bool) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (f"{segment}\r".encode() for segment in (HEADER, PATIENT, ORDER))
        yield from line_of(LARGEST_SEGMENT + more)
        yield f"{SODIUM}\r".encode()

    found = read_all(pieces())

    assert len(only(Document, found)) == int(taken)
    assert len(only(Result, found)) == 1
    assert [(each.reason, each.what) for each in only(LeftOut, found)] == (
        [] if taken else [(Reason.TOO_LARGE, "OBX 1")]
    )


def test_a_segment_that_grows_by_its_lines_has_the_same_largest_size() -> None:
    lines = ((b"x" * 999 + b"\r") for _ in range(LARGEST_SEGMENT // 1000 + 10))
    begin = message(SODIUM, "OBX|2|TX|T^Text^L||").rstrip(b"\r") + b"x\r"
    found = read_all(iter([begin, *lines]))

    assert [result.name for result in only(Result, found)] == ["Sodium"]
    assert {each.reason for each in only(LeftOut, found)} == {Reason.TOO_LARGE}


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_message_has_a_largest_size_and_the_next_one_is_read(more: int, *, taken: bool) -> None:
    head = [segment.encode() for segment in (HEADER, PATIENT, ORDER, SODIUM)]
    filler = LARGEST_MESSAGE - sum(map(len, head)) - 4 * 3 + more

    def pieces() -> Iterator[bytes]:
        yield from (segment + b"\r" for segment in head)
        for part in range(4):
            size = filler // 4 + (filler % 4 if part == 3 else 0)
            yield b"ZZZ" + b"|" * size + b"\r"
        yield message(SODIUM.replace("141", "142"))

    found = read_all(pieces())

    assert [result.value.text for result in only(Result, found)] == (
        ["141", "142"] if taken else ["142"]
    )
    assert [(each.reason, each.where) for each in only(LeftOut, found)] == (
        [] if taken else [(Reason.TOO_LARGE, "message 1")]
    )


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_message_has_a_largest_number_of_segments(more: int, *, taken: bool) -> None:
    began = time.monotonic()
    data = message(SODIUM) + b"ZZZ|\r" * (MOST_SEGMENTS - 4 + more)

    assert len(only(Result, found_in(data))) == int(taken)
    assert reasons_in(data) == ([] if taken else [(Reason.TOO_LARGE, "message 1")])
    assert time.monotonic() - began < 2 * LONGEST_WAIT


def test_a_hundred_thousand_lines_are_one_text_that_is_too_large() -> None:
    began = time.monotonic()
    lines = [f"OBX|{number}|TX|T^Text^L||line||||||F" for number in range(100_000)]

    assert reasons_in(message(*lines)) == [(Reason.TOO_LARGE, "message 1, OBX 1 to 100000")]
    assert time.monotonic() - began < 4 * LONGEST_WAIT


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_text_a_name_and_a_comment_have_a_longest_length(more: int, *, taken: bool) -> None:
    text = message(f"OBX|1|TX|T^Text^L||{'x' * (LONGEST_TEXT + more)}||||||F")
    name = message(f"OBX|1|NM|^{'x' * (LONGEST_LABEL + more)}||5||||||F")
    comment = message(SODIUM, f"NTE|1||{'x' * (LONGEST_TEXT - 1 + more)}")
    about_the_order = message(ORDER, f"NTE|1||{'x' * (LONGEST_ORDER_COMMENT + more)}", SODIUM)
    too_large = [] if taken else [Reason.TOO_LARGE]

    for data in (text, name, comment, about_the_order):
        assert [reason for reason, _ in reasons_in(data)] == too_large
    assert [len(only(Result, found_in(data))) for data in (text, name)] == [int(taken)] * 2
    for data, longest in ((comment, LONGEST_TEXT - 1), (about_the_order, LONGEST_ORDER_COMMENT)):
        (result,) = only(Result, found_in(data))
        assert len(result.comment) == (longest if taken else 0)


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 200_000,
        "\\X" * 100_000,
        "\\X4" * 60_000,
        "\\X41" * 50_000,
        "\\.sp20\\" * 25_000,
        "\\.in" * 50_000,
        "-" * 200_000,
        "1" * 200_000,
        "1.1-" * 50_000,
        " " * 199_999 + "x",
        "<" * 200_000,
        "~" * 200_000,
        "&" * 200_000,
        "JVBERi0" + "A" * 190_000 + "!",
    ],
)
def test_no_text_makes_the_reader_think_long(text: str) -> None:
    for value_type in ("TX", "NM", "SN", "CWE", "ED", "DTM", "XAD", ""):
        data = message(f"OBX|1|{value_type}|T^Text^L||{text}|{text[:4000]}|{text}|{text}|||F")
        began = time.monotonic()
        found_in(data)

        assert time.monotonic() - began < LONGEST_WAIT


def test_a_message_in_the_middle_of_binary_junk_is_found() -> None:
    junk = bytes(range(256)) * 500
    found = found_in(junk + b"\r" + message(SODIUM) + b"\r" + junk)

    assert [result.value.text for result in only(Result, found)] == ["141"]


def test_nul_and_other_control_characters_go_nowhere() -> None:
    found = found_in(
        message(
            "PID|1||4\x007\x0011^^^CLI\x1fNIC||Al\x00varez^Ro\x07sa",
            ORDER,
            "OBX|1|ST|X\x00^Te\x00st^L||po\x00si\x1btive||||||F",
            "NTE|1||co\x00mment\x01",
        )
    )
    (result,) = only(Result, found)

    assert [patient.key for patient in only(Patient, found)] == ["CLINIC|4711"]
    assert (result.name, result.value.text, result.comment) == ("Test", "positive", "comment")


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from strings_in(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from strings_in(getattr(value, each.name))


def is_unharmed(data: bytes) -> None:
    """Reading ends soon, in things that can be kept and shown, or in one plain refusal."""
    began = time.monotonic()
    try:
        found = found_in(data)
    except Unreadable:
        found = []
    assert time.monotonic() - began < LONGEST_WAIT
    for each in found:
        for text in strings_in(each):
            assert b"\xff" not in text.encode(), "UTF-8 has no such byte, and no surrogates"
            assert not any(ord(character) < 32 and character not in "\n\t" for character in text)
        if isinstance(each, Result):
            assert each.source_id
            assert each.collected is None or each.collected.at.tzinfo is UTC
            assert each.collected is None or each.collected.at > datetime.min.replace(tzinfo=UTC)
            assert each.value.text or each.value.kind == "absent"
        if isinstance(each, Document):
            assert each.content or each.status == "entered-in-error"


SAMPLES = [content(path)[:20_000] for path in files("hl7v2")] or [message(SODIUM)]
PIECES = ["MSH", "PID", "OBR", "OBX", "NTE", "TXA", "SPM", "ORC", "ADD", "BTS", "|", "^", "~", "\\"]
PIECES += ["&", "\r", "\n", "\x0b", "ED", "NM", "SN", "CWE", "TX", "Base64", "<5", "2024", "+0100"]
FUZZED = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZED
@given(data=st.binary(max_size=2_000))
@example(data=b"MSH|")
@example(data=b"MSH||||\rPID\rOBX\rNTE\rOBR\rSPM\rTXA")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    is_unharmed(data)
    is_unharmed(b"MSH|^~\\&|" + data)


@FUZZED
@given(
    pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=80),
    header=st.sampled_from([HEADER, HEADER.replace("ORU^R01", "MDM^T10"), "MSH|~", "MSH"]),
)
def test_any_order_of_likely_pieces_is_read_or_refused(pieces: list[str], header: str) -> None:
    text = "".join(pieces)
    is_unharmed(f"{header}{text}".encode(errors="replace"))
    is_unharmed(f"{header}\rOBX|1|{'|'.join(pieces)}".encode(errors="replace"))


@FUZZED
@given(
    sample=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.binary(max_size=4)), max_size=20),
    cut=st.integers(0, 20_000),
)
def test_a_real_file_with_bytes_changed_and_its_end_missing_is_read_or_refused(
    sample: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(sample)
    for place, put in changes:
        data[place % len(data) : place % len(data) + len(put) // 2] = put
    is_unharmed(bytes(data))
    is_unharmed(bytes(data[:cut]))


@FUZZED
@given(sample=st.sampled_from(SAMPLES), shuffle=st.randoms(use_true_random=False))
def test_a_real_file_with_its_lines_shuffled_is_read_or_refused(
    sample: bytes, shuffle: Any
) -> None:
    lines = sample.replace(b"\n", b"\r").split(b"\r")
    shuffle.shuffle(lines)
    is_unharmed(b"\r".join(lines))
    is_unharmed(b"\r".join([lines[0], *lines]) + b"\r".join(lines))
