"""How the command speaks: to people with colours, to machines with JSON."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

P = ParamSpec("P")
T = TypeVar("T")

console = Console(highlight=False, soft_wrap=True)

as_json = click.option("--json", "as_json", is_flag=True, help="Say it in JSON, for a machine.")
data_dir = click.option(
    "--data-dir",
    default=Path(".carespace"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of what runs on this machine.",
)


def in_a_loop(command: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """A command that awaits."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return asyncio.run(command(*args, **kwargs))

    return run


def say_json(what: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(what, default=_plain, indent=2))


def table(*columns: str) -> Table:
    """Columns without lines, as other commands print them."""
    return Table(*columns, box=None, pad_edge=False, header_style="bold")


@contextmanager
def copying(doing: str, *, quiet: bool) -> Iterator[Callable[[str, int], None]]:
    """How far a long copying is, for a person who looks on."""
    from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    shown = Progress(
        TextColumn("{task.description}"),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    with shown:
        task = shown.add_task(doing, total=None)

        def tell(what: str, size: int) -> None:
            shown.update(task, advance=size, description=f"{doing} {what}")

        yield tell


@contextmanager
def counting(doing: str, total: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """How many of so many are done, for a person who looks on."""
    from rich.progress import Progress

    quiet = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=quiet) as shown:
        task = shown.add_task(doing, total=total)
        yield lambda more: shown.advance(task, more)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
