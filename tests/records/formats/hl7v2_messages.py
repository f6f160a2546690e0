"""Messages for tests, built from what a test is about, and read back."""

import io
from typing import TypeVar

from services.records.domain.found import Document, Found, LeftOut, Patient, Reason
from services.records.domain.result import Result
from services.records.formats.hl7v2 import read

Kind = TypeVar("Kind", Patient, Result, Document, LeftOut)

HEADER = r"MSH|^~\&|LIS|GENERAL LAB||PORTAL|20240305120000+0100||ORU^R01|M1|P|2.5.1"
PATIENT = "PID|1||4711^^^CLINIC^MR||Alvarez^Rosa^Maria||19610615|F"
ORDER = "OBR|1|P1|F1|CBC^Blood count^L|||20240304080000+0100"

SODIUM = "OBX|1|NM|2951-2^Sodium^LN||141|mmol/L|136-145|N|||F|||20240304081500+0100"


def message(
    *segments: str, header: str = HEADER, patient: str = PATIENT, order: str = ORDER
) -> bytes:
    """A message of these segments; patient and order are the usual ones, unless among them."""
    names = {segment[:3] for segment in segments}
    before = [patient] if patient and "PID" not in names else []
    before += [order] if order and not names & {"PID", "OBR"} else []
    return "\r".join([header, *before, *segments, ""]).encode()


def found_in(data: bytes) -> list[Found]:
    return list(read(io.BytesIO(data)))


def only(kind: type[Kind], found: list[Found]) -> list[Kind]:
    return [each for each in found if isinstance(each, kind)]


def results_in(*segments: str) -> list[Result]:
    return only(Result, found_in(message(*segments)))


def result_of(*segments: str) -> Result:
    """The one result of a message."""
    (result,) = results_in(*segments)
    return result


def reasons_in(data: bytes) -> list[tuple[Reason, str]]:
    """Why and where something was left out."""
    return [(each.reason, each.where) for each in only(LeftOut, found_in(data))]
