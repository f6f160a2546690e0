"""What every template may use, and what stands around a page."""

import re
from dataclasses import replace

import pytest
from aiohttp.test_utils import make_mocked_request
from jinja2 import UndefinedError

from gateway import protection, rendering
from gateway.enrolment import one_time_key
from gateway.qr import qr
from gateway.rendering import NOTICE_COOKIE, Chrome, Notice, here, render, url
from libs.contracts.records.health import Health
from tests.gateway import samples
from tests.gateway.gallery import ORIGIN, PAGES, application, html

ENROLMENT = "otpauth://totp/CareSpace:nurse%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=CareSpace"


@pytest.mark.parametrize(
    "asked", ["/p/1/health?q=2", "//evil.example/x", "///evil.example", "/\\evil.example", "/"]
)
def test_a_page_links_to_itself_and_never_to_another_site(asked: str) -> None:
    path = here(make_mocked_request("GET", asked, app=application()))

    assert re.fullmatch(r"/([^/\\?].*)?", path)


def test_an_address_leaves_out_what_is_empty_of_its_query() -> None:
    router = application().router

    assert url(router, "emails", query={"state": "", "after": None}) == "/staff/emails"
    assert url(router, "emails", query={"state": "a b&c"}) == "/staff/emails?state=a+b%26c"
    assert url(router, "test", patient=samples.PATIENT, code="a b") == (
        f"/p/{samples.PATIENT}/health/labs/a%20b"
    )


def test_what_a_template_needs_and_does_not_get_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError):
        html(replace(PAGES["health"], content={}))


def test_a_name_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendering.ENVIRONMENT.from_string("{{ missing }}").render()


def test_each_form_of_a_page_has_a_key_of_its_own() -> None:
    page = html(PAGES["staff-patient"])
    keys = page.split(f'name="{protection.IDEMPOTENCY_FIELD}" value="')[1:]

    assert len(keys) > 2
    assert len({key[:36] for key in keys}) == len(keys)


def test_a_notice_is_said_once() -> None:
    headers = {"Cookie": f"{NOTICE_COOKIE}=resent"}
    request = make_mocked_request("GET", "/", app=application(), headers=headers)
    content = PAGES["forgot-password"].content

    said = render(
        request, "door/forgot_password.html", Chrome(notice=Notice(text="Done.")), **content
    )
    unsaid = render(request, "door/forgot_password.html", Chrome(), **content)

    assert said.cookies[NOTICE_COOKIE]["max-age"] == "0"
    assert NOTICE_COOKIE not in unsaid.cookies


def test_a_page_about_a_record_learns_whose_it_is_from_the_reply() -> None:
    nobody_yet = samples.record(patient=None)

    assert nobody_yet.about(samples.HEALTH).name == "Rosa Alvarez"
    assert nobody_yet.about(None).name == ""
    assert isinstance(samples.HEALTH, Health)


def test_without_a_practice_times_are_utc() -> None:
    assert Chrome().time_zone == "UTC"
    assert samples.record().time_zone == "America/Denver"


def test_an_error_page_says_the_number_of_the_request() -> None:
    for status in (400, 403, 404, 409, 413, 429, 500, 503):
        assert "0192a0000000700080000000000000aa" in html(PAGES[f"error-{status}"])


def test_a_one_time_key_can_be_scanned_and_typed() -> None:
    drawn = str(qr(ENROLMENT, "The key as a picture"))

    assert one_time_key(ENROLMENT) == "JBSW Y3DP EHPK 3PXP"
    assert drawn.startswith('<svg role="img" aria-label="The key as a picture"')
    assert "style=" not in drawn
    assert one_time_key("otpauth://totp/x") == ""


def test_the_proof_of_a_form_belongs_to_its_browser() -> None:
    def proof_of(cookie: str) -> str:
        request = make_mocked_request(
            "GET", "/", app=application(), headers={"Cookie": f"{protection.VISIT_COOKIE}={cookie}"}
        )
        return str(rendering.csrf_field(request))

    assert proof_of("one") == proof_of("one") != proof_of("two")
    assert ORIGIN not in proof_of("one")
