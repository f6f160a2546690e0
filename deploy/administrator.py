"""How whoever looks after an installation reaches all of it: Postgres, NATS, keys and mail."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from deploy import installation, keys
from deploy.databases import Databases
from deploy.installation import Installation
from deploy.problem import Problem
from libs.runtime import config
from libs.runtime.keyring import KeyRing
from libs.runtime.trust import Certificates


@dataclass(frozen=True, kw_only=True)
class Administrator(Databases):
    """An administrator's rights. What a command doesn't need may be empty."""

    nats_url: str
    nats_credentials: str
    nats_ca: Certificates = ""
    key_ring: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    smtp_ca: str = ""
    public_url: str = ""

    def ring(self) -> KeyRing:
        """The master keys, or a sentence."""
        if not self.key_ring:
            raise Problem("CARESPACE_KEY_RING is not set.")
        try:
            return KeyRing.parse(self.key_ring)
        except ValueError:
            raise Problem("CARESPACE_KEY_RING holds no keys, or some that are damaged.") from None


def administrator(data_dir: Path) -> Administrator:
    """What the environment says; else what runs in this folder."""
    if {"CARESPACE_DATABASE_URL", "CARESPACE_DATABASE_URL_FILE"} & os.environ.keys():
        try:
            return config.from_environment(Administrator)
        except config.Misconfigured as sentence:
            raise Problem(str(sentence)) from None
    return of(installation.running(data_dir.resolve()))


def of(here: Installation) -> Administrator:
    """An installation on this machine."""
    mail = here.environment("notifier")
    return Administrator(
        database_url=here.database_url("admin"),
        nats_url=mail["CARESPACE_NATS_URL"],
        nats_credentials=str(keys.seed_file(here.folder / "keys", "provisioner")),
        key_ring=here.keys.key_ring,
        smtp_url=mail.get("CARESPACE_SMTP_URL", ""),
        smtp_ca=mail.get("CARESPACE_SMTP_CA", ""),
        public_url=mail["CARESPACE_PUBLIC_URL"],
    )
