"""The three things services say to each other: a request, its reply, and an event."""

from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

TRIES = 12
"""How often an event is brought to a follower before it is a dead letter: with growing pauses, over
about an hour and a half."""


class Contract(BaseModel):
    """A promise between services. It never changes in place; a new shape gets a new name.

    Bytes travel as base64. What a newer side adds, an older one ignores.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        hide_input_in_errors=True,
    )


class Reply(Contract):
    """What a service answers."""


class Done(Reply):
    """It is done, and there is nothing more to say."""


R = TypeVar("R", bound=Reply)


class Request(Contract, Generic[R]):
    """What a service can be asked, on one subject, for one kind of reply.

    The subject is `request.<owner>.<phrase>`; `askers` are the only parts that may ask.
    """

    subject: ClassVar[str]
    askers: ClassVar[tuple[str, ...]] = ("gateway",)

    @classmethod
    def reply(cls) -> type[R]:
        """The reply this request is declared to bring."""
        declared = (
            base.__pydantic_generic_metadata__ for base in cls.__mro__ if issubclass(base, Request)
        )
        return cast("type[R]", next(d["args"][0] for d in declared if d["args"]))


class Event(Contract):
    """What a service announces after the fact. Delivered at least once, told apart by `id`.

    The subject is `event.<owner>.<phrase>`. `followers` each have a durable consumer and miss
    nothing; `listeners` hear it at once, and not at all while they are away. An event carries
    ids only: no name, no address, no health data, no secret.
    """

    subject: ClassVar[str]
    followers: ClassVar[tuple[str, ...]] = ()
    listeners: ClassVar[tuple[str, ...]] = ()
    id: UUID = Field(default_factory=uuid7)


class Refused(Exception):
    """A service understood, and says no. The code is the contract; the words are the gateway's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def worded(self, words: Mapping[str, str]) -> str:
        """The sentence for this refusal, or the refusal itself where there is none."""
        if self.code not in words:
            raise self
        return words[self.code]


def owner(contract: type[Request[R]] | type[Event]) -> str:
    """The service that answers the request, or announces the event."""
    return contract.subject.split(".")[1]


def phrase(contract: type[Request[R]] | type[Event]) -> str:
    """The last word of the subject: what is asked, or what happened."""
    return contract.subject.split(".")[2]
