"""`carespace activity`: the logs of who did what with which record."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from deploy.commands.saying import as_json, console, counting, data_dir, in_a_loop, say_json
from deploy.problem import Problem

if TYPE_CHECKING:
    from deploy.databases import Databases


@click.group("activity")
def group() -> None:
    """The logs of who did what with which record."""


@group.command()
@click.option("--patient", type=click.UUID, help="Only the log of this patient.")
@click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="What --json wrote before: whether the logs still go on from there.",
)
@as_json
@data_dir
@in_a_loop
async def verify(
    *, patient: UUID | None, since: Path | None, as_json: bool, data_dir: Path
) -> None:
    """Whether every entry is as it was written; exit code 1 if any is not.

    In a cluster: CARESPACE_DATABASE_URL of an administrator, as for `carespace migrate`.

    Example: carespace activity verify --since heads-2026-11-23.json
    """
    from deploy import activity

    earlier, found = activity.heads(since) if since else None, []
    async with activity.reading(addresses(data_dir).url_of("records")) as db:
        total = 1 if patient else await activity.count(db)
        with counting("Reading logs", total, quiet=as_json) as tell:
            async for log in activity.logs(db, patient_id=patient, since=earlier):
                found.append(log)
                tell(1)
    bad = [log for log in found if log.bad]
    if as_json:
        say_json({"bad": len(bad), "logs": found})
    else:
        for log in bad:
            console.print(f"Patient {log.patient_id} of practice {log.practice_id}: {log.bad}.")
        entries = sum(log.entries for log in found)
        console.print(
            f"{len(bad)} of {len(found)} logs do not hold."
            if bad
            else f"All hold: {len(found)} logs with {entries} entries."
        )
    raise SystemExit(bool(bad))


def addresses(folder: Path) -> "Databases":
    """What the environment says; else what runs in this folder."""
    from deploy import installation
    from deploy.databases import Databases
    from libs.runtime import config

    if {"CARESPACE_DATABASE_URL", "CARESPACE_DATABASE_URL_FILE"} & os.environ.keys():
        try:
            return config.from_environment(Databases)
        except config.Misconfigured as sentence:
            raise Problem(str(sentence)) from None
    return Databases(database_url=installation.running(folder.resolve()).database_url("admin"))
