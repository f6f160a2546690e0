"""`carespace keys`: the master keys that everything sealed lies under."""

from pathlib import Path

import click

from deploy.commands.saying import as_json, console, counting, data_dir, in_a_loop, say_json, table

folder = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
owner = click.option(
    "--owner", type=click.IntRange(min=0), help="The account number that reads the secrets."
)


@click.group("keys")
def group() -> None:
    """The master keys that everything sealed lies under."""


@group.command("list")
@as_json
@data_dir
@in_a_loop
async def list_(*, as_json: bool, data_dir: Path) -> None:
    """Each key of the ring, and how much lies under it. No key itself is shown.

    In a cluster: CARESPACE_KEY_RING, and CARESPACE_DATABASE_URL of an administrator.

    Example: carespace keys list
    """
    from deploy import databases, key_ring
    from deploy.administrator import administrator

    there = administrator(data_dir)
    async with databases.opened(there) as dbs:
        found = await key_ring.listed(dbs, there.ring())
    if as_json:
        say_json(found)
        return
    listed = table("Key", "", "Rows under it")
    for key in found:
        role = "newest" if key.newest else "" if key.on_ring else "not on the ring"
        rows = ", ".join(f"{rows} of {name}" for name, rows in key.rows.items())
        listed.add_row(key.key_id, role, rows or "none")
    console.print(listed)


@group.command()
@folder
@owner
@as_json
def add(*, folder: Path, owner: int | None, as_json: bool) -> None:
    """A new key at the end of the ring in FOLDER, the folder of the secrets.

    Restart identity, records and messaging before anything is put under it.

    Example: carespace keys add secrets --owner 10001
    """
    from deploy import key_ring

    name = key_ring.add(folder, owner=owner)
    if as_json:
        say_json({"added": name})
        return
    console.print(f"{name} is on the ring. Restart identity, records and messaging, then rotate.")


@group.command()
@as_json
@data_dir
@in_a_loop
async def rotate(*, as_json: bool, data_dir: Path) -> None:
    """Put everything under the newest key of the ring, while the portal runs.

    Interrupted, it goes on where it was. In a cluster: the settings of `keys list`.

    Example: carespace keys rotate
    """
    from deploy import databases, key_ring
    from deploy.administrator import administrator

    there = administrator(data_dir)
    ring, moved = there.ring(), 0
    async with databases.opened(there) as dbs:
        keys = await key_ring.listed(dbs, ring)
        total = sum(sum(key.rows.values()) for key in keys if not key.newest)
        with counting("Sealing anew", total, quiet=as_json) as tell:
            async for _, rows in key_ring.rotate(dbs, ring):
                moved += rows
                tell(rows)
    if as_json:
        say_json({"newest": ring.newest, "moved": moved})
    else:
        console.print(f"{moved} rows were put under {ring.newest}; everything is.")


@group.command()
@click.argument("key")
@folder
@owner
@click.option("--yes", is_flag=True, help="Don't ask.")
@as_json
def drop(*, key: str, folder: Path, owner: int | None, yes: bool, as_json: bool) -> None:
    """Take KEY off the ring in FOLDER, for good.

    `carespace keys list` has to say that nothing lies under it. Backups made before the rotation
    can't be restored without it.

    Example: carespace keys drop k1 secrets --owner 10001
    """
    from deploy import key_ring

    if not yes:
        click.confirm(
            f"Nothing that lies under {key} can be read again. Go on?", abort=True, err=as_json
        )
    key_ring.drop(folder, key, owner=owner)
    if as_json:
        say_json({"dropped": key})
        return
    console.print(f"{key} is off the ring.")
