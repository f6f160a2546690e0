"""Pieces that are asked for ahead: in order, few at a time, and none for nobody."""

import asyncio

import pytest

from gateway.ahead import AHEAD, pieces


class Source:
    """Where pieces come from, slowly, the later ones first."""

    def __init__(self, *, fails_at: int = -1) -> None:
        self.asked: list[int] = []
        self.under_way = 0
        self.most = 0
        self._fails_at = fails_at

    async def __call__(self, number: int) -> bytes:
        self.asked.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0.003 if number % 2 else 0.001)
            if number == self._fails_at:
                raise LookupError
            return bytes([number])
        finally:
            self.under_way -= 1


async def test_they_come_in_order_and_few_at_a_time() -> None:
    source = Source()
    assert b"".join([one async for one in pieces(source, 3, 40)]) == bytes(range(3, 41))
    assert source.asked == list(range(3, 41))
    assert source.most == 1 + AHEAD


async def test_of_nothing_there_is_no_piece() -> None:
    source = Source()
    assert [one async for one in pieces(source, 0, -1)] == []
    assert source.asked == []


async def test_what_cannot_be_had_is_said_in_its_place_and_nothing_is_asked_after_it() -> None:
    source, got = Source(fails_at=5), b""
    with pytest.raises(LookupError):
        async for one in pieces(source, 0, 40):
            got += one
    assert got == bytes(range(5))
    assert max(source.asked) <= 5 + AHEAD
    assert source.under_way == 0


async def test_nothing_is_asked_for_once_nobody_listens() -> None:
    source = Source()
    listening = pieces(source, 0, 40)
    assert await anext(listening) == b"\0"
    await listening.aclose()
    assert source.under_way == 0
    assert len(source.asked) <= 2 + AHEAD
