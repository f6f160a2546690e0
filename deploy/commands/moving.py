"""`carespace move`: a service's schema to a Postgres of its own."""

import time
from pathlib import Path

import click

from deploy.commands.saying import as_json, console, copying, data_dir, in_a_loop, say_json
from libs.contracts import registry

MB = 1_000_000


@click.command()
@click.argument("service", type=click.Choice(registry.services()))
@as_json
@data_dir
@in_a_loop
async def move(*, service: str, as_json: bool, data_dir: Path) -> None:
    """The schema of SERVICE to another Postgres, while the rest of the portal goes on.

    From where CARESPACE_DATABASE_URL says, an administrator's, to where the service's own says, as
    CARESPACE_RECORDS_DATABASE_URL. Stop the service first, and make its tables there with
    `carespace migrate`. docs/operating.md has all steps.

    Example: carespace move records
    """
    from deploy import moving
    from deploy.commands.activity import addresses

    began = time.monotonic()
    with copying("Moving", quiet=as_json) as tell:
        moved = await moving.move(addresses(data_dir), service, tell=tell)
    seconds = time.monotonic() - began
    if as_json:
        say_json({**vars(moved), "seconds": round(seconds, 1)})
        return
    console.print(
        f"Moved: {moved.rows} rows of {moved.tables} tables, {moved.bytes / MB:.1f} MB, in "
        f"{seconds:.1f} s. {service} may no longer log in where it was; start it with its new "
        "address."
    )
