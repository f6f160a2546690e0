"""`python -m tests.deploy.two_servers FOLDER POSTGRES_PORT NATS_PORT`: a small installation.

Postgres, NATS and one process of our own, supervised as one-machine mode does it. It says on
standard output what the supervisor says, and "up" when both servers answer.
"""

import os
import signal
import sys
import time
from pathlib import Path

from deploy import keys, nats, nats_config, postgres, processes, waiting
from deploy.supervisor import Part, Supervisor

HOST = "127.0.0.1"


def main(folder: Path, postgres_port: int, nats_port: int) -> None:
    made = keys.kept(folder / "keys")
    held: list[object] = []

    def start_postgres() -> int:
        held.append(
            server := postgres.launch(
                folder / "postgres",
                port=postgres_port,
                password=made.postgres["admin"],
                prepare=processes.fresh(signal.SIGINT),
            )
        )
        return server.pid

    def start_nats() -> int:
        store = str(folder / "nats" / "store")
        config = nats_config.render(made.nats_public(), host=HOST, port=nats_port, store=store)
        held.append(
            server := nats.launch(
                folder / "nats", config=config, prepare=processes.fresh(signal.SIGTERM)
            )
        )
        return server.pid

    def work() -> None:
        while True:
            time.sleep(60)

    def start_worker() -> int:
        return processes.forked("worker", work, {"ONLY": "this"}, folder / "worker.log")

    def say(what: str) -> None:
        print(what, flush=True)

    with Supervisor(folder / "run", say=say) as watching:
        watching.add(
            Part(
                name="postgres",
                start=start_postgres,
                stop_signal=signal.SIGINT,
                hurry_signal=signal.SIGQUIT,
            )
        )
        watching.add(Part(name="nats", start=start_nats, floor=1))
        watching.add(Part(name="worker", start=start_worker, floor=2))
        ports = (postgres_port, nats_port)
        if watching.watch(lambda: all(waiting.answers(HOST, port) for port in ports), within=30):
            say("up")
            watching.watch(lambda: False)
    say("stopped")


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
