"""Staff: the practice's patients, and how far each invitation has come."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from gateway import reading, session, shell
from gateway.rendering import render
from libs.contracts.base import Refused
from libs.contracts.identity.invitations import InvitationState, ResendInvitation
from libs.contracts.identity.refusals import Refusal as IdentityRefusal
from libs.contracts.records.patients import (
    CSV_LIMIT,
    AddPatient,
    CorrectEmail,
    ImportPatients,
    InvitePatient,
    ListPatients,
)
from libs.contracts.records.refusals import Refusal
from libs.runtime.broker import BROKER, ask

WORDS: dict[str, str] = {
    Refusal.NAME_MISSING: "Enter a given name and a family name.",
    Refusal.NAME_NOT_USABLE: "Enter a name of up to 200 letters, on one line.",
    Refusal.BIRTH_DATE_IMPOSSIBLE: "Enter a date of birth that can be right, such as 4 12 1961.",
    Refusal.BIRTH_DATE_AMBIGUOUS: "This date of birth may mean two days. Write it like 1961-04-12.",
    Refusal.EMAIL_NOT_USABLE: "Enter an email address, like name@example.com.",
    Refusal.EMAIL_MISSING: "There is no email address to invite. Add one first.",
    Refusal.MRN_NOT_USABLE: "Enter a record number of up to 64 letters and digits.",
    Refusal.MRN_TAKEN: "Another patient of your practice has this record number.",
    Refusal.PERHAPS_THERE_ALREADY: "A patient with this name and date of birth is on your list. Look there first, or tick the box below to add another.",
    Refusal.LIST_NOT_READABLE: "We could not read this list. Save it as CSV with a first line that names its columns.",
    Refusal.TOO_LARGE: "This list is too large. It can have 1 MB and 5,000 lines.",
    Refusal.EMPTY: "This list is empty.",
    Refusal.NOT_ALLOWED: "Your role does not include this.",
    IdentityRefusal.SENT_MOMENTS_AGO: "An email has only just gone. Give it five minutes.",
    IdentityRefusal.ALREADY_REGISTERED: "This patient has registered already.",
    IdentityRefusal.INVITATION_ENDED: "This record is deactivated.",
    Refusal.DEACTIVATED: "This record is deactivated.",
}  # fmt: skip
FIELD: dict[str, str] = {
    Refusal.NAME_MISSING: "given",
    Refusal.NAME_NOT_USABLE: "given",
    Refusal.BIRTH_DATE_IMPOSSIBLE: "date_of_birth",
    Refusal.EMAIL_NOT_USABLE: "email",
    Refusal.MRN_NOT_USABLE: "mrn",
    Refusal.MRN_TAKEN: "mrn",
    Refusal.PERHAPS_THERE_ALREADY: "even_so",
}

routes = web.RouteTableDef()


@routes.get("/staff", name="staff")
async def staff(request: web.Request) -> web.Response:
    await session.at_work(request)
    raise web.HTTPSeeOther(request.app.router["patients"].url_for())


@routes.get("/staff/patients", name="patients")
async def patients(request: web.Request) -> web.Response:
    """Search by name, e-mail, record number or date of birth; filter by state."""
    staff = await session.at_work(request)
    query = request.query
    state = reading.text(query, "state")
    asked = ListPatients(
        visa=staff.visa,
        q=reading.text(query, "q")[:200],
        birth_date=reading.day(query, "date_of_birth"),
        state=InvitationState(state) if state in set(InvitationState) else None,
        attention=reading.ticked(query, "attention"),
        deactivated=state == "deactivated",
        after=reading.text(query, "after"),
    )
    chrome, listed = await asyncio.gather(
        shell.staff(request, staff, tab="patients"), ask(request.app[BROKER], asked)
    )
    return render(request, "staff/patients.html", chrome, listed=listed, query=query)


@routes.get("/staff/patients/new", name="new_patient")
async def new_patient(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    return await _form(request, staff)


@routes.post("/staff/patients/new")
async def add_patient(request: web.Request) -> web.Response:
    """The patient is on the list, and the registration letter on its way."""
    staff = await session.at_work(request)
    form = await request.post()
    born = reading.day(form, "date_of_birth")
    if born is None:
        return await _form(request, staff, {"date_of_birth": WORDS[Refusal.BIRTH_DATE_IMPOSSIBLE]})
    asked = AddPatient(
        visa=staff.visa,
        key=reading.key(form),
        given=reading.text(form, "given"),
        family=reading.text(form, "family"),
        birth_date=born,
        email=reading.text(form, "email"),
        mrn=reading.text(form, "mrn"),
        invite=reading.ticked(form, "invite"),
        even_so=reading.ticked(form, "even_so"),
    )
    try:
        added = await ask(request.app[BROKER], asked)
    except Refused as refused:
        field = FIELD.get(refused.code, "given")
        return await _form(request, staff, {field: refused.worded(WORDS)})
    response = web.HTTPSeeOther(shell.patient_of(request, added.patient_id))
    invited = asked.invite and asked.email
    shell.notice(response, "patient_invited" if invited else "patient_added")
    raise response


@routes.get("/staff/patients/import", name="import_patients")
async def show_import(request: web.Request) -> web.Response:
    staff = await session.at_work(request)
    return await _list_form(request, staff)


@routes.post("/staff/patients/import")
async def import_patients(request: web.Request) -> web.Response:
    """First a preview of every line; then, confirmed, the lines that are fine."""
    staff = await session.at_work(request)
    form = await request.post()
    given = form.get("list")
    content = (
        given.file.read(CSV_LIMIT + 1)
        if isinstance(given, FileField)
        else reading.whole(form, "content").encode()
    )
    asked = ImportPatients(
        visa=staff.visa,
        content=content[: CSV_LIMIT + 1],
        invite=reading.ticked(form, "invite"),
        preview=not reading.ticked(form, "confirmed"),
    )
    try:
        read = await ask(request.app[BROKER], asked, within=10)
    except Refused as refused:
        return await _list_form(request, staff, refused.worded(WORDS))
    return render(
        request,
        "staff/import_patients_report.html",
        await shell.staff(request, staff, tab="patients"),
        read=read,
        words=WORDS,
        content=_text(content) if read.preview else "",
        invite=asked.invite,
    )


@routes.post("/staff/patients/{patient}/resend", name="resend_invitation")
async def resend_invitation(request: web.Request) -> web.Response:
    """A new letter; the link in the one before is void at once."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    asked = ResendInvitation(visa=staff.visa, patient_id=patient_id)
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        return shell.back_to_patient(request, patient_id, refused.code)
    return shell.back_to_patient(request, patient_id, "resent")


@routes.post("/staff/patients/{patient}/invite", name="invite_patient")
async def invite_patient(request: web.Request) -> web.Response:
    """The first letter to a patient who was added without one."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    form = await request.post()
    asked = InvitePatient(visa=staff.visa, key=reading.key(form), patient_id=patient_id)
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        return shell.back_to_patient(request, patient_id, refused.code)
    return shell.back_to_patient(request, patient_id, "patient_invited")


@routes.post("/staff/patients/{patient}/email", name="correct_email")
async def correct_email(request: web.Request) -> web.Response:
    """Another address, after a bounce or a call; one not registered yet is invited there."""
    staff = await session.at_work(request)
    patient_id = reading.path_id(request, "patient")
    form = await request.post()
    asked = CorrectEmail(
        visa=staff.visa,
        key=reading.key(form),
        patient_id=patient_id,
        email=reading.text(form, "email"),
    )
    try:
        await ask(request.app[BROKER], asked)
    except Refused as refused:
        if refused.code not in WORDS:
            raise
        return shell.back_to_patient(request, patient_id, refused.code)
    return shell.back_to_patient(request, patient_id, "email_corrected")


def _text(content: bytes) -> str:
    """A list that could be read, as text: UTF-8, or what Excel writes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


async def _form(
    request: web.Request, staff: session.AtWork, errors: dict[str, str] | None = None
) -> web.Response:
    form: Any = await request.post() if errors else {"invite": "yes"}
    return render(
        request,
        "staff/new_patient.html",
        await shell.staff(request, staff, tab="patients"),
        form=form,
        errors=errors or {},
        status=400 if errors else 200,
    )


async def _list_form(
    request: web.Request, staff: session.AtWork, problem: str = ""
) -> web.Response:
    return render(
        request,
        "staff/import_patients.html",
        await shell.staff(request, staff, tab="patients"),
        problem=problem,
        status=400 if problem else 200,
    )
