"""Announcements: who is told by e-mail that a message waits, how often, and when not."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Event, Reply, Request


class Frequency(StrEnum):
    """How often somebody is told."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    """One e-mail in the morning about all that waits then."""
    NEVER = "never"


class Choice(Reply):
    """What an account chose, about the messages of one practice."""

    frequency: Frequency
    quiet_from: int | None = None
    """The hour, where the practice is, from which nothing is sent, until `quiet_until`."""
    quiet_until: int | None = None


class ShowChoice(Request[Choice]):
    """The visa's account's; of staff about the queue, of anyone else about what they receive."""

    subject = "request.messaging.show_choice"
    visa: str = Field(repr=False)


class SaveChoice(Request[Done]):
    """From now on. `time_zone` is the practice's."""

    subject = "request.messaging.save_choice"
    visa: str = Field(repr=False)
    frequency: Frequency
    quiet_from: int | None = Field(default=None, ge=0, le=23)
    quiet_until: int | None = Field(default=None, ge=0, le=23)
    time_zone: str = Field(max_length=100)


class AnnouncementDue(Event):
    """Somebody is to be told, at that time, unless they have read it by then."""

    subject = "event.messaging.announcement_due"
    followers = ("notifier",)
    practice_id: UUID
    reference_id: UUID
    """The announcement."""
    at: datetime


class Announcement(Reply):
    """Whom to tell, and where the message is."""

    account_id: UUID
    path: str
    staff: bool = False
    """Told as one of the practice's staff, whom identity may have taken off the team."""


class DescribeAnnouncement(Request[Announcement]):
    """What an announcement says now. NOTHING_WAITS: do not send it."""

    subject = "request.messaging.describe_announcement"
    askers = ("notifier",)
    practice_id: UUID
    reference_id: UUID
