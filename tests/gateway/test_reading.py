"""What a page reads from its address and its form."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from gateway import reading


@pytest.mark.parametrize(
    ("form", "day"),
    [
        ({"d": "1961-04-12"}, date(1961, 4, 12)),
        ({"d_day": "12", "d_month": "4", "d_year": "1961"}, date(1961, 4, 12)),
        ({"d_day": " 12 ", "d_month": "04", "d_year": "1961"}, date(1961, 4, 12)),
        ({"d_day": "29", "d_month": "2", "d_year": "2000"}, date(2000, 2, 29)),
        ({"d_day": "29", "d_month": "2", "d_year": "1900"}, None),
        ({"d_day": "0", "d_month": "4", "d_year": "1961"}, None),
        ({"d_day": "12", "d_month": "4", "d_year": "19610"}, None),
        ({"d_day": "١٢", "d_month": "4", "d_year": "1961"}, None),
        ({"d_day": "12", "d_month": "4"}, None),
        ({"d": "12/04/1961"}, None),
        ({"d": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_a_date_is_one_field_or_three_or_none(form: dict[str, str], day: date | None) -> None:
    assert reading.day(form, "d") == day


def test_whether_a_date_was_typed_at_all() -> None:
    assert reading.day_given({"d_day": "x"}, "d")
    assert not reading.day_given({"d_day": " ", "other": "1"}, "d")


def test_a_moment_is_in_the_practices_zone() -> None:
    form = {"at": "2026-11-01", "at_time": "09:30"}
    assert reading.moment(form, "at", "America/Denver") == (
        datetime(2026, 11, 1, 16, 30, tzinfo=UTC),
        True,
    )
    assert reading.moment({"at": "2026-11-01"}, "at", "America/Denver") == (
        datetime(2026, 11, 1, 6, 0, tzinfo=UTC),
        False,
    )
    assert reading.moment({"at": "2026-11-01", "at_time": "half past"}, "at", "UTC") is None
    assert reading.moment({"at": "soon"}, "at", "UTC") is None


def test_text_is_one_line_and_a_password_stays_as_it_was_typed() -> None:
    form = {"name": "  Rosa \r\n Alvarez\t", "password": "  two  spaces "}
    assert reading.text(form, "name") == "Rosa Alvarez"
    assert reading.raw(form, "password") == "  two  spaces "
    assert reading.raw({"x": "a" * 10_001}, "x") == "a" * 10_000


def test_a_form_key_is_the_forms_own_or_a_fresh_one() -> None:
    given = uuid4()
    assert reading.key({"key": str(given)}) == given
    assert isinstance(reading.key({"key": "x"}), UUID)


@pytest.mark.parametrize(
    ("wanted", "way"),
    [
        ("/p/0192a000-0000-7000-8000-000000000001/health", None),
        ("/staff/patients?q=al&state=bounced", None),
        ("/account", None),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/p/..//evil.example", "/"),
        ("/p/../logout", "/"),
        ("https://evil.example/p/x", "/"),
        ("/p/x\r\nSet-Cookie: a=b", "/"),
        ("/logout", "/"),
        ("/pwned", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_the_way_back_is_one_of_our_own_pages(wanted: str, way: str | None) -> None:
    request = make_mocked_request("GET", str(URL("/login").with_query(next=wanted)))
    assert reading.way_back(request) == (wanted if way is None else way)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Chromebook"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)  # fmt: skip
def test_a_session_names_its_browser_in_our_words_only(agent: str, device: str) -> None:
    request = make_mocked_request("GET", "/", headers={"User-Agent": agent})
    assert reading.device(request) == device
