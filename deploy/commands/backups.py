"""`carespace backup` and `carespace restore`."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.commands.saying import as_json, console, copying, data_dir, in_a_loop, say_json
from deploy.problem import SaidNo

if TYPE_CHECKING:
    from deploy.backup.folder import Manifest

MB = 1_000_000
folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.command()
@folder
@as_json
@data_dir
@in_a_loop
async def backup(*, folder: Path, as_json: bool, data_dir: Path) -> None:
    """Everything as it is now, in FOLDER, sealed under the key ring, while the portal runs.

    The keys themselves are not in it: keep a copy of the secrets' keys.json apart. In a cluster:
    CARESPACE_DATABASE_URL of an administrator, CARESPACE_NATS_URL and CARESPACE_NATS_CREDENTIALS of
    the provisioner, and CARESPACE_KEY_RING; of a schema that has a Postgres of its own, also
    CARESPACE_RECORDS_DATABASE_URL or the like.

    Example: carespace backup /backups/2026-11-24
    """
    from deploy.administrator import administrator
    from deploy.backup import writing

    began = time.monotonic()
    there = administrator(data_dir)
    with copying("Writing", quiet=as_json) as tell:
        manifest = await writing.write(there, folder.resolve(), tell=tell)
    _say("Written", manifest, began, as_json=as_json)


@click.command()
@folder
@click.option("--replicas", default=1, show_default=True, help="How many servers keep each stream.")
@click.option("--check", is_flag=True, help="Only read the backup through; nothing is restored.")
@as_json
@data_dir
@in_a_loop
async def restore(
    *, folder: Path, replicas: int, check: bool, as_json: bool, data_dir: Path
) -> None:
    """Put the backup in FOLDER into an empty installation at rest, and check what is there then.

    Needs the same release, the settings of `carespace backup`, a key ring with the backup's key,
    tables made by `carespace migrate`, and no service running.

    Example: carespace restore /backups/2026-11-24
    """
    from deploy.administrator import administrator
    from deploy.backup import checking, restoring

    began = time.monotonic()
    there = administrator(data_dir)
    with copying("Reading" if check else "Restoring", quiet=as_json) as tell:
        if check:
            manifest = await restoring.read_through(there, folder, tell=tell)
            _say("Read", manifest, began, as_json=as_json)
            return
        manifest = await restoring.restore(there, folder, replicas=replicas, tell=tell)
    with copying("Checking", quiet=as_json) as tell:
        checked = await checking.check(there, there.ring(), tell=tell)
    if not as_json:
        for bad in checked.bad:
            console.print(bad, markup=False)
    _say("Restored", manifest, began, as_json=as_json, checked=asdict(checked))
    if checked.bad:
        raise SaidNo(f"{len(checked.bad)} things do not hold.")
    if not as_json:
        console.print(f"{checked.logs} activity logs and {checked.files} files hold.")


def _say(done: str, manifest: "Manifest", began: float, *, as_json: bool, **more: object) -> None:
    seconds = time.monotonic() - began
    if as_json:
        say_json(asdict(manifest) | more | {"seconds": round(seconds, 1)})
        return
    rows = sum(table.rows for table in manifest.tables)
    size = sum(table.bytes for table in manifest.tables) / MB
    console.print(f"{done}: {rows} rows, {size:.1f} MB, in {seconds:.1f} s.")
