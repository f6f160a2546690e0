"""Every secret of an installation, made once and kept in one folder that only its owner reads."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import nkeys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy import nats_config
from libs.contracts import registry

MASTER = "keys.json"
"""Everything that an installation's other secrets are made from."""
SIGNERS = ("identity", "delegation")
"""Who signs passports and visas; everyone has their public keys."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The secrets themselves."""

    postgres: dict[str, str]
    """Passwords: of the superuser, under "admin", and of each service's role."""
    nats: dict[str, str]
    """The nkey seed of each NATS user."""
    signing: dict[str, str]
    """The private key of each signer, in base64."""
    visa_keys: str
    """The public keys of all signers, as `CARESPACE_VISA_KEYS` has them."""
    link_key: str
    key_ring: str
    nats_route: str = ""
    """What the servers of a NATS cluster know one another by."""

    def nats_public(self) -> dict[str, str]:
        """The public nkey of each NATS user, for the server's configuration."""
        return {
            name: nkeys.from_seed(bytearray(seed.encode())).public_key.decode()
            for name, seed in self.nats.items()
        }


def make() -> Keys:
    """New secrets, from the operating system's randomness."""
    signing = {name: _base64(Ed25519PrivateKey.generate().private_bytes_raw()) for name in SIGNERS}
    return Keys(
        postgres={name: secrets.token_urlsafe(32) for name in ("admin", *registry.services())},
        nats={name: _nkey_seed() for name in nats_config.users()},
        signing=signing,
        visa_keys=_visa_keys(signing),
        link_key=_base64(secrets.token_bytes(32)),
        key_ring=f"k1 {_base64(secrets.token_bytes(32))}\n",
        nats_route=secrets.token_urlsafe(32),
    )


def kept(folder: Path) -> Keys:
    """The secrets of this folder; made the first time, the same ever after.

    A part that came with a newer release gets its own beside them.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / MASTER
    stored = Keys(**json.loads(file.read_text())) if file.exists() else None
    keys = _completed(stored) if stored else make()
    if keys != stored:
        keep(folder, keys)
    for name, seed in keys.nats.items():
        seed_file(folder, name).touch(mode=0o600)
        seed_file(folder, name).write_text(seed)
    return keys


def keep(folder: Path, keys: Keys) -> None:
    """These secrets from now on; complete on the disk, or as it was."""
    unfinished = folder / "keys.unfinished"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        json.dump(asdict(keys), f, indent=1)
        f.flush()
        os.fsync(f.fileno())
    unfinished.rename(folder / MASTER)


def _completed(stored: Keys) -> Keys:
    new = make()
    signing = new.signing | stored.signing
    return replace(
        stored,
        postgres=new.postgres | stored.postgres,
        nats=new.nats | stored.nats,
        nats_route=stored.nats_route or new.nats_route,
        signing=signing,
        visa_keys=stored.visa_keys if signing == stored.signing else _visa_keys(signing),
    )


def _visa_keys(signing: Mapping[str, str]) -> str:
    private = {
        name: Ed25519PrivateKey.from_private_bytes(base64.b64decode(key))
        for name, key in signing.items()
    }
    return ",".join(
        f"{name}:{_base64(key.public_key().public_bytes_raw())}" for name, key in private.items()
    )


def seed_file(folder: Path, name: str) -> Path:
    """Where a NATS user's seed is, for `CARESPACE_NATS_CREDENTIALS`."""
    return folder / f"{name}.nk"


def _nkey_seed() -> str:
    raw = secrets.token_bytes(32)
    seed: bytes = nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
