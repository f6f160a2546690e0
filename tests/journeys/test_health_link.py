"""What the addresses of a SMART Health Link say to software that asks amiss."""

import json
from urllib.request import Request

import pytest

from tests.journeys import shl
from tests.journeys.installation import Installation

NOWHERE = "/shl/" + "A" * 64


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"nothing like JSON", 400),
        (b"[" * 4_000, 400),
        (b"[]", 400),
        (b'{"passcode": "a"}', 400),
        (b'{"recipient": ["a"], "passcode": "a"}', 400),
        (json.dumps({"recipient": "a" * 4_079}).encode(), 404),
        (json.dumps({"recipient": "a" * 4_080}).encode(), 413),
        (b'{"recipient": "a", "passcode": "a"}', 404),
        (b'{"recipient": "a", "passcode": "\\ud800"}', 404),
        (b'{"recipient": "\\ud800", "passcode": "a"}', 400),
    ],
)
def test_a_manifest_request_that_is_none_is_refused_in_words(
    portal: Installation, body: bytes, status: int
) -> None:
    answer = shl.posts(portal.url + NOWHERE, body)
    assert answer.status == status
    assert answer.json()["error"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_page_of_another_site_may_ask(portal: Installation) -> None:
    asked = Request(portal.url + NOWHERE, method="OPTIONS", headers={"Origin": "https://a.example"})
    answer = shl.asks(asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "content-type"


def test_a_file_without_its_ticket_is_not_there(portal: Installation) -> None:
    answer = shl.asks(Request(f"{portal.url}{NOWHERE}/nothing"))
    assert (answer.status, answer.json()) == (404, {"error": "This link is not active."})
