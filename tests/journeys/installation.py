"""A whole portal, started as `make run` starts it, and what its people and its mail say."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp

from deploy import waiting

UP_WITHIN = 90
STEP = 30
"""Seconds of a one-time code."""
_USED: dict[str, int] = {}


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A portal that is up."""

    url: str
    folder: Path

    def letters(self, to: str) -> list[dict[str, Any]]:
        """Every letter to this address, newest first."""
        with urllib.request.urlopen(f"{self.url}/mailbox.json", timeout=10) as answer:
            letters: list[dict[str, Any]] = json.load(answer)
        return [letter for letter in letters if letter["to"] == to]

    def letter(self, to: str, *, more_than: int = 0, within: float = 20) -> dict[str, Any]:
        """The newest letter to this address, once there are more than so many."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            letters = self.letters(to)
            if len(letters) > more_than:
                return letters[0]
            time.sleep(0.1)
        raise AssertionError(f"no letter to {to}")

    def link(self, to: str, *, more_than: int = 0) -> str:
        """The link in that letter."""
        found = re.search(
            rf"{re.escape(self.url)}/\S+", self.letter(to, more_than=more_than)["text"]
        )
        assert found
        return found[0]

    def code(self, email: str) -> str:
        """A one-time code that nobody has used: each step's counts once, and one ahead is taken."""
        demo = json.loads((self.folder / "demo.json").read_text())
        secrets, used = demo["code_secrets"], demo["code_steps"].get(email, 0)
        now = int(time.time()) // STEP
        step = max(now - 1, _USED.get(secrets[email], used) + 1)
        if step > now + 1:
            time.sleep((step - 1) * STEP - time.time() + 0.1)
        _USED[secrets[email]] = step
        return pyotp.TOTP(secrets[email]).at(step * STEP)

    def import_key(self, practice: str) -> str:
        """The ingestion key of a practice, by its id."""
        keys: dict[str, str] = json.loads((self.folder / "demo.json").read_text())["import_keys"]
        return keys[practice]

    def pid(self, part: str) -> int:
        """The process of a part, to end it."""
        return int((self.folder / "run" / f"{part}.pid").read_text())


@contextmanager
def up(folder: Path, *, demo: bool = True, name: str = "127.0.0.1") -> Iterator[Installation]:
    """A portal in this folder, up when this is entered, and stopped as Ctrl-C stops it."""
    port = waiting.free_port()
    command = [sys.executable, "-m", "deploy", "up", "--port", str(port), "--data-dir", str(folder)]
    with (folder.parent / f"{folder.name}.out").open("wb") as out:
        portal = subprocess.Popen(
            [*command, *(["--demo"] if demo else [])],
            stdout=out,
            stderr=out,
            env=os.environ | {"CARESPACE_PUBLIC_URL": f"http://{name}:{port}"},
        )
        try:
            url = f"http://{name}:{port}"
            _wait(portal, folder, url, demo=demo)
            yield Installation(url=url, folder=folder)
        finally:
            portal.send_signal(signal.SIGINT)
            portal.wait(timeout=60)


def _wait(portal: "subprocess.Popen[bytes]", folder: Path, url: str, *, demo: bool) -> None:
    until = time.monotonic() + UP_WITHIN
    while time.monotonic() < until:
        assert portal.poll() is None, (folder.parent / f"{folder.name}.out").read_text()
        try:
            with urllib.request.urlopen(f"{url}/login", timeout=2):
                if not demo or (folder / "demo.json").exists():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    raise AssertionError((folder.parent / f"{folder.name}.out").read_text())
