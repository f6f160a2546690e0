"""Members of staff, and their seats at a practice."""

from datetime import date
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request
from libs.contracts.visa import Role


class InviteStaff(Request[Done]):
    """A seat for a member of staff, who gets a registration link by e-mail."""

    subject = "request.identity.invite_staff"
    askers = ("operator",)
    practice_id: UUID
    name: str
    email: str
    date_of_birth: date
    role: Role


class Colleague(Reply):
    """Somebody who works at the practice."""

    account_id: UUID
    name: str
    role: Role


class Colleagues(Reply):
    """By name."""

    colleagues: tuple[Colleague, ...]


class ListColleagues(Request[Colleagues]):
    """Everyone with a seat at the practice that this session's seat is at."""

    subject = "request.identity.list_colleagues"
    session: bytes = Field(repr=False)


class Seat(Reply):
    """A member of staff's place at a practice, with the visa that goes with it."""

    practice_id: UUID
    role: Role
    visa: str = Field(repr=False)
