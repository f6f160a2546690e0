"""What a span tells of work that goes well, is refused, or fails; and that logs go on as traces do."""

import asyncio
import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway import watch
from libs.contracts.base import Refused
from libs.contracts.messaging.queue import CountWaiting
from libs.contracts.records.patients import InvitationWanted
from libs.runtime import logs, tracing
from libs.runtime.broker import Unavailable, ask
from tests import parts
from tests.runtime.announcing import announce
from tests.runtime.test_answering import Queues, app
from tests.runtime.test_following import following, wanted
from tests.servers import Servers
from tests.waiting import until

CANARY = "canary-7f3a"
STRANGERS = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """Traces are on, and stay here."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with tracing._kept_by(provider):
        yield exporter


def named(exported: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exported.get_finished_spans() if span.name == name]


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_failure_is_told_by_its_kind_and_nothing_of_its_message(
    servers: Servers, exported: InMemorySpanExporter
) -> None:
    async with parts.running(app(servers, Queues())), parts.asking(servers) as gateway:
        with pytest.raises(Unavailable):
            await ask(gateway, CountWaiting(visa=f"fail {CANARY}"))
        with pytest.raises(Refused):
            await ask(gateway, CountWaiting(visa="refuse"))
        await until(lambda: len(named(exported, f"answer {CountWaiting.subject}")) == 2)
    failed, refused = named(exported, f"answer {CountWaiting.subject}")
    assert attributes(failed)["error.type"] == "RuntimeError"
    assert not failed.status.is_ok
    assert attributes(refused)["carespace.refused"] == "no_mailbox"
    assert refused.status.is_unset
    asked, _ = named(exported, f"ask {CountWaiting.subject}")
    assert asked.context
    assert failed.parent
    assert failed.parent.span_id == asked.context.span_id
    told = "".join(span.to_json() for span in exported.get_finished_spans())
    assert CANARY not in told
    assert all(not span.events for span in exported.get_finished_spans())


async def test_an_event_that_fails_stays_in_the_trace_and_in_the_log_of_its_request(
    clean: Servers, exported: InMemorySpanExporter, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("identity")
    request_id = uuid4().hex
    tried = asyncio.Event()

    async def hear(_: InvitationWanted) -> None:
        tried.set()
        raise RuntimeError(CANARY)

    async with parts.running(following(clean, hear), parts.relay(clean, "records")):
        logs.REQUEST_ID.set(request_id)
        with tracing.span("the request", "server", came_with={}):
            await announce(clean, wanted())
        logs.REQUEST_ID.set("")
        await tried.wait()
        name = f"follow {InvitationWanted.subject}"
        await until(lambda: named(exported, name))
    [request], [followed, *_] = named(exported, "the request"), named(exported, name)
    assert request.context
    assert followed.context
    assert followed.context.trace_id == request.context.trace_id
    assert attributes(followed) == {
        "carespace.request_id": request_id,
        "error.type": "RuntimeError",
    }
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    failure, *_ = [line for line in lines if line["event"] == "an event failed"]
    assert failure["request_id"] == request_id
    assert CANARY not in followed.to_json()


async def test_a_trace_that_a_browser_claims_is_not_believed(
    exported: InMemorySpanExporter,
) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=tracing.carried()[tracing.HEADER])

    portal = web.Application(middlewares=[watch.counted])
    portal.router.add_get("/p/{patient}", page)
    async with TestClient(TestServer(portal)) as client:
        answer = await client.get(
            f"/p/{CANARY}?x={CANARY}",
            headers={"traceparent": STRANGERS, "baggage": f"a={CANARY}", "tracestate": "a=b"},
        )
        carried = await answer.text()
    [span] = exported.get_finished_spans()
    assert span.parent is None
    assert span.context
    assert f"{span.context.trace_id:032x}" in carried
    assert "1111111111" not in carried
    assert CANARY not in span.to_json()


async def test_a_collector_that_is_away_holds_nobody_up() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with tracing.sent("gateway", "http://127.0.0.1:9"):
        with tracing.span("work", "server", came_with={}) as span:
            span.said("http.route", "/")
        assert loop.time() - began < 2
    assert loop.time() - began < tracing.SEND_WITHIN + 5
    assert tracing.carried() == {}
