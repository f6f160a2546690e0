"""From the practice's list to one's own results: the guide's first journey."""

import json
import urllib.request
from collections.abc import Callable
from datetime import date

from deploy.demo.chart import bundle
from deploy.demo.people import LAKESIDE, Person
from libs.runtime.clock import utcnow
from tests.journeys.conftest import Look, Visit
from tests.journeys.nurse import nurse_logs_in

Open = Callable[[], Visit]


def new_person(look: Look) -> Person:
    name = look.name.replace(" ", "-")
    return Person(
        practice_id=LAKESIDE,
        given="Mina",
        family=f"Park {name}",
        birth_date=date(1972, 7, 9),
        email=f"mina.{name}@example.com",
        mrn=f"J-{name}",
        chart="short",
    )


def results_arrive(visit: Visit, person: Person) -> None:
    """By machine, through the ingestion endpoint."""
    sent = urllib.request.Request(
        f"{visit.portal.url}/api/v1/import",
        data=bundle(person, now=utcnow()),
        headers={
            "Authorization": f"Bearer {visit.portal.import_key(str(LAKESIDE))}",
            "Content-Type": "application/fhir+json",
        },
    )
    with urllib.request.urlopen(sent, timeout=20) as answer:
        assert answer.status == 202
        assert json.load(answer)["report"].startswith("/api/v1/import/")


def test_a_new_patient_gets_from_the_invitation_to_their_results(visit: Open, look: Look) -> None:
    person = new_person(look)
    staff, patient = visit(), visit()

    nurse_logs_in(staff)
    staff.goes_to("/staff/patients/new")
    staff.types("Given name", person.given)
    staff.types("Family name", person.family)
    staff.types_date(1972, 7, 9)
    staff.types("Email", person.email)
    staff.types("Record number", person.mrn)
    staff.presses("Add patient")
    staff.sees(person.family, "Invited")
    results_arrive(staff, person)

    letter = patient.portal.letter(person.email)
    assert letter["subject"] == "Lakeside Oncology: finish your registration"
    assert "Complete Your Registration" in letter["html"]
    assert person.given not in letter["subject"]
    link = patient.portal.link(person.email)
    patient.goes_to(link)
    patient.sees("Complete Your Registration", person.email)

    patient.types_date(1972, 7, 9)
    patient.types("Password", "short")
    patient.types("Confirm password", "short")
    patient.page.get_by_label("I have read and accept").check()
    patient.presses("Complete registration")
    patient.sees("There is a problem", "Your password needs 8 characters or more.")

    patient.types("Password", "Quiet-Harbor-72")
    patient.types("Confirm password", "Quiet-Harbor-72")
    patient.presses("Complete registration")
    patient.sees("Log in", "You can log in now.")

    patient.types("Email", person.email)
    patient.types("Password", "Quiet-Harbor-72")
    patient.types_date(1972, 7, 9)
    patient.presses("Log in")
    patient.sees("Hemoglobin", "g/dL", f"{person.given} {person.family}")
    assert patient.page.url.endswith("/health")

    staff.goes_to("/staff/patients?q=" + person.mrn)
    staff.sees("Registered")
    patient.goes_to(link)
    patient.sees_nothing_of(person.email)
