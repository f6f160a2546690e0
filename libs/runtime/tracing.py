"""Traces: which parts a request went through, and how long each took. Off unless told where to.

OpenTelemetry is imported only when it is switched on. A span has the name of a route or a subject,
the request's id, how it ended, and nothing else: no body, no header, no path, no message of an
exception, nobody's id.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from libs.runtime.logs import REQUEST_ID

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

HEADER = "traceparent"
"""What carries a trace from one part to the next (W3C Trace Context)."""
STANDARD = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own setting, for those who set it for everything on a host."""
SEND_WITHIN = 3
"""Seconds for one batch; what a collector does not take by then is dropped."""

Kind: TypeAlias = Literal["server", "client", "consumer"]


class Span:
    """A piece of work while it goes on. This one is of a trace that nobody keeps."""

    def said(self, name: str, value: str | int) -> None:
        """How it went: a word of ours, or a number."""

    def failed(self, kind: str) -> None:
        """It failed, and this is the kind of failure."""


class _Kept(Span):
    def __init__(self, span: Any) -> None:
        self._span = span

    def said(self, name: str, value: str | int) -> None:
        self._span.set_attribute(name, value)

    def failed(self, kind: str) -> None:
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR))


class _Tracing:
    """OpenTelemetry, with only what we use of it."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.context import Context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self.provider = provider
        self._tracer = provider.get_tracer("carespace")
        self._propagator = TraceContextTextMapPropagator()
        self._nothing = Context
        self._kinds = {
            "server": trace.SpanKind.SERVER,
            "client": trace.SpanKind.CLIENT,
            "consumer": trace.SpanKind.CONSUMER,
        }

    @contextmanager
    def span(self, name: str, kind: Kind, came_with: Mapping[str, str] | None) -> Iterator[Span]:
        context = None
        if came_with is not None:
            given = {HEADER: came_with.get(HEADER, "")}
            context = self._propagator.extract(given, self._nothing())
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=self._kinds[kind],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            kept = _Kept(span)
            if request_id := REQUEST_ID.get():
                kept.said("carespace.request_id", request_id)
            yield kept

    def carried(self) -> dict[str, str]:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier)
        return {HEADER: carrier[HEADER]} if HEADER in carrier else {}


_NOBODY = Span()
_on: _Tracing | None = None


@contextmanager
def span(name: str, kind: Kind, *, came_with: Mapping[str, str] | None = None) -> Iterator[Span]:
    """A piece of work: part of the one around it, or of the one whose headers it came with."""
    if _on is None:
        yield _NOBODY
        return
    with _on.span(name, kind, came_with) as kept:
        yield kept


def carried() -> dict[str, str]:
    """What goes along with a request or an event, so that the next part goes on with the trace."""
    return _on.carried() if _on else {}


@contextmanager
def sent(service: str, endpoint: str) -> Iterator[None]:
    """Traces go there, by OTLP over HTTP, until this is left; with no address there are none."""
    if not endpoint:
        yield
        return
    with _kept_by(_provider(service, endpoint)):
        yield


@contextmanager
def _kept_by(provider: "TracerProvider") -> Iterator[None]:
    global _on  # noqa: PLW0603  (a process has one tracer, as it has one log)
    before, _on = _on, _Tracing(provider)
    try:
        yield
    finally:
        _on = before
        provider.shutdown()


def _provider(service: str, endpoint: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    logging.getLogger("opentelemetry").setLevel(
        logging.CRITICAL
    )  # it repeats what a collector says
    provider = TracerProvider(
        resource=Resource({"service.name": service, "service.namespace": "carespace"}),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_WITHIN)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
