"""`carespace practice` and `carespace staff`: who uses this installation."""

from datetime import datetime
from pathlib import Path
from zoneinfo import available_timezones

import click
from uuid_utils.compat import uuid7

from deploy.commands.saying import as_json, console, data_dir, in_a_loop, say_json, table
from libs.contracts.visa import Role


@click.group()
def practice() -> None:
    """The practices of this installation."""


@practice.command()
@click.option("--name", required=True, help="As patients know it.")
@click.option("--phone", required=True, help="As patients should dial it.")
@click.option("--address", required=True, help="Where it is, on one line.")
@click.option("--hours", required=True, help="In words: when somebody answers.")
@click.option("--emergency", required=True, help="In words: what to do in an emergency.")
@click.option("--time-zone", required=True, help="Such as America/Denver.")
@click.option("--contact-email", required=True, help="Where replies to its letters go.")
@as_json
@data_dir
@in_a_loop
async def add(*, as_json: bool, data_dir: Path, **told: str) -> None:
    """A new practice. Its import key is told this once.

    Example: carespace practice add --name "Lakeside Oncology" --phone "(720) 555-0142" --address
    "1840 Cottonwood Avenue, Denver" --hours "Monday to Friday, 8 to 5" --emergency "Call 911."
    --time-zone America/Denver --contact-email frontdesk@lakeside.example.com
    """
    from deploy.reach import PATIENCE, asking, reach
    from libs.contracts.identity.practices import AddPractice
    from libs.runtime.broker import ask

    if told["time_zone"] not in available_timezones():
        raise click.BadParameter("There is no such time zone.", param_hint="--time-zone")
    async with asking(reach(data_dir, "operator")) as broker:
        added = await ask(broker, AddPractice(practice_id=uuid7(), **told), within=PATIENCE)
    if as_json:
        say_json(added)
        return
    console.print(f"{told['name']} is added. Its id is {added.practice_id}")
    console.print(f"Its import key, told this once: {added.import_key}")


@practice.command("list")
@as_json
@data_dir
@in_a_loop
async def list_(*, as_json: bool, data_dir: Path) -> None:
    """All practices.

    Example: carespace practice list --json
    """
    from deploy.reach import asking, practices, reach

    async with asking(reach(data_dir, "operator")) as broker:
        found = await practices(broker)
    if as_json:
        say_json(found)
        return
    listed = table("Name", "Id", "Time zone")
    for each in found:
        listed.add_row(each.name, str(each.practice_id), each.time_zone)
    console.print(listed if found else "There are no practices yet: see `carespace practice add`.")


@practice.command("renew-key")
@click.option("--practice", "named", required=True, help="The practice's name or id.")
@click.option("--at-once", is_flag=True, help="Older keys end now, not in 7 days.")
@as_json
@data_dir
@in_a_loop
async def renew_key(*, named: str, at_once: bool, as_json: bool, data_dir: Path) -> None:
    """A new import key, told this once. Older ones work for 7 days more.

    Example: carespace practice renew-key --practice "Lakeside Oncology" --at-once
    """
    from deploy import reach
    from libs.contracts.identity.import_keys import GiveImportKey
    from libs.runtime.broker import ask

    async with reach.asking(reach.reach(data_dir, "operator")) as broker:
        at = await reach.practice(broker, named)
        asked = GiveImportKey(practice_id=at.practice_id, at_once=at_once)
        made = await ask(broker, asked, within=reach.PATIENCE)
    if as_json:
        say_json(made)
        return
    console.print(f"The new import key of {at.name}, told this once: {made.import_key}")
    until = "have ended" if at_once else f"work until {made.older_end_at:%Y-%m-%d %H:%M} UTC"
    console.print(f"Keys from before {until}.")


@click.group()
def staff() -> None:
    """The people who work at a practice."""


@staff.command()
@click.option("--practice", "named", required=True, help="The practice's name or id.")
@click.option("--name", required=True, help="As patients read it.")
@click.option("--email", required=True, help="Where the letter goes, and what they log in with.")
@click.option(
    "--born", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Such as 1980-02-29."
)
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.CLINICIAN.value,
    show_default=True,
    help="What they may do.",
)
@as_json
@data_dir
@in_a_loop
async def invite(  # noqa: PLR0913  (one for each thing an invitation says)
    *, named: str, name: str, email: str, born: datetime, role: str, as_json: bool, data_dir: Path
) -> None:
    """Send somebody at a practice the link to register with.

    Example: carespace staff invite --practice "Lakeside Oncology" --name "Kim Lee"
    --email kim@lakeside.example.com --born 1980-02-29 --role administrator
    """
    from deploy import reach
    from libs.contracts.identity.staff import InviteStaff
    from libs.runtime.broker import ask

    async with reach.asking(reach.reach(data_dir, "operator")) as broker:
        at = await reach.practice(broker, named)
        invitation = InviteStaff(
            practice_id=at.practice_id,
            name=name,
            email=email,
            date_of_birth=born.date(),
            role=Role(role),
        )
        await ask(broker, invitation, within=reach.PATIENCE)
    if as_json:
        say_json({"invited": email, "practice_id": at.practice_id})
        return
    console.print(f"{name} gets a letter from {at.name}; its link works for 4 days.")
