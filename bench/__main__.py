"""python -m bench [NAME…]: measure what is promised, and say what came of it."""

import asyncio
import json
import platform
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

import click
import uvloop
from rich.console import Console

from bench import (
    backups,
    clicks,
    downloads,
    health,
    imports,
    inbox,
    logins,
    revocations,
    scaling,
    sending,
    sending_record,
    size,
    storm,
    table,
)
from bench.figures import Finding
from bench.terms import Terms

ALL: dict[str, Callable[[Terms], Coroutine[None, None, list[Finding]]]] = {
    "health": health.measure,
    "logins": logins.measure,
    "storm": storm.measure,
    "imports": imports.measure,
    "size": size.measure,
    "inbox": inbox.measure,
    "sending": sending.measure,
    "clicks": clicks.measure,
    "revocations": revocations.measure,
    "downloads": downloads.measure,
    "sending_record": sending_record.measure,
    "backups": backups.measure,
    "scaling": scaling.measure,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(ALL)))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Turns taken.")
@click.option(
    "--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1), help="Of each load."
)
@click.option(
    "--results",
    default=10_000_000,
    show_default=True,
    type=click.IntRange(20_000),
    help="In the large table of results.",
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures here too.")
def main(
    names: tuple[str, ...], *, rounds: int, seconds: float, results: int, file: Path | None
) -> None:
    """Measure all that is promised of speed, or what is named."""
    progress = Console(stderr=True, highlight=False)
    terms = Terms(rounds=rounds, seconds=seconds, results=results, say=progress.print)
    # Told to end in another way than Ctrl-C, it clears away just the same.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    uvloop.install()
    found: list[Finding] = []
    for name in dict.fromkeys(names or ALL):
        found += asyncio.run(ALL[name](terms))
    table.say(found)
    if file:
        told = {"python": platform.python_version(), "findings": [each.told() for each in found]}
        file.write_text(json.dumps(told, indent=1) + "\n")
    sys.exit(any(each.kept is False for each in found))


if __name__ == "__main__":
    main()
