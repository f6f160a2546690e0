"""Where a request comes from, and whether its form is one of ours."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from gateway import protection, session
from gateway.config import Config
from gateway.files import disposition
from gateway.protection import Forged


def request(
    headers: dict[str, str] | None = None, *, trusted: str = "", remote: str = "203.0.113.9"
) -> web.Request:
    app = web.Application()
    app[protection.CONFIG] = Config(
        nats_url="", public_url="https://portal.example.com", trusted_proxies=trusted
    )
    made = make_mocked_request("POST", "/login", headers=CIMultiDict(headers or {}), app=app)
    return made.clone(remote=remote)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://portal.example.com"},
        {},
    ],
)
def test_a_form_of_ours_passes(headers: dict[str, str]) -> None:
    protection.check_origin(request(headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://portal.example.com"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://portal.example.com.evil.example"},
        {"Origin": "http://portal.example.com"},
    ],
)
def test_a_form_from_elsewhere_does_not(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        protection.check_origin(request(headers))


def test_the_proof_belongs_to_one_session_only() -> None:
    rosa = request({"Cookie": f"{session.COOKIE}=rosa"})
    ana = request({"Cookie": f"{session.COOKIE}=ana"})
    protection.check_proof(rosa, protection.proof(rosa))
    for wrong in (protection.proof(ana), "", "é", protection.proof(rosa)[:-1]):
        with pytest.raises(Forged):
            protection.check_proof(rosa, wrong)


def test_a_visitor_without_a_session_has_a_proof_of_their_own() -> None:
    first, second = request(), request()
    assert protection.proof(first) == protection.proof(first)
    assert protection.proof(first) != protection.proof(second)


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "source"),
    [
        ("203.0.113.9", "", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1, 10.0.0.3", "10.0.0.0/8", "198.51.100.1"),
        ("10.0.0.2", "not an address", "10.0.0.0/8", "unknown"),
        ("2001:db8:1:2:3:4:5:6", "", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "", "", "203.0.113.9"),
        ("", "", "", "unknown"),
    ],
)
def test_a_source_is_an_address_or_a_network_and_cannot_be_made_up(
    remote: str, forwarded: str, trusted: str, source: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert protection.source(request(headers, trusted=trusted, remote=remote)) == source


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("CT chest.pdf", "inline; filename=\"CT chest.pdf\"; filename*=UTF-8''CT%20chest.pdf"),
        ('a"; x="b', "inline; filename=\"a__ x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b"),
        ("a\r\nX: y", "inline; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("../../etc", "inline; filename=\".._.._etc\"; filename*=UTF-8''..%2F..%2Fetc"),
        ("Ergebnis ä.txt", "inline; filename=\"Ergebnis _.txt\"; filename*=UTF-8''Ergebnis%20%C3%A4.txt"),
        ("", "inline; filename=\"document\"; filename*=UTF-8''"),
    ],
)  # fmt: skip
def test_a_file_name_never_breaks_out_of_its_header(name: str, header: str) -> None:
    assert disposition("inline", name) == header
