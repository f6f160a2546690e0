"""Every page with made-up data, so that it can be looked at: python -m tests.gateway.gallery FOLDER

Writes a picture of each page at 1280 and 390 px, light and dark.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from playwright.sync_api import Browser, Page, Route, sync_playwright

from gateway import app as gateway
from gateway import live, protection, static_files
from gateway.again import CARRIED, Carried
from gateway.carrying import Kept
from gateway.config import Config
from gateway.pages import mailbox, staff_imports, staff_patient, staff_patients
from gateway.pages.resources import FOR_EVERYONE
from gateway.proving import Proof
from gateway.rendering import Chrome, Notice, render
from libs.contracts.identity.factors import Factors, Passkey
from libs.contracts.records.exports import ExportState
from libs.contracts.records.imports import ImportState
from libs.contracts.records.sending import SendingState
from libs.contracts.visa import Role
from tests.gateway import activity_samples, message_samples, samples, staff_samples
from tests.gateway.people_samples import PEOPLE
from tests.gateway.samples import NOW, PATIENT, PRACTICE, at_work, record, session

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
ORIGIN = "https://portal.example.com"
RULES_MET = {"length": True, "uppercase": True, "lowercase": True, "number": False,
             "special": False, "not_common": True, "not_personal": True}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A page as it would be shown."""

    template: str
    chrome: Chrome
    path: str = "/"
    content: dict[str, Any] = field(default_factory=dict)


@cache
def application() -> web.Application:
    """The gateway's own routes, with nothing behind them."""
    made = web.Application()
    made[protection.CONFIG] = Config(nats_url="", public_url=ORIGIN)
    for area in (*gateway.PAGES, live, mailbox):
        made.add_routes(area.routes)
    made.add_routes(static_files.routes)
    return made


def html(shown: Shown) -> str:
    """The page's HTML, made as a handler makes it."""
    request = make_mocked_request("GET", shown.path, app=application())
    request[protection.REQUEST] = "0192a0000000700080000000000000aa"
    chrome = shown.chrome
    if chrome.session:  # its 15 minutes begin as the page is made
        chrome = replace(chrome, session=samples.session(chrome.session.name, chrome.session.seat))
    text = render(request, shown.template, chrome, **shown.content).text
    assert text is not None
    return text


def _door(template: str, practice: bool = False, **content: Any) -> Shown:
    return Shown(
        template=f"door/{template}.html",
        chrome=Chrome(practice=PRACTICE if practice else None),
        content=content,
    )


def _shared(template: str, **content: Any) -> Shown:
    chrome = Chrome(practice=PRACTICE)
    return Shown(
        template=f"shared/{template}.html", chrome=chrome, path="/shared/x", content=content
    )


def _again(**brought: Any) -> Shown:
    return Shown(
        template="errors/again.html",
        chrome=Chrome(),
        content={"carried": Carried(address="/staff/patients/new", **brought)},
    )


def _staff(template: str, tab: str, path: str = "/staff", **content: Any) -> Shown:
    return Shown(
        template=f"staff/{template}.html".replace("staff/../", ""),
        chrome=at_work(tab),
        path=path,
        content=content,
    )


def _record(template: str, tab: str = "health", path: str = "/p/x", **content: Any) -> Shown:
    return Shown(template=template, chrome=record(tab), path=path, content=content)


PROOF, NO_PROOF = Proof(wanted=True, code=True), Proof(wanted=False, code=False)
ENROLMENT = "otpauth://totp/CareSpace:rosa?secret=JBSWY3DPEHPK3PXP&issuer=CareSpace"


def _users(**content: Any) -> Shown:
    return _record("users/index.html", tab="", **content)


def _account(template: str, **content: Any) -> Shown:
    chrome = Chrome(session=session(), practice=PRACTICE)
    return Shown(template=f"account/{template}.html", chrome=chrome, content=content)


IMPORT_WORDS: dict[str, Any] = {"left_out": staff_imports.LEFT_OUT, "waiting": staff_imports.WAITING,
                "q": "", "found": (), "problem": ""}  # fmt: skip
PATIENT_PATH = f"/staff/patients/{staff_samples.PATIENTS.patients[1].patient_id}"
FIRST_RESULT = f"{PATIENT_PATH}/results/{samples.HEMOGLOBIN.latest.result_id}/correct"
DOCUMENTS_PATH = f"/p/{PATIENT}/health/documents"
SEND_PATH = f"/p/{PATIENT}/health/send"
DOWNLOAD_PATH = f"/p/{PATIENT}/health/download"
FROM_HEALTH: dict[str, Any] = {"patient_id": PATIENT, "back": f"/p/{PATIENT}/health",
               "back_to": "Health"}  # fmt: skip

KEPT = Kept(
    address=f"/p/{PATIENT}/messages/compose",
    files=True,
    fields=[
        ("category", "health"),
        ("subject", "Mouth sores"),
        ("body", "Since Friday I have two.\n\nWhat can I do before they get worse?"),
    ],
)

HOUR = timedelta(hours=1)

PAGES: dict[str, Shown] = {
    "login": _door("login", form={}, problem="", code_wanted=False, passkey_options="", kept=None),
    "login-kept": _door("login", form={}, problem="", code_wanted=False, passkey_options="", kept=KEPT),
    "go-on": _door("go_on", kept=KEPT),
    "go-on-form": _door("go_on", kept=Kept(address="/staff/patients/new", fields=[
        ("key", "1"), ("given", "Ida"), ("address", "12 Long Road")])),
    "login-error": _door("login", code_wanted=True, kept=None, passkey_options="{}",
                         problem="We could not log you in with these details.",
                         form={"email": "rosa.alvarez@example.com", "date_of_birth_month": "4",
                               "date_of_birth_day": "12", "date_of_birth_year": "1961"}),
    "staff-login": _door("staff_login", form={}, problem="", code_wanted=False, passkey_options="", kept=None),
    "staff-login-error": _door("staff_login", form={}, problem="Enter the code.",
                               code_wanted=True, kept=None, passkey_options=""),
    "register": _door("register", practice=True, invitation=samples.INVITATION, form={},
                      errors={}, rules={}),
    "register-delegate": _door("register", practice=True, form={}, errors={}, rules={},
                               invitation=samples.INVITATION.model_copy(
                                   update={"delegate": True})),
    "register-error": _door("register", practice=True, invitation=samples.INVITATION,
                            form={"date_of_birth": "1961-04-12"}, rules=RULES_MET,
                            errors={"date_of_birth": "This is not the date of birth.",
                                    "password": "Your password needs a number.",
                                    "confirm_password": "The two are not the same.",
                                    "terms": "Tick the box if you accept the terms."}),
    "accept": _door("accept", practice=True, invitation=samples.INVITATION, person=session(),
                    form={}, errors={}),
    **{f"link-{why}": _door("link_ended", why=why, token="t")
       for why in ("expired", "void", "used", "locked", "ended", "unknown")},
    "new-link-asked": _door("new_link_asked"),
    "one-time-code": _door("one_time_code", practice=True, enrolment="otpauth://totp/CareSpace:"
                           "nurse?secret=JBSWY3DPEHPK3PXP&issuer=CareSpace"),
    "forgot-password": _door("forgot_password", form={}, problem=""),
    "forgot-password-wrong": _door("forgot_password", form={"email": "rosa"},
                                   problem="Enter an email address."),
    "reset-link-sent": _door("reset_link_sent"),
    "reset-password": _door("reset_password", errors={}, rules={}, expires_at=NOW),
    "reset-password-error": _door("reset_password", errors={"password": "It needs a number."},
                                  rules=RULES_MET, expires_at=None),
    "reset-link-ended": _door("reset_link_ended"),
    "confirm-email": _door("confirm_email", token="t"),
    "logged-out": Shown(template="door/login.html", content={"form": {}, "problem": "",
                        "code_wanted": False, "kept": None, "passkey_options": ""}, chrome=Chrome(notice=Notice(
                            text="You are logged out."))),
    "choose-record": Shown(template="home/choose_record.html",
                           chrome=Chrome(session=session(), practice=PRACTICE, several=True),
                           content={"choices": [{"url": "/p/x/health", "own": own,
                                                 "practice": PRACTICE, "person": person}
                                                for own, person in ((True, samples.ROSA),
                                                                    (False, None))]}),
    "users": _users(people=[one for one in PEOPLE if not one.gone],
                    gone=[one for one in PEOPLE if one.gone], form={}, errors={}, proof=NO_PROOF),
    "users-error": _users(people=[], gone=[], form={"email": "ana", "access": "some"}, proof=PROOF,
                          errors={"email": "Enter their email address.",
                                  "access": "Choose at least one part of your record."}),
    "user-revoked": _record("users/revoke.html", tab="", person=PEOPLE[0]),
    "user-changed": _record("users/change.html", tab="", person=PEOPLE[1], errors={}, proof=NO_PROOF,
                            form=PEOPLE[1].chosen("America/Denver")),
    "user-changed-error": _record("users/change.html", tab="", person=PEOPLE[0], proof=PROOF,
                                  form={"access": "some", "last_day_year": "26"},
                                  errors={"last_day": "Enter a date.", "access": "Choose one."}),
    "record-left": Shown(template="users/leave.html", chrome=replace(record(""), acting=True, own=None),
                         path="/p/x/leave", content={"access": "x"}),
    "activity": _record("activity/index.html", tab="", path=f"/p/{PATIENT}/activity",
                        **activity_samples.shown()),
    "activity-none": _record("activity/index.html", tab="", path=f"/p/{PATIENT}/activity",
                             **activity_samples.shown(days=[], after=0, query={"kind": "looked"})),
    "no-record": Shown(template="home/no_record.html", chrome=Chrome(session=session())),
    "health": _record("health/index.html", health=samples.HEALTH),
    "health-empty": _record("health/index.html", health=samples.NOTHING_YET),
    "health-away": Shown(template="health/index.html", chrome=record(patient=None),
                         content={"health": None}),
    "health-limited": _record("health/index.html", health=samples.HEALTH.model_copy(
        update={"tests": None})),
    "health-acting": Shown(template="health/index.html", content={"health": samples.HEALTH},
                           chrome=record(acting=True, several=True, unread=2,
                                         session=session("Ana Ruiz"))),
    "acting-unknown": Shown(template="health/index.html", content={"health": None},
                            chrome=record(acting=True, practice=None, patient=None)),
    "test": _record("health/test.html", person=samples.ROSA, test=samples.HEMOGLOBIN),
    "test-in-words": _record("health/test.html", person=samples.ROSA, test=samples.TESTS[7]),
    "documents": _record("documents/index.html", path=DOCUMENTS_PATH, listed=samples.DOCUMENTS,
                         query={}, **FROM_HEALTH),
    "documents-filtered": _record("documents/index.html", path=DOCUMENTS_PATH,
                                  query={"q": "visit", "type": "Letter", "from": "2026-01-01"},
                                  **FROM_HEALTH,
                                  listed=samples.DOCUMENTS.model_copy(
                                      update={"documents": (), "total": 0, "after": ""})),
    "download": _record("health/download.html", path=DOWNLOAD_PATH, **samples.DOWNLOAD),
    "download-error": _record("health/download.html", path=DOWNLOAD_PATH, **samples.DOWNLOAD_WRONG),
    "export-making": _record("health/export.html", path=f"{DOWNLOAD_PATH}/1",
                             export=samples.export(ExportState.MAKING)),
    "export-ready": _record("health/export.html", path=f"{DOWNLOAD_PATH}/1",
                            export=samples.export(ExportState.READY)),
    "export-failed": _record("health/export.html", path=f"{DOWNLOAD_PATH}/1",
                             export=samples.export(ExportState.FAILED)),
    "send": _record("sending/index.html", path=SEND_PATH, **samples.SENDING),
    "send-error": _record("sending/index.html", path=SEND_PATH, **samples.SENDING_WRONG),
    "send-done": _record("sending/index.html", path=SEND_PATH,
                         **samples.SENDING | {"just": samples.sending(SendingState.SENT)}),
    "sent-link": _record("sending/link.html", path=SEND_PATH, link=samples.LINK,
                         sending=samples.sending(SendingState.SENT)),
    "sent-link-none": _record("sending/link.html", path=SEND_PATH, link="",
                              sending=samples.sending(SendingState.SENT)),
    "shared-door": _shared("door", door=samples.DOOR, link=samples.LINK, tries=5, errors={}),
    "shared-door-wrong": _shared(
        "door", door=samples.DOOR.model_copy(update={"tries_left": 1}), link="", tries=5,
        errors={"record_password": "This is not the password. Check it with whoever sent you the record."}),
    "shared-record": _shared("record", opened=samples.UNLOCKED, here="/shared/x", form={},
                             longest=1000, errors={}),
    "shared-record-noted": _shared("record", opened=samples.UNLOCKED.model_copy(update={"noted": True}),
                                   here="/shared/x", form={}, longest=1000, errors={}),
    "shared-locked": _shared("over", why="locked"),
    "shared-over": _shared("over", why="revoked"),
    "shared-unknown": _shared("over", why="unknown"),
    "document-pdf": _record("documents/show.html", path=f"{DOCUMENTS_PATH}/1", back=DOCUMENTS_PATH,
                            shown=samples.opened(samples.PAPERS[0])),
    "document-image": _record("documents/show.html", path=f"{DOCUMENTS_PATH}/4", back=DOCUMENTS_PATH,
                              shown=samples.opened(samples.PAPERS[3])),
    "document-summary": _record("documents/show.html", path=f"{DOCUMENTS_PATH}/6", back=DOCUMENTS_PATH,
                                shown=samples.opened(samples.PAPERS[5])),
    "document-other": _record("documents/show.html", path=f"{DOCUMENTS_PATH}/7", back=DOCUMENTS_PATH,
                              shown=samples.opened(samples.PAPERS[6], viewable=False)),
    "document-content": _record("documents/cda.html", html="<h1>Summary of care</h1>"
                                "<p>Made for Rosa Alvarez</p><h2>Results</h2><table><tr>"
                                "<th scope='col'>Test</th></tr><tr><td>Sodium</td></tr></table>"),
    "messages": _record("messages/index.html", "messages", **message_samples.INBOX),
    "messages-empty": _record("messages/index.html", "messages", **message_samples.EMPTY),
    "messages-sent": _record("messages/index.html", "messages", **message_samples.SENT),
    "messages-away": Shown(template="messages/index.html", content=message_samples.AWAY,
                           chrome=record("messages", practice=None)),
    "message": _record("messages/show.html", "messages", **message_samples.CONVERSATION),
    "message-replied": _record("messages/show.html", "messages", **message_samples.REPLIED),
    "compose": _record("messages/compose.html", "messages", **message_samples.COMPOSE),
    "compose-errors": _record("messages/compose.html", "messages", **message_samples.ERRORS),
    "staff-messages": Shown(template="staff/messages.html", chrome=at_work("messages"),
                            content=message_samples.QUEUE),
    "staff-message": Shown(template="staff/message.html", chrome=at_work("messages"),
                           content=message_samples.CASE),
    "staff-message-held": Shown(template="staff/message.html", chrome=at_work("messages"),
                                content=message_samples.HELD),
    "staff-new-message": Shown(template="staff/new_message.html", chrome=at_work("messages"),
                               content=message_samples.NEW),
    "staff-message-settings": Shown(template="staff/message_settings.html",
                                    chrome=at_work("messages"),
                                    content=message_samples.SETTINGS),
    "staff-team": _staff("team", "team", "/staff/team", members=staff_samples.MEMBERS, form={},
                         administrator=True, proof=NO_PROOF, errors={}),
    "staff-team-error": _staff("team", "team", "/staff/team", members=staff_samples.MEMBERS,
                               form={"name": "Kim"}, administrator=True, proof=PROOF,
                               errors={"name": "Enter their name.", "email": "Enter an address.",
                                       "date_of_birth": "Enter a date.",
                                       "proof_password": "This is not it."}),
    "staff-team-seen": _staff("team", "team", "/staff/team", members=staff_samples.MEMBERS, form={},
                              administrator=False, proof=NO_PROOF, errors={}),
    "staff-colleague": _staff("colleague", "team", "/staff/team", administrator=True, own=False,
                              member=staff_samples.MEMBERS[1], role=Role.CLINICIAN, proof=NO_PROOF,
                              errors={}),
    "staff-colleague-own": _staff("colleague", "team", "/staff/team", administrator=True, own=True,
                                  member=staff_samples.MEMBERS[0], role=Role.CLINICIAN, proof=PROOF,
                                  errors={"role": "Nobody else is one.", "remove": "Nor here."}),
    "staff-colleague-seen": _staff("colleague", "team", "/staff/team", administrator=False,
                                   own=False, member=staff_samples.MEMBERS[1],
                                   role=Role.CLINICIAN, proof=NO_PROOF, errors={}),
    "staff-settings": _staff("settings", "settings", "/staff/settings", administrator=True,
                             typed=staff_samples.SETTINGS, zones=("America/Denver", "UTC"),
                             errors={}),
    "staff-settings-error": _staff("settings", "settings", "/staff/settings", administrator=True,
                                   typed=staff_samples.SETTINGS, zones=("America/Denver", "UTC"),
                                   errors={"name": "Enter the name.", "phone": "Enter the number.",
                                           "contact_email": "Enter an address.",
                                           "emergency": "Say what to do.",
                                           "time_zone": "Choose one.", "resources": "Not so."}),
    "staff-settings-seen": _staff("settings", "settings", "/staff/settings", administrator=False,
                                  typed=staff_samples.SETTINGS, zones=("America/Denver",),
                                  errors={}),
    "resources": _record("resources/index.html", "resources", practice=PRACTICE,
                         everyone=FOR_EVERYONE),
    "account": Shown(template="account/index.html",
                     chrome=Chrome(session=session(), practice=PRACTICE, notice=Notice(
                         text="Done. It is logged out.")),
                     content={"person": session(), "sessions": samples.SESSIONS, "errors": {},
                              "rules": {}, "email": "", "choices": message_samples.CHOICES,
                              "proof": NO_PROOF}),
    "account-error": Shown(template="account/index.html", chrome=at_work(""),
                           content={"person": session("Dana Whitfield"), "sessions": None,
                                    "errors": {"current_password": "This is not it.",
                                               "email": "This is no address.",
                                               "proof_password": "This is not it.",
                                               "proof_code": "Enter the code."},
                                    "rules": RULES_MET, "email": "rosa@", "choices": [],
                                    "proof": PROOF}),
    "two-step": _account("two_step", factors=Factors(code=False, recovery_codes=0, required=False),
                         proof=Proof(wanted=True, code=False), errors={}),
    "two-step-on": _account("two_step", factors=Factors(code=True, recovery_codes=2, required=False),
                            proof=PROOF, errors={"proof_code": "This code is not right."}),
    "two-step-staff": Shown(template="account/two_step.html", chrome=at_work(""), content={
        "factors": Factors(code=True, recovery_codes=10, required=True), "proof": PROOF,
        "errors": {}}),
    "two-step-passkeys": _account("two_step", proof=PROOF, errors={}, factors=Factors(
        code=True, recovery_codes=10, required=False, passkeys_possible=True, passkeys=(
            Passkey(passkey_id=UUID(int=1), name="My phone", added_at=NOW, last_used_at=NOW),
            Passkey(passkey_id=UUID(int=2), name="Passkey", added_at=NOW, last_used_at=None)))),
    "passkey": _account("passkey", options="{}"),
    "two-step-setup": _account("two_step_setup", enrolment=ENROLMENT, problem=""),
    "two-step-setup-wrong": _account("two_step_setup", enrolment=ENROLMENT,
                                     problem="This code does not fit."),
    "recovery-codes": _account("recovery_codes", codes=[
        "abcd-efgh-jkmn", "pqrs-tuvw-xyz2", "3456-789a-bcde", "fghj-kmnp-qrst", "uvwx-yz23-4567",
        "89ab-cdef-ghjk", "mnpq-rstu-vwxy", "z234-5678-9abc", "defg-hjkm-npqr", "stuv-wxyz-2345"]),
    "staff-patients": _staff("patients", "patients", listed=staff_samples.PATIENTS, query={}),
    "staff-patients-none": _staff("patients", "patients", query={"q": "zz", "state": "opened"},
                                  listed=staff_samples.PATIENTS.model_copy(
                                      update={"patients": (), "after": ""})),
    "staff-patients-first": _staff("patients", "patients", query={},
                                   listed=staff_samples.PATIENTS.model_copy(
                                       update={"patients": (), "after": "", "total": 0})),
    "staff-patients-attention": _staff("patients", "patients", query={"attention": "yes"},
                                       listed=staff_samples.PATIENTS),
    "staff-new-patient": _staff("new_patient", "patients", form={"invite": "yes"}, errors={}),
    "staff-new-patient-error": _staff("new_patient", "patients", form={"given": "Rosa"},
                                      errors={"even_so": "Perhaps they are on your list.",
                                              "given": "Enter a name.", "mrn": "It is taken.",
                                              "date_of_birth": "Enter a date.",
                                              "email": "Enter an address."}),
    "staff-import-list": _staff("import_patients", "patients", problem=""),
    "staff-import-list-error": _staff("import_patients", "patients",
                                      problem="We could not read this list."),
    "staff-list-checked": _staff("import_patients_report", "patients", read=staff_samples.LIST_READ,
                                 words=staff_patients.WORDS, content="given\nRosa", invite=True),
    "staff-list-imported": _staff("import_patients_report", "patients", invite=False, content="",
                                  words=staff_patients.WORDS, read=staff_samples.LIST_READ.model_copy(
                                      update={"preview": False, "refused": 1})),
    "staff-patient": _staff("patient", "patients", PATIENT_PATH, health=samples.HEALTH,
                            patient=staff_samples.PATIENTS.patients[1], kinds=staff_patient.KINDS,
                            errors={}, form={}, document={}, chart_closed=False),
    "staff-patient-closed": _staff("patient", "patients", PATIENT_PATH, health=None,
                                   patient=staff_samples.PATIENTS.patients[1],
                                   kinds=staff_patient.KINDS, chart_closed=True, form={},
                                   errors={"reason": "Say why. The patient reads it."}, document={}),
    "staff-patient-emergency": _staff("patient", "patients", PATIENT_PATH, chart_closed=False,
                                      health=samples.HEALTH.model_copy(
                                          update={"emergency_ends_at": NOW + HOUR}),
                                      patient=staff_samples.PATIENTS.patients[1],
                                      kinds=staff_patient.KINDS, form={}, errors={}, document={}),
    "staff-users": _staff("users", "patients", PATIENT_PATH, person=samples.ROSA, people=PEOPLE,
                          errors={f"reason-{PEOPLE[0].invitation.invitation_id}": "Say why."},
                          reason=""),
    "staff-users-none": _staff("users", "patients", PATIENT_PATH, person=samples.ROSA, people=[],
                               errors={}, reason=""),
    "staff-patient-new": _staff("patient", "patients", PATIENT_PATH, health=samples.NOTHING_YET,
                                patient=staff_samples.PATIENTS.patients[4], kinds=staff_patient.KINDS,
                                errors={"file": "Choose a file.", "value": "Enter a value.",
                                        "collected": "Enter the day."},
                                form={"test_name": "Sodium"},
                                document={"title": "Scan", "kind": "Letter"}, chart_closed=False),
    "staff-patient-wrong": _staff("patient", "patients", FIRST_RESULT, health=samples.HEALTH,
                                  patient=staff_samples.PATIENTS.patients[1], kinds=staff_patient.KINDS,
                                  errors={"corrected_value": "Enter a value."}, form={"value": ""},
                                  document={}, chart_closed=False),
    "staff-patient-away": _staff("patient", "patients", PATIENT_PATH, health=None,
                                 patient=staff_samples.PATIENTS.patients[0], kinds=staff_patient.KINDS,
                                 errors={}, form={}, document={}, chart_closed=False),
    "staff-documents": _staff("../documents/index", "patients", f"{PATIENT_PATH}/documents",
                              listed=samples.DOCUMENTS, query={}, patient_id=PATIENT,
                              back=PATIENT_PATH, back_to="Rosa Alvarez"),
    "staff-document": _staff("../documents/show", "patients", f"{PATIENT_PATH}/documents/1",
                             back=f"{PATIENT_PATH}/documents", shown=samples.opened(samples.PAPERS[0])),
    "staff-imports": _staff("imports", "imports", listed=staff_samples.IMPORTS, query={}),
    "staff-imports-none": _staff("imports", "imports", query={}, problem="Choose a file.",
                                 listed=staff_samples.IMPORTS.model_copy(
                                     update={"imports": (), "waiting": 0, "after": ""})),
    "staff-imports-nothing-waits": _staff("imports", "imports", query={"waiting": "yes"},
                                          listed=staff_samples.IMPORTS.model_copy(
                                              update={"imports": (), "waiting": 0, "after": ""})),
    "staff-import": _staff("import", "imports", shown=staff_samples.IMPORT, **IMPORT_WORDS),
    "staff-import-preview": _staff("import", "imports", shown=staff_samples.IMPORT.model_copy(
        update={"state": ImportState.PREVIEW, "left_out": ()}), **IMPORT_WORDS),
    "staff-import-unreadable": _staff("import", "imports", shown=staff_samples.IMPORT.model_copy(
        update={"subjects": (), "left_out": (), "format": "unknown", "file_name": "",
                "problem": "This is a photograph."}), **IMPORT_WORDS | {"problem": "Say why."}),
    "staff-import-reading": _staff("import", "imports", shown=staff_samples.IMPORT.model_copy(
        update={"state": ImportState.READING, "subjects": (), "left_out": ()}), **IMPORT_WORDS),
    "staff-emails": _staff("emails", "emails", listed=staff_samples.MAILS, query={}, problem=""),
    "staff-emails-none": _staff("emails", "emails", query={"state": "sent"}, problem="It was sent.",
                                listed=staff_samples.MAILS.model_copy(
                                    update={"mails": (), "after": ""})),
    "terms": Shown(template="legal/terms.html", chrome=Chrome()),
    "privacy": Shown(template="legal/privacy.html", chrome=Chrome()),
    "accessibility": Shown(template="legal/accessibility.html", chrome=Chrome()),
    "mailbox": Shown(template="mailbox/index.html", chrome=Chrome(),
                     content={"mails": samples.LETTERS}),
    "mailbox-empty": Shown(template="mailbox/index.html", chrome=Chrome(), content={"mails": []}),
    "mailbox-letter": Shown(template="mailbox/letter.html", chrome=Chrome(),
                            content={"mail": samples.LETTERS[0]}),
    **{f"error-{status}": Shown(template=f"errors/{status}.html", chrome=Chrome())
       for status in (400, 403, 404, 409, 413, 429, 500, 503)},
    "again": _again(fields=[("key", "1"), ("given", "Ida"), ("note", "Please call <b>me</b> back.")]),
    "again-secrets": _again(passwords={"proof_password": "Your password"},
                            codes={"proof_code": "One-time code"}, files=("file",), streamed=True),
    "again-too-long": _again(fields=[("content", "a" * (CARRIED + 1))]),
    "again-begin-anew": _again(began_elsewhere=True),
}  # fmt: skip
"""Each page, and each state of it that looks different."""


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def hang(page: Page) -> None:
    """Answer this browser page from the gallery, and nothing from anywhere else."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).lstrip("/").partition("?")[0]
        if path in PAGES:
            headers = {"Content-Security-Policy": protection.CONTENT_SECURITY_POLICY}
            route.fulfill(body=html(PAGES[path]), content_type="text/html", headers=headers)
        elif file := static_files.published().get(path.removeprefix("static/")):
            route.fulfill(body=file.body, content_type=file.media_type)
        else:
            route.fulfill(body="<!doctype html><title>A document</title>", content_type="text/html")

    page.route("**/*", answer)


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as chromium:
        for width, scheme in ((1280, "light"), (390, "light"), (1280, "dark"), (390, "dark")):
            page = chromium.new_page(
                viewport={"width": width, "height": 844},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            hang(page)
            for name in names or PAGES:
                page.goto(f"{ORIGIN}/{name}")
                ending = "-dark" if scheme == "dark" else ""
                page.screenshot(path=folder / f"{name}-{width}{ending}.png", full_page=True)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
