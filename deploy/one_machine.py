"""Everything on one machine: a real Postgres, a real NATS, every service, and the gateway.

All of it is under one folder, on loopback, with secrets made for it. Another start finds its data.
"""

import asyncio
import gc
import importlib
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from deploy import (
    administrator,
    installation,
    keys,
    mailbox,
    migrate,
    nats_config,
    postgres,
    processes,
    streams,
    waiting,
)
from deploy import nats as nats_server
from deploy.backup import checking, restoring
from deploy.demo import loading
from deploy.installation import HOST, Installation
from deploy.problem import Problem
from deploy.supervisor import Part, Supervisor
from libs.contracts import registry

SHARED = ("lxml.etree", "argon2", "pyotp", "babel.dates", "aiosmtplib", "uvloop")
"""What several services import: done once, before any of them is forked."""
PATIENCE = 60
"""Seconds for anything to come up; it takes two or three."""


def up(  # noqa: PLR0913
    *,
    folder: Path,
    port: int,
    with_demo: bool,
    with_mailbox: bool,
    console: Console,
    restore: Path | None = None,
) -> None:
    """Bring everything up, look after it, and bring it down when told to.

    With a backup to restore, what is in it is there before the services are.
    """
    began = time.monotonic()
    with installation.held(folder):
        if refused := waiting.why_not(HOST, port):
            raise Problem(f"Port {port} {refused}. Choose another one with --port.")
        here = installation.prepared(folder, port, with_mailbox=with_mailbox)
        with Supervisor(folder / "run", say=partial(_tell, console)) as watching:
            console.print(f"[bold]CareSpace[/] is starting in {folder}")
            if _bring_up(watching, here, console, with_demo=with_demo, restore=restore):
                _welcome(console, here, time.monotonic() - began, with_demo=with_demo)
                watching.watch(lambda: False)
            console.print("\nStopping. Ctrl-C again ends it at once.")
    console.print("Stopped. Everything is kept for the next start.")


def _bring_up(
    watching: Supervisor,
    here: Installation,
    console: Console,
    *,
    with_demo: bool,
    restore: Path | None,
) -> bool:
    """Floor by floor; False if somebody told us to stop on the way."""
    for server in _servers(watching, here):
        watching.add(server)
    _import_what_is_shared()
    ports = [here.ports[name] for name in ("postgres", "nats")]
    yes = _until(watching, here, "postgres", lambda: all(waiting.answers(HOST, p) for p in ports))
    yes = yes and _once(watching, here, "migrate", lambda: asyncio.run(_provision(here)))
    if not yes:
        return False
    console.print("  [green]up[/]  Postgres, NATS")
    if restore:
        console.print(f"  Restoring {restore}")
        if not _once(watching, here, "restore", lambda: asyncio.run(_restore(here, restore))):
            return False
    parts = [*registry.services(), "gateway"]
    if here.with_mailbox:
        parts.insert(0, "mailbox")
    for part in parts:
        floor = 1 if part == "mailbox" else 3 if part == "gateway" else 2
        watching.add(Part(name=part, start=_starter(here, part), floor=floor))
    for part in parts:
        if not _until(watching, here, part, partial(_ready, here, part)):
            return False
    console.print(f"  [green]up[/]  {', '.join(parts)}")
    if with_demo and not loading.loaded(here.folder):
        console.print("  Making demo patients, with their letters, accounts and charts")
        return _once(watching, here, "demo", lambda: asyncio.run(loading.load(here)))
    return True


def _until(watching: Supervisor, here: Installation, name: str, up: Callable[[], bool]) -> bool:
    """Until it is up; False if somebody told us to stop; a sentence if it takes too long."""
    if watching.watch(up, within=PATIENCE):
        return True
    if watching.asked_to_stop:
        return False
    raise Problem(f"{name} did not come up in {PATIENCE} s; {here.log(name)} says why.")


def _once(watching: Supervisor, here: Installation, name: str, work: Callable[[], None]) -> bool:
    """Do something with a loop of its own, in a process that ends; this one must stay without."""
    part = _errand(here, name, work)
    watching.add(part)
    done = watching.watch(lambda: part.ended_with is not None)
    if part.ended_with:
        raise Problem(f"`{name}` did not succeed; {here.log(name)} says why.")
    return done


def _errand(here: Installation, name: str, work: Callable[[], None]) -> Part:
    log = here.log(name)
    start = partial(processes.forked, name, work, dict(os.environ), log)
    return Part(name=name, start=start, floor=3, once=True)


def _servers(watching: Supervisor, here: Installation) -> list[Part]:
    held: dict[str, object] = {}  # or subprocess would wait for them behind our back

    def start_postgres() -> int:
        server = postgres.launch(
            here.folder / "postgres",
            port=here.ports["postgres"],
            password=here.keys.postgres["admin"],
            prepare=processes.fresh(signal.SIGINT),
        )
        held["postgres"] = server
        return server.pid

    def start_nats() -> int:
        config = nats_config.render(
            here.keys.nats_public(),
            host=HOST,
            port=here.ports["nats"],
            store=str(here.folder / "nats" / "store"),
        )
        server = nats_server.launch(
            here.folder / "nats", config=config, prepare=processes.fresh(signal.SIGTERM)
        )
        held["nats"] = server
        return server.pid

    def again() -> None:
        """A NATS that was killed may have lost its streams; it gets them back."""
        watching.add(_errand(here, "streams", lambda: asyncio.run(_provision_streams(here))))

    return [
        Part(
            name="postgres",
            start=start_postgres,
            stop_signal=signal.SIGINT,
            hurry_signal=signal.SIGQUIT,
        ),
        Part(name="nats", start=start_nats, floor=1, on_restart=again),
    ]


def _import_what_is_shared() -> None:
    """Import once what every service needs; freeze it, so that forks go on sharing it."""
    for module in SHARED:
        importlib.import_module(module)
    for part in registry.services():
        importlib.import_module(f"services.{part}.__main__")
    importlib.import_module("gateway.__main__")
    gc.collect()
    gc.freeze()


def _starter(here: Installation, part: str) -> Callable[[], int]:
    def run() -> None:
        if part == "mailbox":
            mailbox.run()
        else:
            package = part if part == "gateway" else f"services.{part}"
            importlib.import_module(f"{package}.__main__").main()

    return lambda: processes.forked(part, run, here.environment(part), here.log(part))


async def _provision(here: Installation) -> None:
    admin = await migrate.connected(here.database_url("admin"))
    await migrate.assure_durable(admin)
    await migrate.roles(admin, here.keys.postgres)
    await migrate.migrations(admin)
    await admin.close()
    await _provision_streams(here)


async def _provision_streams(here: Installation) -> None:
    seed = keys.seed_file(here.folder / "keys", "provisioner")
    url = f"nats://{HOST}:{here.ports['nats']}"
    async with streams.provisioner(url, str(seed), patience=30) as jetstream:
        await streams.provision(jetstream)


async def _restore(here: Installation, backup: Path) -> None:
    there = administrator.of(here)
    await restoring.restore(there, backup, replicas=1, tell=lambda *_: None)
    if bad := (await checking.check(there, there.ring())).bad:
        raise Problem(" ".join(bad))


def _ready(here: Installation, part: str) -> bool:
    return waiting.ready(HOST, here.ports["gateway health" if part == "gateway" else part])


def _tell(console: Console, what: str) -> None:
    console.print(f"  [yellow]{what}[/]")


def _welcome(console: Console, here: Installation, seconds: float, *, with_demo: bool) -> None:
    console.print(f"\n[bold]The portal is up[/] after {seconds:.1f} s: [bold cyan]{here.url}[/]\n")
    if with_demo:
        for line in loading.who_can_log_in(here.folder, here.url):
            console.print(line, markup=False)
    if here.with_mailbox:
        console.print(f"Emails are not sent; they are at [cyan]{here.url}/mailbox[/]")
    console.print(f"Logs are in {here.folder / 'logs'}. Ctrl-C stops everything.")
