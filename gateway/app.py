"""How the gateway comes up; read it backwards for how it goes down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from aiohttp import web

from gateway import failures, live, protection, sent, session, static_files, watch
from gateway.config import Config
from gateway.pages import (
    account,
    activity,
    compose,
    documents,
    door,
    download,
    health,
    health_link,
    home,
    ingestion,
    leaving,
    mailbox,
    messages,
    passwords,
    registration,
    resources,
    sending,
    shared,
    staff_documents,
    staff_emails,
    staff_import_key,
    staff_imports,
    staff_message_settings,
    staff_messages,
    staff_patient,
    staff_patients,
    staff_settings,
    staff_standing,
    staff_team,
    staff_users,
    staff_writing,
    two_step,
    users,
)
from libs.runtime import broker, lifeline
from libs.runtime import health as condition

FORM_LIMIT = 2 * 1024 * 1024
"""Bytes of a form without a file; a list of patients is the largest."""
CARRIED_WITHIN = 5
"""Seconds for NATS before the door opens without it."""

PAGES = (
    door,
    registration,
    passwords,
    home,
    health,
    documents,
    download,
    sending,
    shared,
    compose,
    messages,
    users,
    leaving,
    activity,
    resources,
    account,
    two_step,
    staff_patients,
    staff_patient,
    staff_standing,
    staff_users,
    staff_documents,
    staff_imports,
    staff_messages,
    staff_writing,
    staff_message_settings,
    staff_settings,
    staff_import_key,
    staff_team,
    staff_emails,
    ingestion,
    health_link,
)


def build(config: Config) -> web.Application:
    app = web.Application(
        client_max_size=FORM_LIMIT,
        middlewares=[
            protection.identified,
            watch.counted,
            failures.explained,
            static_files.compressed,
            protection.only_our_forms,
        ],
    )
    app[protection.CONFIG] = config
    app[session.DESK] = session.Desk()
    app[live.HUB] = live.Hub()
    app[sent.ENDINGS] = sent.Endings()
    app.on_shutdown.append(app[live.HUB].close)
    app.on_response_prepare.append(protection.put_headers)
    for area in PAGES:
        app.add_routes(area.routes)
    if config.mailbox_url:
        app.add_routes(mailbox.routes)
    app.add_routes(live.routes)
    app.add_routes(static_files.routes)
    app.cleanup_ctx.extend(
        [
            broker.connected(
                "gateway", config.nats_url, config.nats_credentials, ca=config.nats_ca
            ),
            session.remembered,
            live.heard,
            sent.watched,
            conditioned(config),
            carried,
        ]
    )
    return app


def conditioned(config: Config) -> Callable[[web.Application], AbstractAsyncContextManager[None]]:
    """Health and metrics answer on a port of their own, away from the public one."""

    @asynccontextmanager
    async def context(app: web.Application) -> AsyncIterator[None]:
        inner = web.Application()
        inner[lifeline.LINE] = app[lifeline.LINE]
        if condition.OPEN in app:
            inner[condition.OPEN] = app[condition.OPEN]
        inner.add_routes(condition.routes)
        runner = web.AppRunner(inner, access_log=None)
        await runner.setup()
        if config.health_port:
            await web.TCPSite(runner, config.host, config.health_port).start()
        yield
        await runner.cleanup()

    return context


@asynccontextmanager
async def carried(app: web.Application) -> AsyncIterator[None]:
    """The door opens once NATS carries; where that is away, all the same, to say so on each page.

    Whoever comes to a gateway that takes another's place would else be turned away by it.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(CARRIED_WITHIN):
            while not app[lifeline.LINE].ready:  # noqa: ASYNC110  (it also becomes unready)
                await asyncio.sleep(0.02)
    yield
