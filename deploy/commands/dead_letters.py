"""`carespace dead-letters`: look at what no follower could do, try it again, or let it go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json, table

if TYPE_CHECKING:
    from nats.js import JetStreamContext

NUMBER = click.IntRange(min=1)
numbers = click.argument("numbers", nargs=-1, type=NUMBER)
everything = click.option("--all", "everything", is_flag=True, help="All of them.")


@click.group("dead-letters")
def group() -> None:
    """Events that a service could not do, however often it tried."""


@group.command("list")
@as_json
@data_dir
@in_a_loop
async def list_(*, as_json: bool, data_dir: Path) -> None:
    """All of them, oldest first.

    Example: carespace dead-letters list
    """
    from deploy import dead_letters

    async with _connected(data_dir) as jetstream:
        letters = [letter async for letter in dead_letters.waiting(jetstream)]
    if as_json:
        say_json(letters)
        return
    if not letters:
        console.print("There are no dead letters.")
        return
    listed = table("Number", "When (UTC)", "Event of", "Follower", "Why", "Tries")
    for letter in letters:
        when = f"{letter.at:%Y-%m-%d %H:%M:%S}"
        row = (str(letter.number), when, letter.stream, letter.follower, letter.why)
        listed.add_row(*row, str(letter.deliveries))
    console.print(listed)


@group.command()
@click.argument("number", type=NUMBER)
@as_json
@data_dir
@in_a_loop
async def show(*, number: int, as_json: bool, data_dir: Path) -> None:
    """One of them, with the event itself.

    Example: carespace dead-letters show 3
    """
    from deploy import dead_letters

    async with _connected(data_dir) as jetstream:
        letter = await dead_letters.find(jetstream, number)
        event = await dead_letters.content(jetstream, letter)
    body = event.body.decode(errors="backslashreplace")
    if as_json:
        say_json(asdict(letter) | {"subject": event.subject, "body": body})
        return
    console.print(f"{event.subject}, which {letter.follower} {letter.why}")
    console.print(f"{letter.at:%Y-%m-%d %H:%M:%S} UTC, after {letter.deliveries} tries")
    console.print(body, markup=False)


@group.command()
@numbers
@everything
@as_json
@data_dir
@in_a_loop
async def replay(
    *, numbers: tuple[int, ...], everything: bool, as_json: bool, data_dir: Path
) -> None:
    """Publish the events again. Who has done one already lets it pass.

    Example: carespace dead-letters replay 3 4
    """
    from deploy import dead_letters

    done: list[int] = []
    try:
        async with _connected(data_dir) as jetstream:
            for number in await _chosen(jetstream, numbers, everything=everything):
                await dead_letters.replay(jetstream, await dead_letters.find(jetstream, number))
                done.append(number)
                if not as_json:
                    console.print(f"{number} is published again.")
    finally:
        if as_json:
            say_json({"replayed": done})


@group.command()
@numbers
@everything
@as_json
@data_dir
@in_a_loop
async def drop(
    *, numbers: tuple[int, ...], everything: bool, as_json: bool, data_dir: Path
) -> None:
    """Let them go undone.

    Example: carespace dead-letters drop 3
    """
    from deploy import dead_letters

    done: list[int] = []
    try:
        async with _connected(data_dir) as jetstream:
            for number in await _chosen(jetstream, numbers, everything=everything):
                await dead_letters.drop(jetstream, await dead_letters.find(jetstream, number))
                done.append(number)
                if not as_json:
                    console.print(f"{number} is dropped.")
    finally:
        if as_json:
            say_json({"dropped": done})


async def _chosen(
    jetstream: "JetStreamContext", numbers: tuple[int, ...], *, everything: bool
) -> list[int]:
    from deploy import dead_letters

    if bool(numbers) == everything:
        raise click.UsageError("Name the numbers, or say --all.")
    if everything:
        return [letter.number async for letter in dead_letters.waiting(jetstream)]
    return list(numbers)


@asynccontextmanager
async def _connected(folder: Path) -> "AsyncIterator[JetStreamContext]":
    from deploy import streams
    from deploy.reach import reach

    there = reach(folder, "provisioner")
    async with streams.provisioner(
        there.nats_url, there.nats_credentials, ca=there.nats_ca
    ) as jetstream:
        yield jetstream
