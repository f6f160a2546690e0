"""The `carespace` command, walked from end to end: what it explains, tells machines, and refuses."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deploy import command
from deploy.command import commands

SPEAKS_OTHERWISE = {
    "up": "it goes on until it is stopped",
    "run": "it logs in JSON",
    "demo-code": "a code for a person",
    "asyncapi": "it says nothing but JSON",
}
"""Commands without --json, and why."""
GIVEN = {
    "FILE": __file__,
    "FILES": __file__,
    "NUMBER": "1",
    "NUMBERS": "1",
    "EMAIL": "a@example.com",
    "SERVICE": "records",
    "KEY": "k1",
}
TOLD = {"born": "1980-02-29", "time_zone": "America/Denver"}


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, found in group.commands.items():
        if isinstance(found, click.Group):
            yield from leaves(found, (*path, name))
        else:
            yield (*path, name)


def found(path: tuple[str, ...]) -> click.Command:
    """The command itself."""
    here: click.Command = commands
    for name in path:
        assert isinstance(here, click.Group)
        here = here.commands[name]
    return here


def filled(path: tuple[str, ...], folder: Path) -> list[str]:
    """This command with everything that it needs to be told, about an installation not there."""
    words = list(path)
    for each in found(path).params:
        if isinstance(each, click.Argument):
            words.append(GIVEN.get((each.name or "").upper(), str(folder)))
        elif each.name == "data_dir":
            words += ["--data-dir", str(folder)]
        elif each.required:
            words += [each.opts[0], TOLD.get(each.name or "", "x")]
    return words


def exit_code(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """As the shell sees it."""
    monkeypatch.setattr(sys, "argv", ["carespace", *words])
    with pytest.raises(SystemExit) as left:
        command.main()
    code = left.value.code
    assert isinstance(code, int)
    return code


EVERY = pytest.mark.parametrize("path", list(leaves(commands)), ids=" ".join)
NEEDING_ONE = [
    path for path in leaves(commands) if any(each.name == "data_dir" for each in found(path).params)
]


@EVERY
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
        "practice renew-key",
        "practice list",
        "staff invite",
        "account reset-two-step",
        "patients import",
        "import",
        "dead-letters list",
        "dead-letters show",
        "dead-letters replay",
        "dead-letters drop",
        "keys list",
        "keys rotate",
        "activity verify",
        "backup",
        "restore",
        "doctor",
    }


@EVERY
def test_every_command_speaks_to_machines_or_has_a_reason(path: tuple[str, ...]) -> None:
    speaks = any("--json" in each.opts for each in found(path).params)
    assert speaks != (" ".join(path) in SPEAKS_OTHERWISE)


@EVERY
def test_every_option_is_explained(path: tuple[str, ...]) -> None:
    for each in found(path).params:
        if isinstance(each, click.Option):
            assert each.help, each.name
            assert each.help.endswith("."), each.help


@EVERY
def test_a_command_that_is_used_wrongly_ends_with_2(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code([*path, "--nonsense"], monkeypatch) == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize("path", [path for path in NEEDING_ONE if path != ("up",)], ids=" ".join)
def test_where_nothing_runs_every_command_says_so_in_a_sentence(
    path: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(filled(path, tmp_path / "none"), monkeypatch) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(("No CareSpace runs in ", "There is no demo data in ")), said.err
    assert "Traceback" not in said.err
    assert said.err.count("\n") == 1


def test_who_changes_their_mind_is_taken_at_their_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A no, whoever says it, ends with 1."""
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert exit_code(["keys", "drop", "k1", str(tmp_path)], monkeypatch) == 1
