"""An installation on one machine: where everything of it is, answers, and is told."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import keys, postgres, waiting
from deploy.problem import Problem
from libs.contracts import registry

HOST = "127.0.0.1"
OUTSIDE = ("SMTP_URL", "MAIL_FROM")
"""What has to be said where letters are really sent."""
TRACES = ("CARESPACE_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Where traces go, if anywhere."""
PORTS = "ports.json"
PASSABLE = 0o711
"""A folder that others may pass through, and not look into: Postgres may have to run as another."""


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

    def log(self, part: str) -> Path:
        """Where this part writes what it does."""
        own = part in ("postgres", "nats")
        return self.folder / (part if own else "logs") / f"{part}.log"

    def database_url(self, role: str) -> str:
        user = postgres.SUPERUSER if role == "admin" else role
        return (
            f"postgresql://{user}:{self.keys.postgres[role]}@{HOST}:{self.ports['postgres']}"
            "/postgres"
        )

    def environment(self, part: str) -> dict[str, str]:
        """The settings that this part gets, and no others."""
        given = {
            "CARESPACE_HOST": HOST,
            "CARESPACE_PORT": str(self.ports.get(part, 0)),
            "CARESPACE_NATS_URL": f"nats://{HOST}:{self.ports['nats']}",
            "CARESPACE_NATS_CREDENTIALS": str(keys.seed_file(self.folder / "keys", part)),
            "CARESPACE_PUBLIC_URL": os.environ.get("CARESPACE_PUBLIC_URL", self.url),
            "CARESPACE_LOG_LEVEL": os.environ.get("CARESPACE_LOG_LEVEL", "INFO"),
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
        }
        if part in (*registry.services(), "gateway"):
            given |= {name: os.environ[name] for name in TRACES if name in os.environ}
        if part in registry.services():
            given["CARESPACE_DATABASE_URL"] = self.database_url(part)
            given["CARESPACE_VISA_KEYS"] = self.keys.visa_keys
        if part in keys.SIGNERS:
            given["CARESPACE_VISA_SIGNING_KEY"] = self.keys.signing[part]
        if part == "identity":
            given["CARESPACE_LINK_KEY"] = self.keys.link_key
        if part in ("identity", "records", "messaging"):
            given["CARESPACE_KEY_RING"] = self.keys.key_ring
        if part == "notifier":
            given |= self._mail()
        if part == "gateway":
            given["CARESPACE_HEALTH_PORT"] = str(self.ports["gateway health"])
            if self.with_mailbox:
                given["CARESPACE_MAILBOX_URL"] = f"http://{HOST}:{self.ports['mailbox']}"
        if part == "mailbox":
            given["CARESPACE_MAILBOX_FOLDER"] = str(self.folder / "mailbox")
            given["CARESPACE_SMTP_PORT"] = str(self.ports["smtp"])
        return given

    def _mail(self) -> dict[str, str]:
        if self.with_mailbox:
            return {
                "CARESPACE_SMTP_URL": f"smtp://{HOST}:{self.ports['smtp']}",
                "CARESPACE_MAIL_FROM": "no-reply@carespace.example.com",
            }
        settings = (*OUTSIDE, "SMTP_CA")
        names = [f"CARESPACE_{name}{kind}" for name in settings for kind in ("", "_FILE")]
        return {name: os.environ[name] for name in names if name in os.environ}


def prepared(folder: Path, port: int, *, with_mailbox: bool) -> Installation:
    """The installation of this folder, with its secrets, and with ports for this run."""
    for name in () if with_mailbox else OUTSIDE:
        if not {f"CARESPACE_{name}", f"CARESPACE_{name}_FILE"} & os.environ.keys():
            raise Problem(f"Without the mailbox, CARESPACE_{name} has to be set.")
    names = ["postgres", "nats", "smtp", "mailbox", *registry.services(), "gateway health"]
    free = waiting.free_ports(len(names), but=[port])
    ports = dict(zip(names, free, strict=True)) | {"gateway": port}
    for inner in ("run", "logs"):
        (folder / inner).mkdir(exist_ok=True, mode=0o700)
    (folder / "run" / PORTS).write_text(json.dumps(ports))
    return Installation(
        folder=folder,
        port=port,
        keys=keys.kept(folder / "keys"),
        ports=ports,
        with_mailbox=with_mailbox,
    )


def running(folder: Path) -> Installation:
    """The installation that runs in this folder, for a command that wants something of it."""
    try:
        ports = json.loads((folder / "run" / PORTS).read_text())
    except OSError:
        raise Problem(
            f"No CareSpace runs in {folder}: start it with `carespace up`, name another folder "
            "with --data-dir, or set CARESPACE_NATS_URL and CARESPACE_NATS_CREDENTIALS."
        ) from None
    return Installation(
        folder=folder,
        port=ports["gateway"],
        keys=keys.kept(folder / "keys"),
        ports=ports,
        with_mailbox=True,
    )


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder, for this process alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=PASSABLE if os.geteuid() == 0 else 0o700)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise Problem(
            f"The folder {folder} cannot be written to: {error.strerror}. "
            "Choose another one with --data-dir."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Problem(f"CareSpace is running in {folder} already.") from None
        yield
        (folder / "run" / PORTS).unlink(missing_ok=True)
