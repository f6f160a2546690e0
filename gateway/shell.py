"""What stands around each kind of page: the door, a record, the staff side. And notices."""

import asyncio
from uuid import UUID

from aiohttp import web

from gateway import session
from gateway.rendering import NOTICE_COOKIE, Chrome, Notice
from libs.contracts.base import Refused
from libs.contracts.delegation import Access
from libs.contracts.identity.practices import Practice
from libs.contracts.messaging.mailbox import CountUnread
from libs.contracts.messaging.queue import CountWaiting
from libs.contracts.records.imports import ListImports
from libs.contracts.records.patients import NamePatients, Person
from libs.contracts.visa import Capacity, Limit
from libs.runtime.broker import BROKER, Unavailable, ask

NOTICES: dict[str, Notice] = {
    "registered": Notice(text="Your password is saved. You can log in now."),
    "accepted": Notice(text="You can see this record from now on."),
    "password_reset": Notice(text="Your new password is saved. You can log in now."),
    "password_changed": Notice(
        text="Your new password is saved. Everyone logged in elsewhere was logged out."
    ),
    "email_to_confirm": Notice(
        text="We have sent an email to the new address. It counts once you choose the link in it."
    ),
    "email_changed": Notice(text="Your new email address is in use now. Log in with it."),
    "passkey_added": Notice(text="The passkey is added. You can use it when you log in next."),
    "passkey_removed": Notice(text="The passkey is removed."),
    "passkey_not_taken": Notice(
        text="The passkey was not added. It took too long, or this device has one already.",
        kind="warn",
    ),
    "two_step_off": Notice(text="Two-step verification is off. We have told you by email."),
    "two_step_again": Notice(
        text="That took too long, or was done elsewhere. Begin once more.", kind="warn"
    ),
    "sessions_ended": Notice(text="Done. It is logged out."),
    "logged_out": Notice(text="You are logged out."),
    "patient_added": Notice(text="The patient is on your list. No email was sent."),
    "patient_invited": Notice(text="An email with a registration link is on its way."),
    "resent": Notice(text="A new email is on its way. The link in the one before no longer works."),
    "email_corrected": Notice(text="The new address is saved."),
    "patient_deactivated": Notice(text="The record is deactivated. It is closed to the patient."),
    "patient_reactivated": Notice(text="The record is open to the patient again."),
    "deactivated": Notice(text="This record is deactivated. Nothing is sent.", kind="warn"),
    "document_filed": Notice(text="The document is in the record."),
    "result_added": Notice(text="The result is in the record."),
    "result_corrected": Notice(text="The result is corrected. The old value stays to be seen."),
    "message_sent": Notice(text="Your message is with your care team."),
    "user_invited": Notice(text="The invitation is on its way. Its link works for 4 days."),
    "invite_cancelled": Notice(text="The invitation is taken back. Its link no longer works."),
    "access_revoked": Notice(text="Access is revoked. It ended at once."),
    "access_changed": Notice(text="The change is saved. It counts at once."),
    "record_left": Notice(text="You have left the record. You see nothing of it any more."),
    "sending_revoked": Notice(text="It is revoked. The link opens nothing any more."),
    "invitation_ended": Notice(
        text="This invitation was taken back. Invite them again.", kind="warn"
    ),
    "access_over": Notice(text="This access has ended already.", kind="warn"),
    "end_is_past": Notice(text="Its last day is past. Invite them again.", kind="warn"),
    "try_later": Notice(
        text="You have sent very many invitations today. Send more tomorrow.", kind="warn"
    ),
    "draft_saved": Notice(text="Your draft is saved."),
    "draft_deleted": Notice(text="The draft is deleted."),
    "answer_sent": Notice(text="Your answer is sent."),
    "claimed": Notice(text="It is yours to answer."),
    "released": Notice(text="Anybody can claim it now."),
    "handed_over": Notice(text="It is handed over."),
    "closed": Notice(text="The conversation is closed."),
    "reopened": Notice(text="The conversation is open again."),
    "noted": Notice(text="Your note is kept. Only staff see it."),
    "chart_opened": Notice(text="Results and documents are open to you for 60 minutes."),
    "chart_closed": Notice(
        text="Your role does not include this. In an emergency, open it below.", kind="warn"
    ),
    "file_filed": Notice(text="The file is among the patient's documents."),
    "emails_chosen": Notice(text="Your choice is saved."),
    "colleague_invited": Notice(text="The invitation is on its way. Its link works for 4 days."),
    "colleague_removed": Notice(text="They are off the team. It ended at once."),
    "factors_reset": Notice(text="Done. They get an email with a link to set up new codes."),
    "role_changed": Notice(text="The new role is saved."),
    "settings_saved": Notice(text="The settings are saved."),
    "claimed_by_another": Notice(text="A colleague was faster and has claimed it.", kind="warn"),
    "not_yours": Notice(text="A colleague holds this conversation.", kind="warn"),
    "is_closed": Notice(text="The conversation is closed. Reopen it first.", kind="warn"),
    "email_again": Notice(text="It is being sent again."),
    "sent_moments_ago": Notice(
        text="An email has only just gone. Give it five minutes.", kind="warn"
    ),
    "already_registered": Notice(text="This person has registered already.", kind="warn"),
    "unknown_patient": Notice(text="This patient has not been invited yet.", kind="warn"),
    "email_missing": Notice(
        text="There is no email address to invite. Add one first.", kind="warn"
    ),
    "email_not_usable": Notice(
        text="That is no email address. It looks like name@example.com.", kind="warn"
    ),
    "not_allowed": Notice(text="Your role does not include this.", kind="warn"),
}
"""What can be said once after a form. The browser carries the name only, never the words."""


async def door(request: web.Request, *, practice_id: UUID | None = None) -> Chrome:
    """A page without a session, in a practice's name where one is known."""
    return Chrome(practice=await _practice(request, practice_id), notice=said(request))


async def person(request: web.Request, who: session.SignedIn) -> Chrome:
    """A page about somebody's own account; with one record, the tabs and the clock are its."""
    seat = who.session.seat
    records = () if seat else await _records(request, who)
    only = records[0] if len(records) == 1 else None
    mine = (one.patient_id for one in records if one.capacity is Capacity.SELF)
    near = seat or only
    return Chrome(
        session=who.session,
        practice=await _practice(request, near.practice_id if near else None),
        patient_id=only.patient_id if only else None,
        acting=only is not None and only.capacity is not Capacity.SELF,
        own=next(mine, None),
        several=len(records) > 1,
        notice=said(request),
    )


async def record(
    request: web.Request, acting: session.Acting, *, tab: str, named: bool = False
) -> Chrome:
    """A page of a record; whose it is stands on it everywhere, and how many messages wait.

    `named`: the page has no reply of its own that says whose record it is.
    """
    practice, unread, person = await asyncio.gather(
        _practice(request, acting.access.practice_id),
        _unread(request, acting),
        whose(request, acting.access) if named else asyncio.sleep(0),
    )
    return Chrome(
        session=acting.person.session,
        practice=practice,
        unread=unread,
        patient=person,
        patient_id=acting.patient_id,
        acting=acting.access.capacity is not Capacity.SELF,
        own=acting.patient_id if acting.access.capacity is Capacity.SELF else None,
        messages=Limit.MESSAGES in acting.access.limits,
        sending=Limit.SENDING in acting.access.limits,
        several=acting.several,
        tab=tab,
        notice=said(request),
    )


async def staff(request: web.Request, who: session.AtWork, *, tab: str) -> Chrome:
    """A page of the staff side, with how many messages and imports wait for somebody."""
    practice, waiting, unclaimed = await asyncio.gather(
        _practice(request, who.seat.practice_id),
        _waiting(request, who),
        _unclaimed(request, who),
    )
    return Chrome(
        session=who.person.session,
        practice=practice,
        waiting=waiting,
        unclaimed=unclaimed,
        tab=tab,
        notice=said(request),
    )


def plain(request: web.Request) -> Chrome:
    """A page that says what went wrong: it asks nobody, since asking may be what went wrong."""
    who = request.get(session.PERSON)
    return Chrome(session=who.session if who else None)


def notice(response: web.Response | web.HTTPException, name: str) -> None:
    """Say this on the next page, once."""
    response.set_cookie(
        NOTICE_COOKIE, name, path="/", max_age=60, secure=True, httponly=True, samesite="Lax"
    )


def said(request: web.Request) -> Notice | None:
    """What the page before left to be said."""
    return NOTICES.get(request.cookies.get(NOTICE_COOKIE, ""))


def health_of(request: web.Request, patient_id: UUID) -> str:
    """The address of a patient's Health page."""
    return str(request.app.router["health"].url_for(patient=str(patient_id)))


def patient_of(request: web.Request, patient_id: UUID) -> str:
    """The address of a patient's page on the staff side."""
    return str(request.app.router["patient"].url_for(patient=str(patient_id)))


def to_patient(request: web.Request, name: str) -> web.Response:
    """The same for a page in the middle of which it turned out."""
    response = web.Response(status=303)
    response.headers["Location"] = patient_of(request, UUID(request.match_info["patient"]))
    notice(response, name)
    return response


def back_to_patient(request: web.Request, patient_id: UUID, name: str) -> web.Response:
    """To the patient's page on the staff side, with a notice."""
    response = web.HTTPSeeOther(patient_of(request, patient_id))
    notice(response, name)
    raise response


async def whose(request: web.Request, access: Access) -> Person | None:
    """Whose record this is; a page that is about something else of it does without the name."""
    try:
        asked = NamePatients(visa=access.visa, patient_ids=(access.patient_id,))
        people = (await ask(request.app[BROKER], asked)).people
    except (Unavailable, Refused):
        return None
    return people[0] if people else None


async def _unread(request: web.Request, acting: session.Acting) -> int | None:
    """A page does without the count while messages are away, or are not part of the access."""
    try:
        asked = CountUnread(visa=acting.visa, patient_id=acting.patient_id)
        return (await ask(request.app[BROKER], asked)).count
    except (Unavailable, Refused):
        return None


async def _unclaimed(request: web.Request, who: session.AtWork) -> int | None:
    try:
        return (await ask(request.app[BROKER], CountWaiting(visa=who.visa))).unclaimed
    except (Unavailable, Refused):
        return None


async def _waiting(request: web.Request, who: session.AtWork) -> int | None:
    try:
        asked = ListImports(visa=who.visa, waiting=True)
        return (await ask(request.app[BROKER], asked)).waiting
    except (Unavailable, Refused):
        return None


async def _records(request: web.Request, who: session.SignedIn) -> tuple[Access, ...]:
    """A page about an account does without its records while delegation is away."""
    try:
        return (await session.access_of(request, who)).records
    except (Unavailable, Refused):
        return ()


async def _practice(request: web.Request, practice_id: UUID | None) -> Practice | None:
    """A page does without the practice's name while identity is away."""
    if practice_id is None:
        return None
    try:
        return await session.practice(request, practice_id)
    except (Unavailable, Refused):
        return None
