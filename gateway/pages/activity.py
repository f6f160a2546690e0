"""Activity: who did what with a record; on a page, and as files that can be checked."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from aiohttp import web

from gateway import activity, ahead, files, reading, session, shell
from gateway.protection import HEADERS
from gateway.rendering import render
from gateway.wording import zone_named
from libs.contracts.base import Refused
from libs.contracts.identity.sharing import ListDelegateInvitations
from libs.contracts.records.activity import ActivityPart, Entry, ListActivity, ReadActivity
from libs.contracts.visa import Capacity
from libs.runtime.broker import BROKER, EXPIRES, Unavailable, ask
from libs.runtime.clock import utcnow

FORMAT = "carespace-activity-1"
"""What docs/activity.md calls the form of the JSON file."""
COLUMNS = (
    "at", "sentence", "number", "actor_name", "capacity", "act", "subject", "reason", "actor_id",
    "practice_id", "patient_id", "previous", "hash",
)  # fmt: skip
NOBODY = UUID(int=0)
"""In a file, nobody is "you"."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet might calculate with; such a cell gets an apostrophe before it."""

routes = web.RouteTableDef()


@routes.get("/p/{patient}/activity", name="activity")
async def page(request: web.Request) -> web.Response:
    """The log by day, the newest first; by person, kind and time."""
    acting = await _own(request)
    zone = await _zone(request, acting)
    kind = reading.text(request.query, "kind")
    start, end = reading.day(request.query, "from"), reading.day(request.query, "to")
    asked = ListActivity(
        visa=acting.visa,
        patient_id=acting.patient_id,
        actor_id=_id(reading.text(request.query, "person")),
        acts=activity.KINDS[kind][1] if kind in activity.KINDS else frozenset(),
        start=_midnight(start, zone),
        end=_midnight(end + timedelta(days=1), zone) if end else None,
        after=_number(reading.text(request.query, "after")),
    )
    chrome, shown, people = await asyncio.gather(
        shell.record(request, acting, tab="", named=True),
        ask(request.app[BROKER], asked),
        _people(request, acting),
    )
    you, practice = (
        acting.person.session.account_id,
        chrome.practice.name if chrome.practice else "",
    )
    return render(
        request,
        "activity/index.html",
        chrome,
        days=activity.by_day(shown.entries, you=you, practice=practice, people=people, zone=zone),
        actors=[
            (actor.actor_id, activity.called(actor, you=you, practice=practice))
            for actor in shown.actors
        ],
        kinds={value: words for value, (words, _) in activity.KINDS.items()},
        query=request.query,
        after=shown.after,
    )


@routes.get("/p/{patient}/activity.csv", name="activity_csv")
async def as_csv(request: web.Request) -> web.StreamResponse:
    """The whole log as a table."""
    first, people = await _asked(request)

    async def lines() -> AsyncGenerator[bytes, None]:
        yield _row(COLUMNS)
        async for entry in _whole(request, first):
            told = _told(request, first, entry, people)
            yield _row([str(told[column]) for column in COLUMNS])

    return await _handed(request, "csv", "text/csv; charset=utf-8", lines())


@routes.get("/p/{patient}/activity.json", name="activity_json")
async def as_json(request: web.Request) -> web.StreamResponse:
    """The whole log, with how it ends, so that nobody can cut it short unseen."""
    first, people = await _asked(request)
    head = {
        "format": FORMAT,
        "last_number": first.last_number,
        "last_hash": first.last_hash,
        "downloaded_at": _moment(utcnow()),
    }

    async def parts() -> AsyncGenerator[bytes, None]:
        yield (json.dumps(head)[:-1] + ', "entries": [').encode()
        between = "\n"
        async for entry in _whole(request, first):
            told = json.dumps(_told(request, first, entry, people), ensure_ascii=False)
            yield (between + told).encode()
            between = ",\n"
        yield b"\n]}\n"

    return await _handed(request, "json", "application/json", parts())


async def _own(request: web.Request) -> session.Acting:
    """The patient, on their own record: whoever else acts on it stands in the log, no more."""
    acting = await session.acting(request)
    if acting.access.capacity is not Capacity.SELF:
        raise web.HTTPNotFound
    return acting


async def _zone(request: web.Request, acting: session.Acting) -> str:
    """The practice's; a day is a day there."""
    try:
        return (await session.practice(request, acting.access.practice_id)).time_zone
    except (Unavailable, Refused):
        return "UTC"


async def _people(request: web.Request, acting: session.Acting) -> Mapping[str, str]:
    """Whom the patient invited, by the invitation's id; the log does without them."""
    asked = ListDelegateInvitations(visa=acting.visa, patient_id=acting.patient_id)
    try:
        listed = (await ask(request.app[BROKER], asked)).invitations
    except (Unavailable, Refused):
        return {}
    return {str(one.invitation_id): one.name or one.email for one in listed}


async def _asked(request: web.Request) -> tuple[ActivityPart, Mapping[str, str]]:
    """The first part of the log, and whom it names by an invitation."""
    acting = await _own(request)
    return await asyncio.gather(_part(request, 0), _people(request, acting))


async def _part(request: web.Request, number: int) -> ActivityPart:
    """What follows on this entry, with a visa that holds at that moment."""
    acting = await _own(request)
    asked = ReadActivity(visa=acting.visa, patient_id=acting.patient_id, number=number)
    return await ask(request.app[BROKER], asked, within=10)


async def _whole(request: web.Request, first: ActivityPart) -> AsyncIterator[Entry]:
    """Every entry up to the one that was the last as the download began."""
    part = first
    while part.entries:
        for entry in part.entries:
            if entry.number <= first.last_number:
                yield entry
        if (number := part.entries[-1].number) >= first.last_number:
            return
        part = await _part(request, number)


async def _handed(
    request: web.Request, ending: str, media_type: str, content: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    EXPIRES.set(None)  # a long log on a slow line takes its time; each part has its own
    response = web.StreamResponse()
    name = f"activity-{utcnow():%Y-%m-%d}.{ending}"
    response.headers.update(HEADERS | files.attachment(name) | {"Content-Type": media_type})
    return await ahead.flow(request, response, content)


def _told(
    request: web.Request, part: ActivityPart, entry: Entry, people: Mapping[str, str]
) -> dict[str, str | int]:
    """One entry with all that its hash is made of, and in words."""
    written = activity.line([entry], you=NOBODY, practice="", people=people)
    return {
        "at": _moment(entry.at),
        "sentence": written.sentence(),
        "number": entry.number,
        "actor_name": entry.actor_name,
        "capacity": entry.capacity,
        "act": entry.act,
        "subject": entry.subject,
        "reason": entry.reason,
        "actor_id": str(entry.actor_id),
        "practice_id": str(part.practice_id),
        "patient_id": str(reading.path_id(request, "patient")),
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _moment(at: datetime) -> str:
    """A time as it is hashed."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _row(cells: list[str] | tuple[str, ...]) -> bytes:
    """One line of CSV (RFC 4180), none of whose cells is a formula."""
    text = io.StringIO()
    safe = [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells]
    csv.writer(text).writerow(safe)
    return text.getvalue().encode()


def _midnight(day: date | None, zone: str) -> datetime | None:
    """The moment at which a day begins, where the practice is."""
    return datetime.combine(day, time(), tzinfo=zone_named(zone)) if day else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    """A place in the log; the beginning for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0  # noqa: PLR2004
