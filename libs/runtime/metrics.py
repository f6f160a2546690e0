"""What a service counts of itself, for Prometheus. Labels are subjects and outcomes, never ids."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

ANSWERED = Counter("carespace_answered_total", "Messages handled.", ("subject", "outcome"))
SECONDS = Histogram(
    "carespace_answer_seconds",
    "Time to handle a message.",
    ("subject",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
OUTBOX = Gauge("carespace_outbox_waiting", "Events announced and not yet carried to NATS.")


class Outcome:
    """How the handling of a message ended; fine unless somebody says otherwise."""

    def __init__(self) -> None:
        self.word = "ok"

    def said(self, word: str) -> None:
        self.word = word


@contextmanager
def answering(subject: str) -> Iterator[Outcome]:
    """Count one message and its time."""
    outcome, start = Outcome(), time.perf_counter()
    try:
        yield outcome
    finally:
        SECONDS.labels(subject).observe(time.perf_counter() - start)
        ANSWERED.labels(subject, outcome.word).inc()
