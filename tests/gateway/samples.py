"""A made-up record and practice, in the shapes that the services answer in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from gateway import health_link
from gateway.proving import Proof
from gateway.rendering import Chrome, Notice
from libs.contracts.identity.invitations import Invitation
from libs.contracts.identity.practices import Link, Practice
from libs.contracts.identity.sessions import OpenSession, Session
from libs.contracts.identity.staff import Seat
from libs.contracts.records.documents import Document, DocumentLine, DocumentList
from libs.contracts.records.exports import (
    Counted,
    Export,
    ExportState,
    Format,
    Kind,
    Selection,
)
from libs.contracts.records.health import Earlier, Flag, Health, Range, Result, Status, Test
from libs.contracts.records.moments import Precision
from libs.contracts.records.patients import Person
from libs.contracts.records.sending import Addressee, Door, Offered, Sending, SendingState, Unlocked
from libs.contracts.visa import Role

NOW = datetime(2026, 11, 22, 21, 14, tzinfo=UTC)
PATIENT = UUID("0192a000-0000-7000-8000-000000000042")
PRACTICE = Practice(
    practice_id=UUID(int=1),
    name="Lakeside Oncology",
    phone="(720) 555-0142",
    address="1840 Cottonwood Avenue, Denver, CO 80218",
    hours="Monday to Friday, 8 am to 5 pm",
    emergency="In an emergency, call 911.",
    time_zone="America/Denver",
    resources=(
        Link(
            title="Getting ready for your infusion",
            url="https://lakeside.example.com/infusion",
            about="What to bring, what to eat, where to park.",
        ),
    ),
)
ROSA = Person(
    patient_id=PATIENT,
    practice_id=PRACTICE.practice_id,
    given="Rosa",
    family="Alvarez",
    birth_date=date(1961, 4, 12),
    mrn="40-2217",
)


def session(name: str = "Rosa Alvarez", seat: Seat | None = None) -> Session:
    return Session(
        session_id=UUID(int=7),
        account_id=UUID(int=8),
        name=name,
        email="rosa.alvarez@example.com",
        passport="",
        seat=seat,
        idle_ends_at=datetime.now(UTC) + timedelta(minutes=15),
        ends_at=datetime.now(UTC) + timedelta(hours=12),
    )


def record(tab: str = "health", **other: Any) -> Chrome:
    """What stands around a page of Rosa's own record."""
    around: dict[str, Any] = {
        "practice": PRACTICE,
        "session": session(),
        "patient_id": PATIENT,
        "patient": ROSA,
        "tab": tab,
    }
    return Chrome(**around | other)


def at_work(tab: str = "patients", notice: Notice | None = None) -> Chrome:
    """What stands around a page of the staff side."""
    seat = Seat(practice_id=PRACTICE.practice_id, role=Role.CLINICIAN, visa="")
    who = session("Dana Whitfield", seat)
    return Chrome(practice=PRACTICE, session=who, tab=tab, waiting=2, notice=notice)


def result(value: str, *, days_ago: int = 5, low: str = "", high: str = "", **other: Any) -> Result:
    """A result of so many days ago; its number and flag follow from what is written."""
    number = _number(value)
    ends = Range(low=_number(low), high=_number(high)) if low or high else None
    said: dict[str, Any] = {
        "result_id": uuid5(PATIENT, f"{value} {days_ago} {low}"),
        "value": value,
        "number": number,
        "comparator": value[:1] if value[:1] in {"<", ">"} else "",
        "kind": "text" if number is None else "quantity",
        "range": ends,
        "flag": _flag(number, ends),
        "status": Status.FINAL,
        "collected_at": NOW - timedelta(days=days_ago),
    }
    return Result(**said | other)


def _number(text: str) -> Decimal | None:
    bare = text.lstrip("<>")
    return Decimal(bare) if bare.replace(".", "", 1).replace("-", "", 1).isdigit() else None


def _flag(number: Decimal | None, ends: Range | None) -> Flag:
    if number is None or ends is None:
        return Flag.UNKNOWN
    if ends.low is not None and number < ends.low:
        return Flag.LOW
    return Flag.HIGH if ends.high is not None and number > ends.high else Flag.NORMAL


def test_of(name: str, group: str, unit: str, *history: Result, **other: Any) -> Test:
    """A test with its results, newest first."""
    results = tuple(one.model_copy(update={"unit": one.unit or unit}) for one in history)
    return Test(
        key=name.lower().replace(" ", "-"),
        name=name,
        unit=unit,
        group=group,
        latest=results[0],
        history=results,
        total=other.pop("total", len(results)),
        **other,
    )


DRAWS = (5, 26, 47, 68, 89, 110, 131)


def series(name: str, group: str, unit: str, ends: tuple[str, str], *values: str) -> Test:
    low, high = ends
    return test_of(
        name,
        group,
        unit,
        *(
            result(value, days_ago=ago, low=low, high=high)
            for value, ago in zip(values, DRAWS, strict=False)
        ),
    )


HEMOGLOBIN = test_of(
    "Hemoglobin",
    "Blood counts",
    "g/dL",
    result("10.9", days_ago=5, low="12.0", high="15.5", new=True, specimen="Blood",
           performer="Front Range Reference Lab", orderer="Priya Raman, MD"),
    result("10.3", days_ago=26, low="12.0", high="15.5"),
    result("9.8", days_ago=47, low="12.0", high="15.5"),
    result("10.2", days_ago=68, low="12.0", high="15.5", status=Status.CORRECTED,
           earlier=(Earlier(value="12.0", unit="g/dL", corrected_at=NOW - timedelta(days=66)),)),
    result("11.2", days_ago=89, low="12.0", high="15.5"),
    result("12.1", days_ago=110, low="12.0", high="15.5"),
    result("12.9", days_ago=131, low="12.0", high="15.5"),
    about="Carries oxygen in the blood",
)  # fmt: skip

TESTS = (
    HEMOGLOBIN,
    series("White blood cells", "Blood counts", "10*3/uL", ("4.0", "11.0"),
           "4.6", "3.9", "3.2", "4.4", "5.1", "6.0", "6.2"),
    series("Platelets", "Blood counts", "10*3/uL", ("150", "400"),
           "187", "182", "160", "171", "203", "240", "255"),
    series("ALT", "Liver and kidneys", "U/L", ("7", "35"), "44", "39", "36", "30", "28"),
    test_of("Bilirubin, direct", "Liver and kidneys", "mg/dL",
            result("<0.1", days_ago=5, high="0.3"), result("0.2", days_ago=47, high="0.3")),
    test_of("eGFR", "Liver and kidneys", "mL/min",
            result(">60", days_ago=5, low="60"), result("58", days_ago=400, low="60"),
            result("71", days_ago=900, low="60")),
    test_of("HIV 1 and 2 antibodies", "Other tests", "",
            result("Not detected", days_ago=26, flag=Flag.NORMAL,
                   range=Range(text="Not detected"))),
    test_of("Biopsy", "Other tests", "",
            result("Specimen A, left breast: invasive ductal carcinoma, grade 2.\n"
                   "Margins are clear. See the comment for receptor status.",
                   days_ago=200, status=Status.PRELIMINARY, flag=Flag.ABNORMAL)),
    test_of("ANA titer", "Other tests", "",
            result("1:128", kind="ratio", number=None, days_ago=600, flag=Flag.ABNORMAL,
                   precision=Precision.MONTH, zoned=False)),
    test_of("Vitamin D", "Other tests", "ng/mL",
            result("Hemolyzed", kind="absent", days_ago=26, range=None)),
)  # fmt: skip


def paper(number: int, title: str, kind: str, days_ago: int, **other: Any) -> DocumentLine:
    on = NOW - timedelta(days=days_ago)
    said: dict[str, Any] = {
        "document_id": UUID(int=number),
        "title": title,
        "kind": kind,
        "author": "Priya Raman, MD",
        "media_type": "application/pdf",
        "file_name": "visit.pdf",
        "size": 182_400,
        "dated": on.date(),
        "added_at": on,
    }
    return DocumentLine(**said | other)


PAPERS = (
    paper(1, "Visit with Dr. Raman", "Visit note", 3, new=True),
    paper(2, "Complete blood count", "Lab report", 5, new=True, author="Front Range Reference Lab"),
    paper(3, "Infusion summary, cycle 6 of 8", "Treatment", 19),
    paper(4, "CT chest, abdomen and pelvis", "Scan report", 24, media_type="image/png",
          file_name="ct.png", size=2_412_000),
    paper(5, "Letter to your employer", "Letter", 65, dated=None, author=""),
    paper(6, "Summary of care", "", 80, media_type="application/cda+xml", replaced=True),
    paper(7, "Scan as DICOM", "Scan report", 90, media_type="application/dicom"),
)  # fmt: skip

HEALTH = Health(person=ROSA, tests=TESTS, documents=PAPERS[:6], documents_total=23)
NOTHING_YET = Health(person=ROSA, tests=(), documents=(), documents_total=0)
DOCUMENTS = DocumentList(
    person=ROSA,
    documents=PAPERS,
    kinds=("Lab report", "Letter", "Scan report", "Visit note"),
    total=23,
    after="next",
)


def opened(line: DocumentLine, *, viewable: bool = True) -> Document:
    return Document(person=ROSA, document=line, viewable=viewable, sha256="0" * 64, chunks=1)


DOWNLOAD: dict[str, Any] = {
    "chosen": Selection(kinds=frozenset(Kind), start=date(2025, 11, 22)),
    "parts": list(Kind),
    "count": Counted(results=41, documents=17, messages=6, size=2_400_000),
    "query": {"start_date": "2025-11-22"},
    "quick": {"Last 3 months": "?", "Last 12 months": "?", "Everything": "?"},
    "key": UUID(int=9),
    "errors": {},
}
DOWNLOAD_WRONG = DOWNLOAD | {
    "query": {"start_date": "2026-11-22", "end_date_month": "2", "end_date_day": "30"},
    "errors": {"end_date": "Enter a date, like 3 8 2026, or leave it empty."},
}


def export(state: ExportState) -> Export:
    return Export(
        export_id=UUID(int=10),
        format=Format.ZIP,
        kinds=frozenset(Kind),
        state=state,
        done=2,
        total=4,
        size=3_200_000,
        file_name="health-record-2026-11-22.zip",
        media_type="application/zip",
    )


def sending(state: SendingState, **said: Any) -> Sending:
    return Sending(
        **{
            "sending_id": UUID(int=20 + list(SendingState).index(state)),
            "recipient": "dr.okafor@lakesideprimary.example",
            "sender": "Rosa Alvarez",
            "sender_id": UUID(int=8),
            "kinds": frozenset(Kind),
            "start": date(2025, 11, 22),
            "end": None,
            "holds": Counted(results=41, documents=17, messages=6, size=2_400_000),
            "state": state,
            "sent_at": NOW - timedelta(days=2, minutes=list(SendingState).index(state)),
            "expires_at": NOW + timedelta(days=28),
            "opened_at": NOW - timedelta(days=1) if state is SendingState.OPENED else None,
            "note": "",
            "note_to": Addressee.SENDER,
            "noted_at": None,
            "token": "x" * 64 if state in (SendingState.SENT, SendingState.OPENED) else "",
            "link_key": bytes(32),
        }
        | said
    )


SENDINGS = tuple(
    sending(state, note="Thank you, this helps." if state is SendingState.OPENED else "")
    for state in SendingState
)
SENDING: dict[str, Any] = {
    "chosen": Selection(kinds=frozenset(Kind)),
    "parts": list(Kind),
    "count": Counted(results=41, documents=17, messages=6, size=2_400_000),
    "form": {},
    "quick": {"Last 3 months": "?", "Last 12 months": "?", "Everything": "?"},
    "times": {"7": "7 days", "14": "14 days", "30": "30 days"},
    "suggestion": "maple-orbit-tundra-lemon-coast",
    "strength": "Strong.",
    "longest": 1000,
    "proof": Proof(wanted=True, code=False),
    "sendings": SENDINGS,
    "just": None,
    "errors": {},
}
SENDING_WRONG = SENDING | {
    "form": {"recipient_email": "dr.okafor", "notes": "Please look at the last scan."},
    "sendings": (),
    "errors": {
        "recipient_email": "Enter the recipient’s email address, like name@example.com.",
        "record_password": "The password needs 12 characters or more.",
    },
}
DOOR = Door(
    practice=PRACTICE,
    state=SendingState.SENT,
    expires_at=NOW + timedelta(days=28),
    tries_left=5,
    link_key=bytes(32),
)
LINK = health_link.link(
    "https://portal.example.com",
    "x" * 64,
    bytes(32),
    expires_at=NOW + timedelta(days=28),
    practice=PRACTICE.name,
)
UNLOCKED = Unlocked(
    key=b"",
    patient="Rosa Alvarez",
    birth_date=ROSA.birth_date,
    practice=PRACTICE,
    sender="Ana Ruiz for Rosa Alvarez",
    notes="Dear Dr. Okafor,\nplease look at the last scan.",
    holds=Counted(results=41, documents=17, messages=6, size=2_400_000),
    files=tuple(
        Offered(format=one, file_name=f"record.{one}", media_type="", size=size)
        for one, size in zip(
            Format, (180_000, 240_000, 3_400_000, 3_300_000, 2_900_000), strict=True
        )
    ),
    expires_at=NOW + timedelta(days=28),
    noted=False,
)


INVITATION = Invitation(
    practice_id=PRACTICE.practice_id,
    practice_name=PRACTICE.name,
    email="rosa.alvarez@example.com",
    expires_at=NOW + timedelta(days=3),
    staff=False,
    has_account=False,
)


SESSIONS = (
    OpenSession(session_id=UUID(int=90), device="Safari on iPhone", place="203.0.113.0/24",
                started_at=NOW - timedelta(hours=1), last_seen_at=NOW, current=True),
    OpenSession(session_id=UUID(int=91), device="Chrome on Windows", place="198.51.100.0/24",
                started_at=NOW - timedelta(days=1), last_seen_at=NOW - timedelta(hours=20),
                current=False),
)  # fmt: skip
LETTERS: list[dict[str, Any]] = [
    {
        "id": "1",
        "to": "rosa.alvarez@example.com",
        "subject": "Lakeside Oncology: finish your registration",
        "text": "Hello Rosa,\n\nhttps://portal.example.com/register/abc\n",
        "html": "<p>Hello</p>",
        "sent_at": NOW.isoformat(),
    }
]
