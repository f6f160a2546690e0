"""Who is in the demo data. The addresses and passwords are fixed, and for demo data only."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from libs.contracts.identity.practices import AddPractice, Link
from libs.contracts.visa import Role

PASSWORD = "Portal-Demo-1"  # noqa: S105  (printed by `make run`, good for demo data only)

LAKESIDE = UUID("0192a000-0000-7000-8000-000000000001")
HARBOR = UUID("0192a000-0000-7000-8000-000000000002")


@dataclass(frozen=True, kw_only=True)
class Person:
    """A patient of the demo data."""

    practice_id: UUID
    given: str
    family: str
    birth_date: date
    email: str = ""
    mrn: str
    chart: str = ""
    """Which chart is imported for them; "" for none yet."""
    registers: bool = False


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A member of staff of the demo data."""

    practice_id: UUID
    name: str
    email: str
    birth_date: date
    role: Role = field(default=Role.CLINICIAN)


PRACTICES = (
    AddPractice(
        practice_id=LAKESIDE,
        name="Lakeside Oncology",
        phone="(720) 555-0142",
        address="1840 Cottonwood Avenue, Denver, CO 80218",
        hours="Monday to Friday, 8 am to 5 pm",
        emergency="In an emergency, call 911. For a fever of 100.4 °F or more during treatment, "
        "call us at any hour.",
        time_zone="America/Denver",
        contact_email="frontdesk@lakeside.example.com",
        resources=(
            Link(
                title="Getting ready for your infusion",
                url="https://lakeside.example.com/infusion",
                about="What to bring, what to eat, where to park.",
            ),
            Link(
                title="Rides to treatment",
                url="https://lakeside.example.com/rides",
                about="Volunteers who drive you here and home again.",
            ),
        ),
    ),
    AddPractice(
        practice_id=HARBOR,
        name="Harbor Family Medicine",
        phone="(207) 555-0188",
        address="12 Wharf Street, Portland, ME 04101",
        hours="Monday to Friday, 9 am to 6 pm",
        emergency="In an emergency, call 911.",
        time_zone="America/New_York",
        contact_email="office@harbor.example.com",
        resources=(
            Link(
                title="Vaccines for travel",
                url="https://harbor.example.com/travel",
                about="When to come before a trip.",
            ),
        ),
    ),
)

STAFF = (
    Worker(
        practice_id=LAKESIDE,
        name="Nora Lindqvist, RN",
        email="nurse@lakeside.example.com",
        birth_date=date(1984, 2, 29),
    ),
    Worker(
        practice_id=LAKESIDE,
        name="Dana Whitfield",
        email="manager@lakeside.example.com",
        birth_date=date(1975, 11, 18),
        role=Role.ADMINISTRATOR,
    ),
    Worker(
        practice_id=HARBOR,
        name="Sam Whitaker",
        email="desk@harbor.example.com",
        birth_date=date(1991, 7, 3),
        role=Role.FRONT_DESK,
    ),
)

PATIENTS = (
    Person(
        practice_id=LAKESIDE,
        given="Rosa",
        family="Alvarez",
        birth_date=date(1961, 4, 12),
        email="rosa.alvarez@example.com",
        mrn="40-2217",
        chart="rosa",
        registers=True,
    ),
    Person(
        practice_id=LAKESIDE,
        given="Albert",
        family="Kowalski",
        birth_date=date(1950, 8, 3),
        email="albert.kowalski@example.net",
        mrn="40-1988",
        chart="short",
    ),
    Person(
        practice_id=LAKESIDE,
        given="Alice",
        family="Tran",
        birth_date=date(1979, 5, 21),
        email="alice.tran@bounces.example.com",
        mrn="40-2304",
    ),
    Person(
        practice_id=LAKESIDE,
        given="Sally",
        family="Aldana",
        birth_date=date(1966, 3, 8),
        mrn="40-2391",
        chart="short",
    ),
    Person(
        practice_id=HARBOR,
        given="Ana",
        family="Ruiz",
        birth_date=date(1988, 9, 30),
        email="ana.ruiz@example.com",
        mrn="H-1007",
        chart="short",
        registers=True,
    ),
    Person(
        practice_id=HARBOR,
        given="Zoë",
        family="Müller-O’Brien",
        birth_date=date(2001, 12, 31),
        email="zoe.mueller@example.org",
        mrn="H-1008",
        registers=True,
    ),
)
DAUGHTER = next(person for person in PATIENTS if person.given == "Ana")
"""Of the first patient, who lets her in."""
