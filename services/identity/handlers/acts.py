"""Whom an activity log names."""

from faststream.nats import NatsRouter

from libs.contracts.identity.acts import ActorNamed, DescribeActor
from libs.runtime.broker import answers
from libs.runtime.database import Database, transaction
from services.identity.store import accounts

router = NatsRouter()


@answers(router, DescribeActor)
async def describe_actor(asked: DescribeActor, pool: Database) -> ActorNamed:
    async with transaction(pool, account=asked.account_id) as db:
        return ActorNamed(name=await accounts.find_name(db, asked.account_id))
