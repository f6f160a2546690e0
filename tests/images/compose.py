"""An installation from deploy/compose, two of each service, up as the guide says it."""

import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import waiting
from libs.contracts import registry
from tests.journeys.installation import Installation
from tests.waiting import until_now

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("CARESPACE_IMAGE", "")
"""Always named, so that nobody tests what somebody else built yesterday."""
PROMETHEUS = "carespace/prometheus:2.42"
IMAGES = (
    *(IMAGE, "carespace/postgres:18", "carespace/nats:2.15", "carespace/nginx:1.22"),
    PROMETHEUS,
)
PARTS = (*registry.services(), "gateway")
SECRETS_FOR = 10001
"""The account that everything in a container runs as."""


def missing() -> str:
    """Why these tests can't run here; "" if they can."""
    if not IMAGE:
        return "CARESPACE_IMAGE names no image: deploy/image/build makes one, and prints its name"
    if not shutil.which("docker"):
        return "there is no docker command"
    for image in IMAGES:
        asked = ["docker", "image", "inspect", image]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            return f"Docker has no {image}: .ci/images makes it"
    return "" if composing() else "there is no docker compose"


def composing() -> list[str]:
    """Compose as a plugin of docker, or the command by itself."""
    for words in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]):
            found = subprocess.run([*words, "version"], capture_output=True, check=False)
            if found.returncode == 0:
                return words
    return []


@dataclass(frozen=True, kw_only=True)
class Composed(Installation):
    """What runs, with the way to its containers."""

    project: str
    files: tuple[str, ...] = ("compose.yaml", "mailbox.yaml")

    def compose(self, *words: str) -> str:
        """One compose command, and what it prints."""
        command = [*composing(), "-p", self.project]
        for file in self.files:
            command += ["-f", file]
        done = subprocess.run(
            [*command, *words], check=False, cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def operator(self, *words: str) -> str:
        """The `carespace` command inside."""
        return self.compose("run", "--rm", "operator", *words)

    def containers(self, part: str) -> list[dict[str, Any]]:
        """Every running container of a part, as Docker describes it."""
        label = "label=com.docker.compose"
        of = (f"{label}.project={self.project}", f"{label}.service={part}")
        ids = _said("docker", "ps", "-q", "--filter", of[0], "--filter", of[1]).split()
        found: list[dict[str, Any]] = json.loads(_said("docker", "inspect", *ids)) if ids else []
        return found

    def remember(self, **told: Mapping[str, str]) -> None:
        """What is told once, kept where the journeys look for it."""
        known: dict[str, Mapping[str, str]] = {
            "import_keys": {},
            "code_secrets": {},
            "code_steps": {},
        } | told
        (self.folder / "demo.json").write_text(json.dumps(known))


@contextmanager
def up(folder: Path) -> Iterator[Composed]:
    """Up when this is entered, and gone with its volumes afterwards."""
    https, http = waiting.free_ports(2)
    for file in ("deploy/compose/compose.yaml", "deploy/compose/nginx.conf"):
        shutil.copy(ROOT / file, folder)
    shutil.copy(Path(__file__).parent / "mailbox.yaml", folder)
    here = Composed(
        url=f"https://127.0.0.1:{https}", folder=folder, project=f"carespace-test-{os.getpid()}"
    )
    settings = {
        "CARESPACE_IMAGE": IMAGE,
        "CARESPACE_PUBLIC_URL": here.url,
        "CARESPACE_MAIL_FROM": "portal@clinic.example.com",
        "CARESPACE_LISTEN": "127.0.0.1",
        "CARESPACE_HTTPS_PORT": str(https),
        "CARESPACE_HTTP_PORT": str(http),
        "EDGE_SUBNET": f"172.16.{os.getpid() % 250}.0/24",
    }
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    _make_secrets(folder / "secrets")
    two = [word for part in PARTS for word in ("--scale", f"{part}=2")]
    try:
        here.compose("up", "-d", *two)
        until_now(lambda: _all_healthy(here), within=120)
        until_now(lambda: _answers(here), within=30)
        yield here
    finally:
        (folder / "logs").write_text(here.compose("logs", "--no-color"))
        here.compose("down", "-v", "--timeout", "30")


def _make_secrets(folder: Path) -> None:
    folder.mkdir()
    (folder / "smtp-url").write_text("smtp://mailbox:2525")
    _said(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(folder / "certificate-key.pem"), "-out", str(folder / "certificate.pem")),
    )
    _said(
        *("docker", "run", "--rm", "--user", "0", "-v", f"{folder}:/secrets", IMAGE),
        *("secrets", "/secrets", "--owner", str(SECRETS_FOR)),
    )


def _all_healthy(here: Composed) -> bool:
    return all(
        [one["State"]["Health"]["Status"] for one in here.containers(part)] == ["healthy"] * 2
        for part in PARTS
    )


def trust(here: Composed) -> ssl.SSLContext:
    """Believes this installation's certificate, and no other."""
    return ssl.create_default_context(cafile=here.folder / "secrets" / "certificate.pem")


def _answers(here: Composed) -> bool:
    try:
        with urllib.request.urlopen(f"{here.url}/login", timeout=5, context=trust(here)) as page:
            return bool(page.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def import_key(told: str) -> str:
    """The import key in what `practice add` says."""
    found = re.search(r"told this once: (\S+)", told)
    assert found, told
    return found[1]


def _said(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stderr}"
    return done.stdout
