"""Who is told of what somebody else did with a record."""

from faststream.nats import NatsRouter

from libs.contracts.identity.letters import LetterKind
from libs.contracts.records.emergency import ChartOpened
from libs.contracts.visa import Role
from libs.runtime import inbox
from libs.runtime.broker import follows
from libs.runtime.database import Database, transaction, wall
from services.identity.domain import notices as rules
from services.identity.means import new_id, owe
from services.identity.store import accounts, invitations
from services.identity.store import notices as store

router = NatsRouter()


@follows(router, ChartOpened, by="identity")
async def chart_opened(heard: ChartOpened, pool: Database) -> None:
    """The patient, if they have an account, and every administrator of the practice."""
    async with transaction(pool, practice=heard.practice_id) as db:
        if not await inbox.first_time(db, heard, by="identity"):
            return
        own = await invitations.find_of_patient(db, heard.practice_id, heard.patient_id)
        told = [(own.account_id, LetterKind.CHART_OPENED)] if own and own.account_id else []
        told += [
            (colleague.account_id, LetterKind.CHART_OPENED_STAFF)
            for colleague in await accounts.list_colleagues(db, heard.practice_id)
            if colleague.role is Role.ADMINISTRATOR
        ]
        for account_id, kind in told:
            await wall(db, account=account_id)
            notice = rules.ChartOpened(
                id=new_id(),
                account_id=account_id,
                practice_id=heard.practice_id,
                patient_id=heard.patient_id,
                at=heard.at,
            )
            await store.add_chart_opened(db, notice)
            await owe(db, kind, notice.id)
