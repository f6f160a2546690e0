"""What a practice decides about its messages: teams, times, and answers prepared beforehand."""

from uuid import UUID

from pydantic import Field

from libs.contracts.base import Done, Reply, Request
from libs.contracts.messaging.writing import Category

TEAMS_AT_MOST = 20
TEMPLATES_AT_MOST = 100
NAME_LIMIT = 80
"""Characters of a team's or template's name."""
HOURS_AT_MOST = 24 * 14
FIRST_TEAM = "Care team"
"""Whose every conversation is where a practice has said nothing."""
FIRST_HOURS = 24


class Routing(Reply):
    """Who gets the messages of a category, and by when patients usually have an answer."""

    category: Category
    team: str
    answer_within_hours: int


class Template(Reply):
    """An answer that was prepared beforehand."""

    template_id: UUID
    name: str
    text: str


class Settings(Reply):
    """Every category has its routing, said or not."""

    routing: tuple[Routing, ...]
    teams: tuple[str, ...]
    templates: tuple[Template, ...]


class ShowSettings(Request[Settings]):
    """For staff."""

    subject = "request.messaging.show_settings"
    visa: str = Field(repr=False)


class ShowTimes(Request[Settings]):
    """For whoever writes to the practice: the routing only."""

    subject = "request.messaging.show_times"
    visa: str = Field(repr=False)
    patient_id: UUID


class SaveRouting(Request[Done]):
    """For an administrator."""

    subject = "request.messaging.save_routing"
    visa: str = Field(repr=False)
    routing: tuple[Routing, ...]
    teams: tuple[str, ...]


class SaveTemplate(Request[Done]):
    """A new template, or other words for one."""

    subject = "request.messaging.save_template"
    visa: str = Field(repr=False)
    template_id: UUID
    name: str = Field(max_length=1_000)
    text: str = Field(max_length=20_000)


class RemoveTemplate(Request[Done]):
    """A template that the practice does not want any more."""

    subject = "request.messaging.remove_template"
    visa: str = Field(repr=False)
    template_id: UUID
