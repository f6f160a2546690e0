"""The secrets of an installation as files, one for each thing that one part is told.

A container gets only the files that its part needs. An operator who writes the address of another
database into a file keeps it: what is there is never changed, but for what follows from the
contracts and the keys alone.
"""

import os
from pathlib import Path

from deploy import keys, nats_config, postgres
from deploy.problem import Problem

KEY_RING = "key-ring"
ANYWHERE = "0.0.0.0"  # noqa: S104  (inside its container)


def write(folder: Path, *, database: str, owner: int | None) -> list[str]:
    """Make the files that are missing; their names. `database` is HOST:PORT/NAME.

    Every file in the folder is for one reader only, also what the operator put there. It belongs
    to the account `owner`, if one is named.
    """
    try:
        there = {file.name for file in folder.glob("*")}
        made = keys.kept(folder)
        for name, content in _kept(made, database).items():
            if name not in there:
                _put(folder / name, content)
        for name, content in _following(made).items():
            _put(folder / name, content)
        _give(folder, owner)
    except OSError as error:
        raise Problem(f"The folder {folder} can't be used: {error.strerror}.") from None
    return sorted({file.name for file in folder.iterdir()} - there)


def _kept(made: keys.Keys, database: str) -> dict[str, str]:
    def url(role: str) -> str:
        user = postgres.SUPERUSER if role == "admin" else role
        return f"postgresql://{user}:{made.postgres[role]}@{database}"

    return {
        "postgres-password": made.postgres["admin"],
        **{f"{role}-database-url": url(role) for role in made.postgres},
        **{f"{name}-visa-signing-key": key for name, key in made.signing.items()},
        "link-key": made.link_key,
        KEY_RING: made.key_ring,
    }


def _following(made: keys.Keys) -> dict[str, str]:
    """What a newer release, with one more part, has to change."""
    roles = [f"{role}:{secret}" for role, secret in made.postgres.items() if role != "admin"]
    public = made.nats_public()
    return {
        "role-passwords": ",".join(roles),
        "visa-keys": made.visa_keys,
        "nats.conf": nats_config.render(public, host=ANYWHERE, port=4222, store="/data"),
    }


def keep_key_ring(folder: Path, made: keys.Keys, *, owner: int | None) -> None:
    """The key ring after a key was added to it, or dropped."""
    _put(folder / KEY_RING, made.key_ring)
    _give(folder, owner)


def _put(file: Path, content: str) -> None:
    """Complete on the disk, or as it was."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write(content)
        f.flush()
        os.fsync(f.fileno())
    unfinished.rename(file)


def _give(folder: Path, owner: int | None) -> None:
    for file in folder.iterdir():
        if file.is_file():
            file.chmod(0o600)
            if owner is not None and file.name != keys.MASTER:
                os.chown(file, owner, owner)
