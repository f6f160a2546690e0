"""What identity counts: who comes in and who does not, guessing, and the queue for hashing."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.runtime.metrics import QUICK
from services.identity.domain.throttle import Scope

LOGINS = Counter(
    "carespace_logins_total",
    "Log-ins: ok, failed, or the code of the refusal.",
    ("who", "outcome"),
)
LOCKOUTS = Counter(
    "carespace_lockouts_total",
    "Times that the last try was used up, by what is counted.",
    ("scope",),
)
HELD_BACK = Counter(
    "carespace_tries_held_back_total",
    "Tries turned away because none was left, by what is counted.",
    ("scope",),
)
HASHING = Gauge("carespace_argon2_under_way", "Passwords being hashed, or waiting for a core.")
HASHING_LIMIT = Gauge("carespace_argon2_limit", "How many of them there may be at once.")
HASHING_REFUSED = Counter(
    "carespace_argon2_refused_total", "Those told to come again because the queue was full."
)
HASHING_SECONDS = Histogram(
    "carespace_argon2_duration_seconds",
    "Time to hash a password, waiting for a core included.",
    buckets=QUICK,
)

PATIENT, STAFF = "patient", "staff"
OUTCOMES = (
    "ok",
    "failed",
    Refusal.NOT_RECOGNISED,
    Refusal.CODE_NEEDED,
    Refusal.TRY_LATER,
    Refusal.BUSY,
)
# What was never counted is there as 0, so that the first one is seen as a change.
for _who in (PATIENT, STAFF):
    for _outcome in OUTCOMES:
        LOGINS.labels(_who, _outcome)
for _scope in Scope:
    LOCKOUTS.labels(_scope)
    HELD_BACK.labels(_scope)


@contextmanager
def logging_in(who: str) -> Iterator[None]:
    """Count one log-in, and how it ended."""
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    except Refused as refused:
        outcome = refused.code
        raise
    finally:
        LOGINS.labels(who, outcome).inc()
