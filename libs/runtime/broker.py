"""NATS: how a service answers and follows, and how anyone asks.

FastStream's and nats-py's own settings lose or wedge under fault. Each setting here is one of the
defences measured for that; `libs.runtime.lifeline` has those that need a watcher.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Annotated, Any, ParamSpec, TypeVar, cast

import fast_depends.exceptions
import nats.errors
import pydantic
import structlog
from aiohttp import web
from faststream import AckPolicy, BaseMiddleware, StreamMessage
from faststream.exceptions import NackMessage, RejectMessage
from faststream.message import SourceType
from faststream.nats import JStream, NatsBroker, NatsResponse, NatsRouter, PullSub
from nats.aio.client import Client
from nats.aio.msg import Msg

from libs.contracts.base import TRIES, Event, R, Refused, Request, owner, phrase
from libs.runtime import lifeline, metrics, tracing, trust
from libs.runtime.context import Context
from libs.runtime.database import POOL
from libs.runtime.logs import REQUEST_ID, describe

BROKER = web.AppKey("broker", NatsBroker)
REFUSED = "Refused"
FAILED = "Failed"
DEADLINE = "Deadline"
REQUEST_ID_HEADER = "Request-Id"

WITHIN = 3.0
"""Seconds a request may take, unless its asker says otherwise."""
BEGINNING = 30.0
"""Seconds that NATS may take to say which streams and consumers there are, as a part begins."""
PAUSES = (1, 5, 30, 120, 600)
"""Seconds before an event is delivered again, by how often it was already."""
WORKERS = 32
"""Requests of one kind that a replica answers at the same time."""

EXPIRES: ContextVar[float | None] = ContextVar("expires", default=None)
"""When whoever waits for this work gives up, in Unix seconds; asks made on the way inherit it."""

Asking = Annotated[NatsBroker, Context("broker")]
"""A handler's way to ask another service; never inside a transaction."""

C = TypeVar("C", Request[Any], Event)
P = ParamSpec("P")
log = structlog.get_logger()


class Unavailable(Exception):
    """Nobody answered, or not in time, or what answered was broken."""

    def __init__(self, subject: str, why: str) -> None:
        super().__init__(subject)
        self.why = why


def answers(
    router: NatsRouter, request: type[Request[R]], *, workers: int = WORKERS
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """`@answers(router, LogIn)`: the handler of a request. One replica answers, many at a time."""
    subscriber: Any = router.subscriber(
        request.subject,
        queue=owner(request),
        max_workers=workers,
        pending_msgs_limit=1000,
        decoder=_decoder(request),
    )
    return cast("Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]", subscriber)


def follows(
    router: NatsRouter, event: type[Event], *, by: str
) -> Callable[[Callable[P, Awaitable[None]]], Callable[P, Awaitable[None]]]:
    """`@follows(router, LetterDue, by="notifier")`: a durable consumer, one event at a time."""
    subscriber: Any = router.subscriber(
        event.subject,
        stream=JStream(owner(event), declare=False),
        durable=f"{by}-{phrase(event)}",
        pull_sub=PullSub(batch_size=1, timeout=5),
        inbox_prefix=f"_INBOX_{by}.".encode(),
        no_reply=True,
        decoder=_decoder(event),
    )
    return cast(
        "Callable[[Callable[P, Awaitable[None]]], Callable[P, Awaitable[None]]]", subscriber
    )


async def ask(broker: NatsBroker, request: Request[R], *, within: float = WITHIN) -> R:
    """The reply to a request, or `Refused` for a no, or `Unavailable` for silence."""
    subject = request.subject
    with metrics.asking(subject) as outcome, tracing.span(f"ask {subject}", "client") as span:
        try:
            answered = await _carried(broker, request, within)
        except Unavailable as silence:
            outcome.said("unavailable")
            span.failed("unavailable")
            log.warning("a request got no answer", subject=subject, why=silence.why)
            raise
        headers = answered.headers or {}
        if failed := headers.get(FAILED):
            outcome.said("failed")
            span.failed(failed)
            log.warning("a request could not be answered", subject=subject, why=failed)
            raise Unavailable(subject, failed)
        if code := headers.get(REFUSED):
            outcome.said("refused", code)
            span.said("carespace.refused", code)
            raise Refused(code)
    return request.reply().model_validate_json(answered.data)


async def _carried(broker: NatsBroker, request: Request[R], within: float) -> Msg:
    """The question with what belongs to it, and its answer as it came."""
    now = time.time()
    expires = min(now + within, EXPIRES.get() or now + within)
    connection = lifeline.connection(broker)
    if connection is None or not connection.is_connected:
        raise Unavailable(request.subject, "not connected")
    headers = {
        DEADLINE: f"{expires:.3f}",
        REQUEST_ID_HEADER: REQUEST_ID.get() or "-",
        **tracing.carried(),
    }
    body = request.model_dump_json().encode()
    return await _asked(connection, request.subject, body, headers, expires)


async def _asked(
    connection: Client, subject: str, body: bytes, headers: dict[str, str], expires: float
) -> Msg:
    """The answer; asked again only where nobody got the question."""
    tries = 4
    while True:
        tries -= 1
        try:
            return await connection.request(
                subject, body, timeout=max(expires - time.time(), 0.01), headers=headers
            )
        except nats.errors.NoRespondersError:
            if not tries:
                raise Unavailable(subject, "nobody listens") from None
            await asyncio.sleep(0.05)
        except (nats.errors.Error, OSError) as error:
            raise Unavailable(subject, type(error).__name__) from None


class Deliver(BaseMiddleware):
    """Every request is answered; every event is done, or comes again later, or is set aside.

    A request's failure travels as a header. An event that fails comes again after a pause that
    grows; one that can't be read is set aside at once, among the dead letters. Nothing of either
    reaches the log but its kind.
    """

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[Any]], Awaitable[Any]], msg: StreamMessage[Any]
    ) -> Any:
        if msg.source_type is SourceType.RESPONSE:
            return await call_next(msg)
        if (msg.raw_message.reply or "").startswith("$JS.ACK"):
            return await self._follow(call_next, msg)
        return await self._answer(call_next, msg)

    async def _answer(
        self, call_next: Callable[[StreamMessage[Any]], Awaitable[Any]], msg: StreamMessage[Any]
    ) -> NatsResponse:
        subject = msg.raw_message.subject
        REQUEST_ID.set(msg.headers.get(REQUEST_ID_HEADER, ""))
        expires = float(msg.headers.get(DEADLINE) or time.time() + WITHIN)
        EXPIRES.set(expires)
        with (
            tracing.span(f"answer {subject}", "server", came_with=msg.headers) as span,
            metrics.answering(subject) as outcome,
        ):
            try:
                left = expires - time.time()
                if left <= 0:
                    raise TimeoutError
                async with asyncio.timeout(left):
                    reply = await call_next(msg)
            except Refused as refused:
                outcome.said("refused", refused.code)
                span.said("carespace.refused", outcome.code)
                return NatsResponse(b"", headers={REFUSED: refused.code})
            except UNREADABLE:
                outcome.said("invalid")
                span.failed("invalid")
                log.error("a request can't be read", subject=subject)
                return NatsResponse(b"", headers={FAILED: "invalid"})
            except TimeoutError:
                outcome.said("late")
                span.failed("late")
                log.warning("a request took too long", subject=subject)
                return NatsResponse(b"", headers={FAILED: "late"})
            except Exception as error:  # noqa: BLE001  (the asker is told, whatever it was)
                outcome.said("failed")
                span.failed(type(error).__name__)
                log.error("a request failed", subject=subject, **describe(error))
                return NatsResponse(b"", headers={FAILED: "internal"})
            return NatsResponse(reply.model_dump_json().encode() if reply is not None else b"{}")

    async def _follow(
        self, call_next: Callable[[StreamMessage[Any]], Awaitable[Any]], msg: StreamMessage[Any]
    ) -> Any:
        subject, about = msg.raw_message.subject, msg.raw_message.metadata
        follower, sequence = (about.stream, about.consumer), about.sequence.stream
        stored_at = about.timestamp.timestamp()
        EXPIRES.set(None)
        REQUEST_ID.set(msg.headers.get(REQUEST_ID_HEADER, ""))
        with (
            tracing.span(f"follow {subject}", "consumer", came_with=msg.headers) as span,
            metrics.following(subject, stored_at=stored_at) as outcome,
        ):
            metrics.UNDONE.settled(follower, sequence)
            try:
                return await call_next(msg)
            except (NackMessage, RejectMessage):
                raise
            except UNREADABLE:
                outcome.said("invalid")
                span.failed("invalid")
                log.error("an event can't be read and is set aside", subject=subject)
                raise RejectMessage from None
            except Exception as error:  # noqa: BLE001  (it comes again, whatever it was)
                span.failed(type(error).__name__)
                if about.num_delivered < TRIES:
                    outcome.said("failed")
                    metrics.UNDONE.failed(follower, sequence, stored_at=stored_at)
                else:
                    outcome.said("given_up")
                pause = PAUSES[min(about.num_delivered, len(PAUSES)) - 1]
                log.warning("an event failed", subject=subject, again_in=pause, **describe(error))
                raise NackMessage(delay=pause) from None


UNREADABLE = (
    fast_depends.exceptions.ValidationError,
    pydantic.ValidationError,
    json.JSONDecodeError,
    UnicodeDecodeError,
)


def connected(
    service: str,
    url: str,
    credentials: str,
    *routers: NatsRouter,
    ca: str = "",
    context: Mapping[str, object] | None = None,
) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """The application holds a broker; its routers listen from when it is ready until it stops.

    It comes up without NATS as well, and is ready as soon as that is there.
    """

    @asynccontextmanager
    async def running(app: web.Application) -> AsyncIterator[None]:
        broker = NatsBroker(
            url.split(","),
            security=trust.security(url, credentials, ca),
            name=service,
            inbox_prefix=f"_INBOX_{service}",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            middlewares=[Deliver],
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=2,
            ping_interval=5,
            max_outstanding_pings=2,
            js_options={"timeout": BEGINNING},
            graceful_timeout=20,
            closed_cb=lifeline.end,
            logger=None,
        )
        for name, value in (context or {}).items():
            broker.context.set_global(name, value)
        if POOL in app:
            broker.context.set_global("pool", app[POOL])
        broker.include_routers(*routers)
        app[BROKER] = broker
        async with lifeline.kept(broker, service) as line:
            app[lifeline.LINE] = line
            yield

    return running


def _decoder(contract: type[C]) -> Callable[[StreamMessage[Any]], Awaitable[C]]:
    async def decode(message: StreamMessage[Any]) -> C:
        return contract.model_validate_json(message.body)

    return decode
