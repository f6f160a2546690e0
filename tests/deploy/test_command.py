"""The `carespace` command as its help shows it."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from deploy.command import commands


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(leaves(commands)), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(commands, [*path, "--help"], prog_name="carespace")
    assert shown.exit_code == 0
    assert f"Example: carespace {' '.join(path)}" in " ".join(shown.output.split())


def test_every_command_of_the_interface_is_there() -> None:
    assert {" ".join(path) for path in leaves(commands)} >= {
        "up",
        "run",
        "migrate",
        "nats-config",
        "practice add",
        "practice list",
        "staff invite",
        "patients import",
        "import",
        "dead-letters list",
        "dead-letters show",
        "dead-letters replay",
        "dead-letters drop",
    }
