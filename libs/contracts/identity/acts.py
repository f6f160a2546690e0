"""What identity tells of for the activity log, and whom it names there."""

from uuid import UUID

from pydantic import Field

from libs.contracts.activity import Acted
from libs.contracts.base import Reply, Request


class IdentityActed(Acted):
    """The patient logged in, or settled who is invited to their record, or somebody accepted."""

    subject = "event.identity.acted"


class ActorNamed(Reply):
    """What somebody is called."""

    name: str = Field(repr=False)


class DescribeActor(Request[ActorNamed]):
    """The name of an account, for the log in which it stands; "" for one that is no more."""

    subject = "request.identity.describe_actor"
    askers = ("records",)
    account_id: UUID
