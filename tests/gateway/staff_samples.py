"""A made-up practice as its staff see it: patients, imports and e-mails."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from gateway.pages.staff_settings import Typed
from libs.contracts.identity.import_keys import ImportKey, ImportKeyMade
from libs.contracts.identity.invitations import InvitationState
from libs.contracts.identity.letters import LetterKind
from libs.contracts.identity.practices import Link
from libs.contracts.identity.staff import Member
from libs.contracts.notifier import Mail, MailList, MailState
from libs.contracts.records.imports import (
    Import,
    ImportLine,
    ImportList,
    ImportState,
    LeftOut,
    Subject,
)
from libs.contracts.records.patients import Line, LinesRead, Patient, PatientList
from libs.contracts.visa import Role
from tests.gateway.samples import NOW, PATIENT


def patient(number: int, given: str, family: str, state: InvitationState, **other: Any) -> Patient:
    said: dict[str, Any] = {
        "patient_id": UUID(int=100 + number),
        "given": given,
        "family": family,
        "birth_date": date(1950 + number, 8, 3),
        "email": f"{given.lower()}@example.com",
        "mrn": f"40-{1980 + number}",
        "state": state,
        "state_since": NOW - timedelta(days=number),
        "invitation_expires_at": NOW + timedelta(days=2),
        "added_at": NOW - timedelta(days=10),
    }
    return Patient(**said | other)


PATIENTS = PatientList(
    patients=(
        patient(1, "Rosa", "Alvarez", InvitationState.REGISTERED),
        patient(2, "Albert", "Kowalski", InvitationState.INVITED),
        patient(3, "Alice", "Tran", InvitationState.EXPIRED, new_link_wanted=True),
        patient(4, "Ronald", "Halvorsen", InvitationState.BOUNCED),
        patient(5, "Sally", "Aldana", InvitationState.NOT_INVITED, email="", mrn=""),
        patient(6, "Alan", "Whitcomb", InvitationState.LOCKED),
        patient(7, "Ida", "Moreno", InvitationState.OPENED, active=False),
        patient(8, "Tom", "Reyes", InvitationState.DELIVERED),
        patient(9, "Lin", "Zhao", InvitationState.NOT_INVITED),
    ),
    after="next",
    total=1612,
    registered=1548,
    waiting=41,
    attention=23,
)
DEACTIVATED = patient(
    7,
    "Ida",
    "Moreno",
    InvitationState.ENDED,
    active=False,
    deactivated_at=NOW - timedelta(days=3),
    deactivated_by="Dana Whitfield",
    deactivation_reason="Changed to another practice.",
)
MEMBERS = tuple(
    Member(invitation_id=UUID(int=90 + number), account_id=UUID(int=80 + number) if state is
           InvitationState.REGISTERED else None, name=name, email=f"person{number}@example.com",
           role=role, state=state, expires_at=NOW + timedelta(days=2))
    for number, (name, role, state) in enumerate((
        ("Dana Whitfield", Role.ADMINISTRATOR, InvitationState.REGISTERED),
        ("Kim Lee", Role.CLINICIAN, InvitationState.DELIVERED),
        ("Nora Lind", Role.FRONT_DESK, InvitationState.BOUNCED),
    ))
)  # fmt: skip
RESET = MEMBERS[0].model_copy(
    update={"factors_reset_at": NOW - timedelta(days=9), "factors_reset_by": "Nora Lind"}
)
KEYS = tuple(
    ImportKey(key_id=UUID(int=70 + number), made_at=NOW - timedelta(days=30 * number), made_by=by,
              last_used_at=used, ends_at=ends)
    for number, (by, used, ends) in enumerate((
        ("Dana Whitfield", None, None),
        ("Dana Whitfield", NOW, NOW + timedelta(days=5)),
        ("", NOW - timedelta(days=40), NOW - timedelta(days=20)),
    ))
)  # fmt: skip
KEY_MADE = ImportKeyMade(import_key="k" * 43, older_end_at=NOW + timedelta(days=7))
SETTINGS = Typed(
    name="Lakeside Oncology",
    phone="(720) 555-0142",
    address="1840 Cottonwood Avenue, Denver",
    hours="Monday to Friday, 8 to 5",
    emergency="Call 911.",
    time_zone="America/Denver",
    contact_email="frontdesk@example.com",
    resources=(Link(title="Parking", url="https://example.com/parking", about="Where to park"),),
)
LIST_READ = LinesRead(
    lines=(
        Line(number=2, outcome="added", name="Rosa Alvarez"),
        Line(number=3, outcome="unchanged", name="Albert Kowalski"),
        Line(number=4, outcome="birth_date_impossible", name="Alice Tran"),
        Line(number=5, outcome="something_new"),
    ),
    added=1,
    unchanged=1,
    refused=2,
    preview=True,
)
IMPORT = Import(
    import_id=UUID(int=50),
    state=ImportState.WAITING,
    format="hl7v2",
    file_name="oru-2026-11-20.hl7",
    size=48_213,
    sha256="0" * 64,
    source="machine",
    started_at=NOW - timedelta(hours=3),
    subjects=(
        Subject(number=1, name="Rosa Alvarez", birth_date=date(1961, 4, 12), settled="matched",
                patient_id=PATIENT, results_taken=22, results_unchanged=3, documents_taken=1),
        Subject(number=2, name="R. Alvares", birth_date=date(1961, 4, 21), identifiers=("40-2218",),
                why_waiting="no_match", results_taken=4, candidates=PATIENTS.patients[:2]),
        Subject(number=3, name="", why_waiting="not_enough_to_match", results_taken=1),
        Subject(number=4, name="Lee Wu", why_waiting="no_match", settled="discarded"),
    ),
    left_out=(
        LeftOut(reason="no_value", what="OBX 3 Sodium", where="message 2, OBX 3", count=1),
        LeftOut(reason="not_supported", what="ADT A08", where="message 4", count=12),
    ),
)  # fmt: skip
IMPORTS = ImportList(
    imports=tuple(
        ImportLine(import_id=UUID(int=50 + number), state=state, format=form, file_name=name,
                   source=source, started_at=NOW - timedelta(hours=number), taken=25, unchanged=3,
                   left_out=2, waiting=int(state is ImportState.WAITING))
        for number, (state, form, name, source) in enumerate((
            (ImportState.WAITING, "hl7v2", "oru-2026-11-20.hl7", "machine"),
            (ImportState.READING, "unknown", "large.ndjson", "staff"),
            (ImportState.PREVIEW, "ccda", "summary.xml", "staff"),
            (ImportState.DONE, "fhir", "", "operator"),
            (ImportState.DISCARDED, "unknown", "photo.jpg", "staff"),
        ))
    ),
    waiting=1,
    after="next",
)  # fmt: skip
MAILS = MailList(
    mails=tuple(
        Mail(mail_id=UUID(int=70 + number), kind=LetterKind.INVITATION, state=state, tries=number,
             recipient=f"person{number}@example.com" if number else "",
             queued_at=NOW - timedelta(hours=number),
             next_try_at=NOW + timedelta(hours=1) if state is MailState.RETRYING else None,
             sent_at=NOW if state is MailState.SENT else None,
             answer="550 5.1.1 No such user" if state is MailState.BOUNCED else "")
        for number, state in enumerate(MailState)
    ),
    after="next",
)  # fmt: skip
