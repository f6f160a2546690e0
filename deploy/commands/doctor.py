"""`carespace doctor`."""

from pathlib import Path

import click

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json


@click.command()
@click.option("--replicas", default=1, show_default=True, help="How many servers keep each stream.")
@as_json
@data_dir
@in_a_loop
async def doctor(*, replicas: int, as_json: bool, data_dir: Path) -> None:
    """What is wrong, and what to do about it; exit code 1 if anything is. It changes nothing.

    In a cluster: the settings of `carespace migrate`, and CARESPACE_KEY_RING, CARESPACE_SMTP_URL,
    CARESPACE_SMTP_CA and CARESPACE_PUBLIC_URL, of which each is looked at if it is set.

    Example: carespace doctor --replicas 3
    """
    from deploy.administrator import administrator
    from deploy.doctor import examination

    found = await examination.examine(administrator(data_dir), replicas=replicas)
    if as_json:
        say_json({"findings": found})
    else:
        for each in found:
            console.print(f"[bold red]{each.about}[/]  ", end="")
            console.print(each.what, markup=False)
            console.print(f"    {each.remedy}", markup=False, style="dim")
        if not found:
            console.print("Nothing is wrong.")
    raise SystemExit(bool(found))
