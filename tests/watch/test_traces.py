"""One request is one trace, through every part that it goes through; and nobody is in it."""

import subprocess
import sys

from tests.waiting import until_now
from tests.watch.collector import Span
from tests.watch.conftest import CANARY, NURSE, ROSA, Watched

ALLOWED = {
    *("carespace.request_id", "carespace.refused", "error.type"),
    *("http.route", "http.response.status_code"),
}
NAMES = ("Rosa", "Alvarez", "Kowalski", "Lakeside", "Hemoglobin", "1961", "Portal-Demo")


def named(spans: list[Span]) -> set[tuple[str, str]]:
    return {(span.part, span.name) for span in spans}


def test_a_page_is_one_trace_through_gateway_and_services(watched: Watched) -> None:
    request_id = watched.requests["health"]

    def whole() -> list[Span]:
        spans = watched.collector.traced(request_id)
        return spans if {"gateway", "identity", "records"} <= {s.part for s in spans} else []

    spans = until_now(whole)
    assert len({span.trace for span in spans}) == 1
    [first] = [span for span in spans if not span.parent]
    assert (first.part, first.name) == ("gateway", "GET /p/{patient}/health")
    assert first.attributes["http.response.status_code"] == "200"
    assert {span.parent for span in spans} - {b""} <= {span.id for span in spans}
    everything = [span for span in watched.collector.spans() if span.trace == first.trace]
    assert {span.id for span in everything} == {span.id for span in spans}


def test_a_trace_goes_on_with_the_events_that_a_request_brought_about(watched: Watched) -> None:
    request_id = watched.requests["add"]

    def followed() -> list[Span]:
        spans = watched.collector.traced(request_id)
        wanted = {
            ("records", "answer request.records.add_patient"),
            ("identity", "follow event.records.invitation_wanted"),
            ("notifier", "follow event.identity.letter_due"),
        }
        begun = [span for span in spans if not span.parent]  # it is sent last
        return spans if begun and wanted <= named(spans) else []

    spans = until_now(followed, within=30)
    assert len({span.trace for span in spans}) == 1
    assert [span.part for span in spans if not span.parent] == ["gateway"]


def test_an_address_that_no_page_has_is_not_in_its_trace(watched: Watched) -> None:
    spans = until_now(lambda: watched.collector.traced(watched.requests["lost"]))
    assert named(spans) == {("gateway", "GET none")}


def test_nobody_is_in_any_byte_that_left(watched: Watched) -> None:
    until_now(lambda: watched.collector.traced(watched.requests["lost"]))
    exported = b"".join(watched.collector.bodies)
    for private in (CANARY, ROSA, NURSE, watched.patient, *NAMES):
        assert private.encode() not in exported, private
    spans = watched.collector.spans()
    assert len(spans) > 50
    assert set().union(*(span.attributes for span in spans)) <= ALLOWED
    assert {(span.events, span.message) for span in spans} == {(0, "")}


def test_nothing_of_opentelemetry_is_loaded_where_traces_are_off() -> None:
    modules = "gateway.__main__, " + ", ".join(
        f"services.{name}.__main__"
        for name in ("identity", "records", "messaging", "delegation", "notifier")
    )
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                f"import sys, {modules}\n"
                "from libs.runtime import tracing\n"
                "with tracing.sent('gateway', ''), tracing.span('x', 'server') as span:\n"
                "    span.said('a', 1); span.failed('b'); assert tracing.carried() == {}\n"
                "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.trace', 'google', 'requests'))])"
            ),
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout == "[]\n"
