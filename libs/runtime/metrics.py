"""What every part counts of itself, for Prometheus: docs/operating.md lists all of it.

Labels are routes, subjects, outcomes and the codes of refusals: each has as many values as our own
code has words for, and none is anybody's name, address or id.
"""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import cast

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from libs.runtime import background

# Else each counter has a second line, which says when it was first seen.
cast("Callable[[], None]", disable_created_metrics)()

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: the steps in which work that somebody waits for is told apart."""
LONG = (0.1, 0.5, 1, 5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
"""Seconds: the same for work that may have to wait."""
LOOK = 0.5
"""Seconds between looks at how late the event loop is."""

ASKS = Counter(
    "carespace_asks_total",
    "Requests asked: ok, refused (with its code), failed, unavailable, or broken_off.",
    ("subject", "outcome", "code"),
)
ASK_SECONDS = Histogram(
    "carespace_ask_duration_seconds",
    "Time from asking a service to its answer.",
    ("subject",),
    buckets=QUICK,
)
ANSWERS = Counter(
    "carespace_answers_total",
    "Requests answered: ok, refused (with its code), invalid, late, failed, or broken_off.",
    ("subject", "outcome", "code"),
)
ANSWER_SECONDS = Histogram(
    "carespace_answer_duration_seconds", "Time to answer a request.", ("subject",), buckets=QUICK
)
EVENTS = Counter(
    "carespace_events_total",
    "Events followed: ok, failed (it comes again), invalid or given_up (dead letters), broken_off.",
    ("subject", "outcome"),
)
EVENT_SECONDS = Histogram(
    "carespace_event_duration_seconds", "Time to do an event.", ("subject",), buckets=QUICK
)
EVENT_AGE = Histogram(
    "carespace_event_age_seconds",
    "Time from when NATS had an event to when it was done.",
    ("subject",),
    buckets=LONG,
)
OUTBOX = Gauge(
    "carespace_outbox_waiting", "Events announced and not yet carried to NATS, of all replicas."
)
OUTBOX_AGE = Gauge(
    "carespace_outbox_oldest_seconds",
    "How long the oldest of them has waited; 0 if there is none.",
)
PENDING = Gauge(
    "carespace_follower_pending", "Events that a follower has not begun.", ("stream", "consumer")
)
UNACKED = Gauge(
    "carespace_follower_unacked",
    "Events that a follower has begun and not done: under way, or to come again.",
    ("stream", "consumer"),
)
REDELIVERED = Gauge(
    "carespace_follower_redelivered",
    "Those of them that came more than once.",
    ("stream", "consumer"),
)
OLDEST_UNACKED = Gauge(
    "carespace_follower_oldest_unacked_seconds",
    "Age of the oldest event that failed here and is not done; 0 if there is none.",
    ("stream", "consumer"),
)
STANDING = Gauge(
    "carespace_follower_standing_seconds",
    "How long a follower has finished nothing while there is something to do; else 0.",
    ("stream", "consumer"),
)
DEPENDENCY = Gauge(
    "carespace_dependency_up", "Whether NATS and Postgres answer this replica.", ("dependency",)
)
POOL = Gauge("carespace_pool_connections", "Connections to Postgres: in_use, or idle.", ("state",))
POOL_LIMIT = Gauge("carespace_pool_limit", "Connections to Postgres that a replica may hold.")
POOL_WAIT = Histogram(
    "carespace_pool_wait_seconds", "Time that work waited for a connection.", buckets=QUICK
)
LOOP_LAG = Histogram(
    "carespace_event_loop_lag_seconds",
    "How late the event loop came to what was due.",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)


class Undone:
    """Events that failed here and are to come again, by follower: when NATS had each."""

    def __init__(self) -> None:
        self._stored_at: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)

    def failed(self, follower: tuple[str, str], sequence: int, *, stored_at: float) -> None:
        """This one comes again."""
        self._stored_at[follower][sequence] = stored_at

    def settled(self, follower: tuple[str, str], sequence: int) -> None:
        """This one doesn't, whether it was done or set aside."""
        self._stored_at[follower].pop(sequence, None)

    def oldest(self, follower: tuple[str, str], *, done_up_to: int) -> float:
        """Seconds since NATS had the oldest; another replica may have done those up to there."""
        events = self._stored_at[follower]
        for sequence in [sequence for sequence in events if sequence <= done_up_to]:
            del events[sequence]
        return max(0.0, time.time() - min(events.values())) if events else 0.0


UNDONE = Undone()
FAILURES = {
    ASKS: ("failed", "unavailable"),
    ANSWERS: ("failed", "late", "invalid"),
    EVENTS: ("failed", "given_up", "invalid"),
}
CODE = re.compile(r"[a-z_]{1,40}")


class Outcome:
    """How work ended; fine unless somebody says otherwise."""

    def __init__(self) -> None:
        self.word = "ok"
        self.code = ""

    def said(self, word: str, code: str = "") -> None:
        """The word for it, and the code of a refusal: what is no code of ours is not repeated."""
        self.word, self.code = word, code if not code or CODE.fullmatch(code) else "other"


@contextmanager
def asking(subject: str) -> Iterator[Outcome]:
    """Count one request that we ask, and its time."""
    yield from _timed(subject, ASKS, ASK_SECONDS)


@contextmanager
def answering(subject: str) -> Iterator[Outcome]:
    """Count one request that we answer, and its time."""
    yield from _timed(subject, ANSWERS, ANSWER_SECONDS)


@cache
def _expected(counter: Counter, *labels: tuple[str, ...]) -> None:
    """These are there as 0 from now on, so that the first of them is seen as a change."""
    for each in labels:
        counter.labels(*each)


def _timed(subject: str, counter: Counter, histogram: Histogram) -> Iterator[Outcome]:
    _expected(counter, *((subject, word, "") for word in FAILURES[counter]))
    outcome, start = Outcome(), time.perf_counter()
    try:
        yield outcome
    except BaseException:
        if outcome.word == "ok":
            outcome.said("broken_off")
        raise
    finally:
        histogram.labels(subject).observe(time.perf_counter() - start)
        counter.labels(subject, outcome.word, outcome.code).inc()


@contextmanager
def following(subject: str, *, stored_at: float) -> Iterator[Outcome]:
    """Count one event that we follow, its time, and once it is done, how long it was on its way."""
    _expected(EVENTS, *((subject, word) for word in FAILURES[EVENTS]))
    outcome, start = Outcome(), time.perf_counter()
    try:
        yield outcome
    except BaseException:
        if outcome.word == "ok":
            outcome.said("broken_off")
        raise
    finally:
        EVENT_SECONDS.labels(subject).observe(time.perf_counter() - start)
        EVENTS.labels(subject, outcome.word).inc()
        if outcome.word == "ok":
            EVENT_AGE.labels(subject).observe(max(0.0, time.time() - stored_at))


@asynccontextmanager
async def loop_watched(_: web.Application) -> AsyncIterator[None]:
    """How late the event loop is, looked at for as long as the application runs."""
    task = asyncio.create_task(_watch_the_loop())
    yield
    await background.end(task)


async def _watch_the_loop() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOK
        await asyncio.sleep(LOOK)
        LOOP_LAG.observe(max(0.0, loop.time() - due))
