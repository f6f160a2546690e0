"""The parts of a SMART Health Link that need nobody to ask."""

import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from gateway import health_link
from libs.runtime.clock import utcnow
from tests.journeys import shl

TOKEN, KEY = "t" * 64, bytes(range(32))


def made(public_url: str = "https://portal.example.com", *, practice: str = "Lakeside") -> str:
    return health_link.link(
        public_url,
        TOKEN,
        KEY,
        expires_at=datetime.fromtimestamp(1_800_000_000, UTC),
        practice=practice,
    )


def test_a_link_says_where_to_ask_and_nothing_of_the_patient() -> None:
    said = shl.payload(made())
    assert said.url == f"https://portal.example.com/shl/{TOKEN}"
    assert (said.key, said.exp, said.flag) == (KEY, 1_800_000_000, "P")
    assert said.label == "Health record from Lakeside"
    assert len(shl.payload(made(practice="Ärzte " * 40)).label) == 80


def test_an_address_of_59_characters_is_the_longest_that_links_can_have() -> None:
    longest = "https://" + "a" * 51
    assert len(shl.payload(made(longest)).url) == 128
    assert made(longest + "a") == ""


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 262_144, 262_145, 600_001])
async def test_a_file_of_any_length_travels_as_one_jwe_of_the_length_that_was_said(
    size: int,
) -> None:
    data = os.urandom(size)

    async def pieces() -> AsyncGenerator[bytes, None]:
        for start in range(0, size, 262_144):
            yield data[start : start + 262_144]

    jwe = b"".join([piece async for piece in health_link.jwe(KEY, pieces())])
    assert len(jwe) == health_link.length(size)
    assert shl.decrypted(jwe.decode(), KEY) == data


async def test_no_two_files_have_the_same_nonce() -> None:
    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"the same"

    made = {b"".join([piece async for piece in health_link.jwe(KEY, pieces())]) for _ in range(50)}
    assert len({jwe.split(b".")[2] for jwe in made}) == 50


def test_a_ticket_is_for_one_link_and_ten_minutes() -> None:
    now = utcnow().replace(microsecond=0)
    ticket = health_link.ticket(KEY, TOKEN, b"k" * 32, now=now)
    last = now + timedelta(minutes=10, microseconds=-1)
    assert health_link.redeem(KEY, TOKEN, ticket, now=last) == b"k" * 32
    assert health_link.redeem(KEY, TOKEN, ticket, now=now + timedelta(minutes=10)) is None
    assert health_link.redeem(KEY, "u" * 64, ticket, now=now) is None
    assert health_link.redeem(bytes(32), TOKEN, ticket, now=now) is None
    for wrong in ("", "x", "é", ticket[:-2], "A" * len(ticket)):
        assert health_link.redeem(KEY, TOKEN, wrong, now=now) is None
