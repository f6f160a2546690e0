"""The `carespace` command."""

from pathlib import Path

import click
from rich.console import Console

console = Console(highlight=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="carespace")
def main() -> None:
    """CareSpace, a self-hosted patient portal."""


@main.command()
@click.option("--demo", is_flag=True, help="With two practices and a few patients to look at.")
@click.option("--port", default=8080, show_default=True, help="Where the portal answers.")
@click.option(
    "--data-dir",
    default=Path(".carespace"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where everything is kept.",
)
@click.option("--no-mailbox", is_flag=True, help="Send letters for real; see CARESPACE_SMTP_URL.")
def up(*, demo: bool, port: int, data_dir: Path, no_mailbox: bool) -> None:
    """Everything on this machine: databases, services and the portal. Ctrl-C stops it.

    Example: carespace up --demo --port 8080
    """
    from deploy import one_machine, postgres, waiting  # noqa: PLC0415  (other commands are quick)

    if demo and no_mailbox:
        raise click.UsageError("--demo registers its people through the mailbox: leave one away.")
    try:
        one_machine.up(
            folder=data_dir.resolve(),
            port=port,
            with_demo=demo,
            with_mailbox=not no_mailbox,
            console=console,
        )
    except (one_machine.CannotStart, postgres.NotPossible, waiting.NotUp) as sentence:
        console.print(str(sentence))
        raise SystemExit(2) from None


@main.command()
@click.argument("part")
def run(part: str) -> None:
    """One service, or the gateway, from the environment.

    Example: carespace run records
    """
    from importlib import import_module  # noqa: PLC0415

    from libs.contracts import registry  # noqa: PLC0415

    if part not in (*registry.services(), "gateway"):
        raise click.UsageError(f"There is no {part}: {', '.join(registry.services())}, gateway.")
    package = part if part == "gateway" else f"services.{part}"
    import_module(f"{package}.__main__").main()
