"""What a practice decides about its messages."""

from uuid import UUID

from faststream.nats import NatsRouter

from libs.access.gate import AtGate
from libs.contracts.base import Done, Refused
from libs.contracts.messaging.refusals import Refusal
from libs.contracts.messaging.settings import (
    FIRST_TEAM,
    TEMPLATES_AT_MOST,
    RemoveTemplate,
    Routing,
    SaveRouting,
    SaveTemplate,
    Settings,
    ShowSettings,
    ShowTimes,
    Template,
)
from libs.contracts.visa import Role
from libs.runtime.broker import answers
from libs.runtime.clock import Now
from libs.runtime.database import Connection, Database, transaction
from services.messaging.domain import settings as rules
from services.messaging.domain import words
from services.messaging.means import admit_to_mailbox
from services.messaging.store import settings as store

router = NatsRouter()
ADMINISTRATORS = {Role.ADMINISTRATOR}


@answers(router, ShowSettings)
async def show_settings(asked: ShowSettings, pool: Database, now: Now, gate: AtGate) -> Settings:
    visa = gate.admit_staff(asked.visa, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        routing = await _routing(db, visa.practice_id)
        return Settings(
            routing=routing,
            teams=tuple(await store.list_teams(db, visa.practice_id)) or (FIRST_TEAM,),
            templates=tuple(await store.list_templates(db, visa.practice_id)),
        )


@answers(router, ShowTimes)
async def show_times(asked: ShowTimes, pool: Database, now: Now, gate: AtGate) -> Settings:
    visa = admit_to_mailbox(gate, asked.visa, patient_id=asked.patient_id, now=now)
    async with transaction(pool, practice=visa.practice_id) as db:
        return Settings(routing=await _routing(db, visa.practice_id), teams=(), templates=())


@answers(router, SaveRouting)
async def save_routing(asked: SaveRouting, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    teams = rules.teams(asked.teams)
    rules.check_routing(asked.routing, teams)
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.lock_settings(db, visa.practice_id)
        await store.remove_teams(db, visa.practice_id)
        await store.add_teams(db, visa.practice_id, teams)
        for route in asked.routing:
            await store.save_route(db, visa.practice_id, route)
    return Done()


@answers(router, SaveTemplate)
async def save_template(asked: SaveTemplate, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    template = Template(
        template_id=asked.template_id,
        name=rules.name(asked.name),
        text=words.body(asked.text, from_practice=True),
    )
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.lock_settings(db, visa.practice_id)
        known = await store.list_templates(db, visa.practice_id)
        others = [one for one in known if one.template_id != template.template_id]
        if len(others) >= TEMPLATES_AT_MOST:
            raise Refused(Refusal.TOO_MANY)
        await store.save_template(db, visa.practice_id, template)
    return Done()


@answers(router, RemoveTemplate)
async def remove_template(asked: RemoveTemplate, pool: Database, now: Now, gate: AtGate) -> Done:
    visa = gate.admit_staff(asked.visa, now=now, roles=ADMINISTRATORS)
    async with transaction(pool, practice=visa.practice_id) as db:
        await store.remove_template(db, visa.practice_id, asked.template_id)
    return Done()


async def _routing(db: Connection, practice_id: UUID) -> tuple[Routing, ...]:
    routes = await store.list_routes(db, practice_id)
    return tuple(
        Routing(category=category, team=route.team, answer_within_hours=route.answer_within_hours)
        for category, route in routes.items()
    )
