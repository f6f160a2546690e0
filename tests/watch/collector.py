"""Somebody who takes traces, by OTLP over HTTP, and keeps every byte."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, kw_only=True)
class Span:
    """One piece of work, as it was exported."""

    part: str
    name: str
    trace: bytes
    id: bytes
    parent: bytes
    attributes: dict[str, str]
    events: int
    message: str


class Collector:
    """What came."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    def spans(self) -> list[Span]:
        return [span for body in list(self.bodies) for span in _read(body)]

    def traced(self, request_id: str) -> list[Span]:
        """Everything that was done for a request of the gateway."""
        return [
            span
            for span in self.spans()
            if span.attributes.get("carespace.request_id") == request_id
        ]


def _read(body: bytes) -> Iterator[Span]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    part=about["service.name"],
                    name=span.name,
                    trace=span.trace_id,
                    id=span.span_id,
                    parent=span.parent_span_id,
                    attributes={pair.key: pair.value.string_value for pair in span.attributes},
                    events=len(span.events),
                    message=span.status.message,
                )


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens for as long as this is open."""
    collector = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            collector.bodies.append(self.rfile.read(length))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing: whoever reads the test's output wants to read of the test."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
