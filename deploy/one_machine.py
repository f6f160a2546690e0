"""Everything on one machine: a real Postgres, a real NATS, every service, and the gateway.

All of it is under one folder, on loopback, with secrets made for it. Another start finds its data.
"""

import asyncio
import fcntl
import gc
import importlib
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import nats
from rich.console import Console

from deploy import keys, mailbox, migrate, nats_config, postgres, streams, supervisor, waiting
from deploy import nats as nats_server
from deploy.demo import loading
from deploy.supervisor import Part, Supervisor
from libs.contracts import registry

HOST = "127.0.0.1"
SHARED = ("lxml.etree", "argon2", "pyotp", "ijson", "babel.dates", "aiosmtplib", "uvloop")
"""What several services import: done once, before any of them is forked."""


class CannotStart(Exception):
    """What stands in the way, in one sentence."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Where everything of this installation is, and answers."""

    folder: Path
    port: int
    keys: keys.Keys
    ports: Mapping[str, int]
    with_mailbox: bool

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def database_url(self, role: str) -> str:
        user = postgres.SUPERUSER if role == "admin" else role
        return (
            f"postgresql://{user}:{self.keys.postgres[role]}@{HOST}:{self.ports['postgres']}"
            "/postgres"
        )

    def environment(self, part: str) -> dict[str, str]:
        """The settings that this part gets, and no others."""
        smtp = f"smtp://{HOST}:{self.ports['smtp']}"
        given = {
            "CARESPACE_HOST": HOST,
            "CARESPACE_PORT": str(self.ports[part]),
            "CARESPACE_NATS_URL": f"nats://{HOST}:{self.ports['nats']}",
            "CARESPACE_NATS_CREDENTIALS": str(keys.seed_file(self.folder / "keys", part)),
            "CARESPACE_PUBLIC_URL": self.url,
            "CARESPACE_LOG_LEVEL": os.environ.get("CARESPACE_LOG_LEVEL", "INFO"),
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
        }
        if part in registry.services():
            given["CARESPACE_DATABASE_URL"] = self.database_url(part)
            given["CARESPACE_VISA_KEYS"] = self.keys.visa_keys
        if part in keys.SIGNERS:
            given["CARESPACE_VISA_SIGNING_KEY"] = self.keys.signing[part]
        if part == "identity":
            given["CARESPACE_LINK_KEY"] = self.keys.link_key
        if part in ("identity", "records"):
            given["CARESPACE_KEY_RING"] = self.keys.key_ring
        if part == "notifier":
            given["CARESPACE_SMTP_URL"] = os.environ.get("CARESPACE_SMTP_URL", smtp)
            given["CARESPACE_MAIL_FROM"] = os.environ.get(
                "CARESPACE_MAIL_FROM", "no-reply@carespace.example.com"
            )
        if part == "gateway":
            given["CARESPACE_HEALTH_PORT"] = str(self.ports["gateway health"])
            if self.with_mailbox:
                given["CARESPACE_MAILBOX_URL"] = f"http://{HOST}:{self.ports['mailbox']}"
        if part == "mailbox":
            given["CARESPACE_MAILBOX_FOLDER"] = str(self.folder / "mailbox")
            given["CARESPACE_SMTP_PORT"] = str(self.ports["smtp"])
        return given


def up(*, folder: Path, port: int, with_demo: bool, with_mailbox: bool, console: Console) -> None:
    """Bring everything up, look after it, and bring it down when told to."""
    began = time.monotonic()
    if waiting.taken(HOST, port):
        raise CannotStart(f"Port {port} is in use. Choose another one with --port.")
    with _ours(folder):
        here = _installation(folder, port, with_mailbox=with_mailbox)
        (folder / "logs").mkdir(exist_ok=True)
        with Supervisor(folder / "run", say=console.print) as watching:
            console.print(f"Starting CareSpace in {folder}")
            _start_servers(watching, here)
            _import_what_is_shared()
            _in_a_child(watching, here, "migrate", lambda: asyncio.run(_provision(here)))
            parts = [*registry.services(), "gateway"]
            if with_mailbox:
                parts.insert(0, "mailbox")
            for part in parts:
                watching.add(Part(name=part, start=_starter(here, part)))
            if not watching.watch(lambda: all(_ready(here, part) for part in parts)):
                return
            if with_demo:
                _in_a_child(watching, here, "demo", lambda: asyncio.run(loading.load(here)))
            _welcome(console, here, time.monotonic() - began, with_demo=with_demo)
            watching.watch(lambda: False)
            console.print("\nStopping.")
    console.print("Stopped. Everything is kept for the next start.")


def _installation(folder: Path, port: int, *, with_mailbox: bool) -> Installation:
    wanted = ["postgres", "nats", "smtp", "mailbox", *registry.services(), "gateway health"]
    return Installation(
        folder=folder,
        port=port,
        keys=keys.kept(folder / "keys"),
        ports={name: waiting.free_port() for name in wanted} | {"gateway": port},
        with_mailbox=with_mailbox,
    )


@contextmanager
def _ours(folder: Path) -> Iterator[None]:
    """The folder, for this process alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise CannotStart(
            f"The folder {folder} cannot be written to: {error.strerror}. "
            "Choose another one with --data-dir."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotStart(f"CareSpace is running in {folder} already.") from None
        yield


def _start_servers(watching: Supervisor, here: Installation) -> None:
    _end_what_was_left(here.folder / "postgres" / "data")
    held: dict[str, object] = {}  # or subprocess would wait for them behind our back

    def start_postgres() -> int:
        server = postgres.start(
            here.folder / "postgres",
            port=here.ports["postgres"],
            password=here.keys.postgres["admin"],
            prepare=supervisor.fresh,
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
        server = nats_server.start(
            here.folder / "nats",
            config=config,
            host=HOST,
            port=here.ports["nats"],
            prepare=supervisor.fresh,
        )
        held["nats"] = server
        return server.pid

    watching.add(Part(name="postgres", start=start_postgres, stop_signal=signal.SIGINT))
    watching.add(Part(name="nats", start=start_nats))


def _end_what_was_left(data: Path) -> None:
    """A Postgres of ours that outlived a killed supervisor is stopped before another starts."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (OSError, ValueError):
        return
    if str(data) not in command:
        return
    os.kill(pid, signal.SIGINT)
    until = time.monotonic() + supervisor.STOP_WITHIN
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)


def _import_what_is_shared() -> None:
    """Import once what every service needs; freeze it, so that forks go on sharing it."""
    for module in SHARED:
        importlib.import_module(module)
    for part in registry.services():
        importlib.import_module(f"services.{part}.app")
        importlib.import_module(f"services.{part}.config")
    importlib.import_module("gateway.app")
    gc.collect()
    gc.freeze()


def _starter(here: Installation, part: str) -> Callable[[], int]:
    def run() -> None:
        if part == "mailbox":
            mailbox.run()
        else:
            package = part if part == "gateway" else f"services.{part}"
            importlib.import_module(f"{package}.__main__").main()

    def start() -> int:
        log = here.folder / "logs" / f"{part}.log"
        return supervisor.forked(part, run, here.environment(part), log)

    return start


def _in_a_child(
    watching: Supervisor, here: Installation, name: str, work: Callable[[], None]
) -> None:
    """Do something with a loop of its own, in a process that ends; this one must stay without."""
    log = here.folder / "logs" / f"{name}.log"
    pid = supervisor.forked(name, work, dict(os.environ), log)
    ended: list[int] = []

    def done() -> bool:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended.append(os.waitstatus_to_exitcode(status))
        return bool(found)

    watching.watch(done)
    if ended and ended[0]:
        raise CannotStart(f"`{name}` did not succeed; {log} says why.")


async def _provision(here: Installation) -> None:
    admin = await asyncpg.connect(here.database_url("admin"))
    await migrate.roles(admin, here.keys.postgres)
    await migrate.migrations(admin)
    await admin.close()
    client = await nats.connect(
        f"nats://{HOST}:{here.ports['nats']}",
        nkeys_seed=str(keys.seed_file(here.folder / "keys", "provisioner")),
        inbox_prefix=b"_INBOX_provisioner",
    )
    await streams.provision(client.jetstream())
    await client.close()


def _ready(here: Installation, part: str) -> bool:
    port = here.ports["gateway health" if part == "gateway" else part]
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/health/ready", timeout=1) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _welcome(console: Console, here: Installation, seconds: float, *, with_demo: bool) -> None:
    console.print(f"\n[bold]CareSpace is up[/bold] after {seconds:.1f} s: [bold]{here.url}[/bold]")
    if with_demo:
        for line in loading.who_can_log_in(here.folder):
            console.print(line)
    if here.with_mailbox:
        console.print(f"\nEmails are not sent; they are at {here.url}/mailbox")
    console.print("Logs are in", str(here.folder / "logs"), "- Ctrl-C stops everything.")
