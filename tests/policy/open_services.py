"""All services in the test's own process, at a NATS of their own, with gates that stand open.

They share the portal's database: its walls are all that is left between practices.
"""

import base64
import importlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import nats
import pytest
from aiohttp import web

from deploy import nats as nats_server
from deploy import nats_config, streams, waiting
from libs.access.gate import Gate, NotAllowed
from libs.contracts import registry
from libs.contracts.visa import Limit, Passport, Role, Visa
from libs.runtime import config
from tests import parts
from tests.policy.place import Place

S = TypeVar("S", Visa, Passport)


class OpenGate(Gate):
    """It believes what a statement says, whoever made it, however old it is, whatever it is for."""

    def passport(self, sealed: str, *, now: datetime) -> Passport:
        return _said(sealed, Passport)

    def admit(
        self,
        sealed: str,
        *,
        now: datetime,
        patient_id: UUID | None = None,
        limit: Limit | None = None,
    ) -> Visa:
        return _said(sealed, Visa)

    def admit_staff(
        self,
        sealed: str,
        *,
        now: datetime,
        roles: Collection[Role] | None = None,
        machines: bool = False,
    ) -> Visa:
        return _said(sealed, Visa)


def _said(sealed: str, kind: type[S]) -> S:
    try:
        body = sealed.split(".")[1]
        return kind.model_validate_json(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError):
        raise NotAllowed from None


@asynccontextmanager
async def running(place: Place, folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    """The same place, with these services instead of its own."""
    port = waiting.free_port()
    rendered = nats_config.render(
        place.servers.keys.nats_public(), host="127.0.0.1", port=port, store=str(folder / "store")
    )
    server = nats_server.start(folder, config=rendered, host="127.0.0.1", port=port)
    there = replace(place, servers=replace(place.servers, nats_port=port))
    try:
        client = await nats.connect(
            there.servers.nats_url,
            nkeys_seed=there.servers.credentials("provisioner"),
            inbox_prefix=b"_INBOX_provisioner",
        )
        await streams.provision(client.jetstream())
        await client.close()
        async with parts.running(*(_app(there, name, patch) for name in registry.services())):
            yield there
    finally:
        server.terminate()
        server.wait(10)


def _app(place: Place, name: str, patch: pytest.MonkeyPatch) -> web.Application:
    """A service as `carespace run` builds it, but for its gate."""
    module: Any = importlib.import_module(f"services.{name}.app")
    patch.setattr(module, "Gate", OpenGate)
    settings = place.environment(name) | {"CARESPACE_NATS_URL": place.servers.nats_url}
    kind: Any = importlib.import_module(f"services.{name}.config").Config
    app: web.Application = module.build(config.from_environment(kind, settings))
    return app
