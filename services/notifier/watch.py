"""What the notifier counts of its letters, and of the events that nobody could do."""

from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

from libs.contracts.notifier import MailState
from libs.runtime import lifeline
from libs.runtime.clock import utcnow
from libs.runtime.database import POOL, transaction
from libs.runtime.gauges import Look, Reading
from libs.runtime.metrics import LONG
from services.notifier import store

WAITING = Gauge(
    "carespace_mail_waiting",
    "Letters owed: queued, or retrying because the other side put them off.",
    ("state",),
)
OVERDUE = Gauge(
    "carespace_mail_overdue_seconds",
    "How long the letter that is due the longest has been due; 0 if none is.",
)
OLDEST_RETRY = Gauge(
    "carespace_mail_oldest_retry_seconds",
    "How long the oldest letter that was put off has been owed; 0 if there is none.",
)
TRIES = Counter(
    "carespace_mail_tries_total", "Tries at a mail server, by how they ended.", ("outcome",)
)
SETTLED = Counter("carespace_mail_settled_total", "Letters that are owed no longer.", ("state",))
SECONDS = Histogram(
    "carespace_mail_try_duration_seconds", "Time of one try at a mail server.", buckets=LONG
)
DEAD_LETTERS = Gauge(
    "carespace_dead_letters",
    "Events of any service that a follower could not do: `carespace dead-letters list`.",
)
DEAD = "dead"
"""The stream that tells of them. We may ask how many there are, and not what they say."""

UNSETTLED = (MailState.QUEUED, MailState.RETRYING)
# What was never counted is there as 0, so that the first one is seen as a change.
for _state in MailState:
    if _state not in UNSETTLED:
        SETTLED.labels(_state)
for _state in (MailState.SENT, MailState.RETRYING, MailState.BOUNCED):
    TRIES.labels(_state)


async def _mail(app: web.Application) -> list[Reading]:
    async with transaction(app[POOL], worker="mail") as db:
        owed = await store.count_owed(db, now=utcnow())
    return [
        (WAITING, (MailState.QUEUED,), owed.queued),
        (WAITING, (MailState.RETRYING,), owed.retrying),
        (OVERDUE, (), owed.overdue),
        (OLDEST_RETRY, (), owed.oldest_retry),
    ]


async def _dead_letters(app: web.Application) -> list[Reading]:
    client = lifeline.connection(app[lifeline.LINE].broker)
    if client is None or not client.is_connected:
        raise ConnectionError
    found = await client.jetstream().stream_info(DEAD)
    return [(DEAD_LETTERS, (), found.state.messages)]


LOOKS = [
    Look(read=_mail, plain=(OVERDUE, OLDEST_RETRY), labelled=(WAITING,)),
    Look(read=_dead_letters, plain=(DEAD_LETTERS,)),
]
