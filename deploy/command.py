"""The `carespace` command."""

import sys

import click
from rich.console import Console

from deploy.commands import (
    accounts,
    activity,
    asyncapi,
    backups,
    bringing_in,
    dead_letters,
    doctor,
    keys,
    moving,
    nats_config,
    practices,
    preparing,
    running,
)
from deploy.problem import Problem


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="carespace")
def commands() -> None:
    """CareSpace, a self-hosted patient portal."""


for each in (
    running.up,
    running.run,
    running.demo_code,
    preparing.migrate,
    nats_config.nats_config,
    asyncapi.asyncapi,
    preparing.secrets,
    practices.practice,
    practices.staff,
    accounts.account,
    bringing_in.patients,
    bringing_in.import_files,
    dead_letters.group,
    activity.group,
    doctor.doctor,
    keys.group,
    backups.backup,
    backups.restore,
    moving.move,
):
    commands.add_command(each)


def main() -> None:
    """Exit code 0, or 1 for a no, or 2 if it was asked wrongly; with one sentence that says why."""
    try:
        commands(prog_name="carespace")
    except Problem as problem:
        Console(stderr=True, highlight=False).print(str(problem), markup=False, soft_wrap=True)
        sys.exit(problem.code)
