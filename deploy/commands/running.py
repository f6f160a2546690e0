"""`carespace up` and `carespace run`."""

from pathlib import Path

import click

from deploy.commands.saying import console, data_dir


@click.command()
@click.option("--demo", is_flag=True, help="With two practices and a few patients to look at.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where the portal answers.",
)
@click.option(
    "--data-dir",
    default=Path(".carespace"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where everything is kept.",
)
@click.option(
    "--no-mailbox", is_flag=True, help="Really send; needs CARESPACE_SMTP_URL and _MAIL_FROM."
)
@click.option(
    "--restore",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A backup to begin with; --data-dir holds only the folder keys of its installation.",
)
def up(*, demo: bool, port: int, data_dir: Path, no_mailbox: bool, restore: Path | None) -> None:
    """Everything on this machine: databases, services and the portal. Ctrl-C stops it.

    Example: carespace up --demo --port 8080
    """
    from deploy import one_machine

    if demo and restore:
        raise click.UsageError("--restore brings what there was, --demo what there never was.")
    if demo and no_mailbox:
        raise click.UsageError("--demo registers its people through the mailbox: leave one away.")
    one_machine.up(
        folder=data_dir.resolve(),
        port=port,
        with_demo=demo,
        with_mailbox=not no_mailbox,
        console=console,
        restore=restore.resolve() if restore else None,
    )


@click.command()
@click.argument("part")
def run(part: str) -> None:
    """One service, or the gateway, with settings from the environment.

    Example: carespace run records
    """
    from importlib import import_module

    from libs.contracts import registry

    if part not in (*registry.services(), "gateway"):
        raise click.UsageError(f"There is no {part}: {', '.join(registry.services())}, gateway.")
    package = part if part == "gateway" else f"services.{part}"
    import_module(f"{package}.__main__").main()


@click.command("demo-code")
@click.argument("email")
@data_dir
def demo_code(*, email: str, data_dir: Path) -> None:
    """The one-time code that a member of the demo staff logs in with, now.

    Example: carespace demo-code nurse@lakeside.example.com
    """
    from deploy.demo import loading

    console.print(loading.code(data_dir.resolve(), email))
