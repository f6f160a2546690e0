"""Every secret of an installation, made once and kept in one folder that only its owner reads."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import nkeys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy import nats_config
from libs.contracts import registry

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

    def nats_public(self) -> dict[str, str]:
        """The public nkey of each NATS user, for the server's configuration."""
        return {
            name: nkeys.from_seed(bytearray(seed.encode())).public_key.decode()
            for name, seed in self.nats.items()
        }


def make() -> Keys:
    """New secrets, from the operating system's randomness."""
    signing = {name: Ed25519PrivateKey.generate() for name in SIGNERS}
    public = {name: _base64(key.public_key().public_bytes_raw()) for name, key in signing.items()}
    return Keys(
        postgres={name: secrets.token_urlsafe(32) for name in ("admin", *registry.services())},
        nats={name: _nkey_seed() for name in nats_config.users()},
        signing={name: _base64(key.private_bytes_raw()) for name, key in signing.items()},
        visa_keys=",".join(f"{name}:{key}" for name, key in public.items()),
        link_key=_base64(secrets.token_bytes(32)),
        key_ring=f"k1 {_base64(secrets.token_bytes(32))}\n",
    )


def kept(folder: Path) -> Keys:
    """The secrets of this folder; made the first time, the same ever after."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "keys.json"
    if not file.exists():
        unfinished = folder / "keys.unfinished"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(asdict(make()), f, indent=1)
            f.flush()
            os.fsync(f.fileno())
        unfinished.rename(file)
    keys = Keys(**json.loads(file.read_text()))
    for name, seed in keys.nats.items():
        seed_file(folder, name).touch(mode=0o600)
        seed_file(folder, name).write_text(seed)
    return keys


def seed_file(folder: Path, name: str) -> Path:
    """Where a NATS user's seed is, for `CARESPACE_NATS_CREDENTIALS`."""
    return folder / f"{name}.nk"


def _nkey_seed() -> str:
    raw = secrets.token_bytes(32)
    seed: bytes = nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
