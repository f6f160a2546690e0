"""Every command line that the docs tell somebody to type is one that is understood.

`carespace …` is read by the command itself, `docker compose …` held against what Compose 2 and
docker-compose 1.29 both know. Whoever follows a runbook at night gets no usage text for an answer.
"""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import click
import pytest
import yaml

from deploy.command import commands
from tests.deploy.test_command import found

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
CODE = re.compile(r"^ *```\w*\n(?P<block>.*?)^ *```$|`(?P<word>[^`]+)`", re.MULTILINE | re.DOTALL)
IMAGE = "carespace/portal:0.1.0"
BESIDE = {"mailbox", "postgres-records"}
"""Services that the guide has the operator add."""

BOTH_KNOW = {
    "up": {"-d": False, "--scale": True},
    "run": {"--rm": False, "-v": True, "-e": True},
    "exec": {"-T": False},
    "logs": {"-f": False, "--tail": True, "--timestamps": False},
    "down": {"-v": False},
    **{name: {} for name in ("ps", "start", "stop", "restart")},
}
"""Options that the docs may use, and whether a word follows.

Not `logs --since`: docker-compose 1.29 has none. Nor `up --force-recreate`: there it takes NATS and
Postgres along.
"""


def lines(page: Path) -> Iterator[str]:
    """What stands as code, a command at a time, in the order of the page."""
    for part in CODE.finditer(page.read_text()):
        if part["word"]:
            yield " ".join(part["word"].split())
        else:
            yield from (one.strip() for one in part["block"].replace("\\\n", " ").split("\n"))


def simple(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if set(word) <= set("|;&<>()"):
                yield words
                words = []
            else:
                words.append(word)
    except ValueError:  # prose, or a quotation that goes on
        words += line.split()
    yield words


def told() -> Iterator[tuple[str, list[str]]]:
    """Where it is said, and the words."""
    for page in PAGES:
        for line in lines(page):
            for words in simple(line):
                yield f"{page.name}: {line}", words


TOLD = list(told())


def to_compose() -> list[tuple[str, list[str]]]:
    return [(place, words[2:]) for place, words in TOLD if words[:2] == ["docker", "compose"]]


def split(words: list[str]) -> tuple[list[str], str, list[str]]:
    """Files that are named first, the verb, and what is behind it."""
    here = list(words)
    files = []
    while here[:1] == ["-f"]:
        files.append(here[1])
        here = here[2:]
    return files, here[0] if here else "", here[1:]


def options(verb: str, words: list[str]) -> tuple[list[str], list[str]]:
    """Those before the first service, and the rest. An unknown one is not an option at all."""
    left, known = list(words), BOTH_KNOW[verb]
    given = []
    while left and left[0].startswith("-"):
        option = left.pop(0)
        assert option in known, f"not both Composes know {verb} {option}"
        given.append(option)
        if known[option]:
            left.pop(0)
    return given, left


def services(files: list[str]) -> set[str]:
    beside = ["deploy/compose/compose.yaml", *(f"deploy/{file}" for file in files[1:])]
    return BESIDE.union(*(yaml.safe_load((ROOT / file).read_text())["services"] for file in beside))


def understood(words: list[str]) -> None:
    """The command itself reads this. Only files may be missing, for they are the operator's."""
    group: click.Command = commands
    path = []
    for word in words:
        if not isinstance(group, click.Group) or word not in group.commands:
            break
        group = group.commands[word]
        path.append(word)
    left = words[len(path) :]
    if (path and not left) or left == ["--help"]:
        return  # it is only called by its name
    assert not isinstance(group, click.Group), f"no such command: {words}"
    try:
        found(tuple(path)).make_context(" ".join(path), left)
    except click.BadParameter as wrong:
        if not (wrong.param and isinstance(wrong.param.type, click.Path)):
            raise


def of_ours() -> list[tuple[str, list[str]]]:
    """Words for the `carespace` command: by its name, by a container's, or a command's alone."""
    named = []
    for place, words in TOLD:
        if words[:1] and words[0].rpartition("/")[2] == "carespace":
            named.append((place, words[1:]))
        elif "--" in words and "carespace" in words:
            named.append((place, words[words.index("carespace") + 1 :]))
        elif IMAGE in words and words[:2] == ["docker", "run"]:
            named.append((place, words[words.index(IMAGE) + 1 :]))
        elif words[:1] and words[0] in commands.commands and len(words) > 1:
            named.append((place, words))
    for place, words in to_compose():
        verb, behind = split(words)[1:]
        if verb == "run":
            named.append((place, options(verb, behind)[1][1:]))
    return [(place, words) for place, words in named if words]


def test_the_docs_name_many_commands() -> None:
    """So that a change of how they are written does not leave the tests below with nothing."""
    assert len(to_compose()) > 60
    assert len(of_ours()) > 40


@pytest.mark.parametrize(("place", "words"), of_ours(), ids=[place for place, _ in of_ours()])
def test_a_command_of_ours_is_understood(place: str, words: list[str]) -> None:
    assert place
    understood(words)


@pytest.mark.parametrize(("place", "words"), to_compose(), ids=[at for at, _ in to_compose()])
def test_a_command_of_compose_is_known_to_both(place: str, words: list[str]) -> None:
    files, verb, behind = split(words)
    if not verb or verb.startswith("YOUR"):
        return
    assert verb in BOTH_KNOW, place
    left = options(verb, behind)[1]
    which = left[:1] if verb in {"run", "exec"} else left
    assert set(which) <= services(files), place
    assert which or verb not in {"run", "exec"}, place


def test_what_asks_back_is_given_somebody_to_ask() -> None:
    """Docker without -it answers a question by itself, with a no."""
    asking = [
        (place, list(takewhile(lambda word: word != IMAGE, words)))
        for place, words in TOLD
        if IMAGE in words and words[words.index(IMAGE) + 1 :][:2] == ["keys", "drop"]
    ]
    assert asking
    for place, ahead in asking:
        assert "-it" in ahead, place
