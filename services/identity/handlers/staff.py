"""Members of staff, as their colleagues see them."""

from faststream.nats import NatsRouter

from libs.contracts.base import Refused
from libs.contracts.identity.refusals import Refusal
from libs.contracts.identity.staff import Colleagues, ListColleagues
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Database, transaction, wall
from services.identity.means import own_session
from services.identity.store import accounts

router = NatsRouter()


@answers(router, ListColleagues)
async def list_colleagues(asked: ListColleagues, pool: Database, now: Now) -> Colleagues:
    async with transaction(pool) as db:
        session = await own_session(db, asked.session, now=now)
        if session.practice_id is None:
            raise Refused(Refusal.NO_SESSION)
        if await accounts.find_role(db, session.account_id, session.practice_id) is None:
            raise Refused(Refusal.NO_SESSION)
        await wall(db, practice=session.practice_id)
        return Colleagues(colleagues=tuple(await accounts.list_colleagues(db, session.practice_id)))
