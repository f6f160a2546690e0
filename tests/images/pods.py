"""The pods of the Helm chart on a Docker engine: what a kubelet would do with them, in Docker's words."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy import secret_files
from tests.helm import chart
from tests.images.compose import IMAGE, SECRETS_FOR
from tests.waiting import until_now

ASK = """
import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=4).read().decode())
"""

KUBERNETES_GIVES = 30
"""Seconds to stop, where a pod says nothing of it."""


def said(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0 or not check, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@dataclass(frozen=True, kw_only=True)
class Pods:
    """A network with NATS and Postgres on it, under the names that the chart looks for."""

    folder: Path
    name: str

    def start(self, part: str) -> None:
        said("docker", "run", "-d", *self._like(part), *self._does(part))

    def run(self, part: str) -> str:
        """To its end."""
        return said("docker", "run", *self._like(part), *self._does(part))

    def inside(self, part: str, *words: str, check: bool = True) -> str:
        return said("docker", "exec", f"{self.name}-{part}", *words, check=check)

    def asked(self, part: str, probe: str) -> str:
        """What a part answers to one of its probes."""
        only = chart.container(part)
        ports = {each["name"]: each["containerPort"] for each in only["ports"]}
        there = only[probe]["httpGet"]
        url = f"http://127.0.0.1:{ports[there['port']]}{there['path']}"
        return self.inside(part, "python3", "-c", ASK, url, check=False)

    def wait_for(self, part: str) -> None:
        """Until it is ready."""
        until_now(lambda: self.asked(part, "readinessProbe") == "ready", within=90)

    def stop(self, part: str) -> int:
        """Its exit code, within the time that it is given."""
        within = chart.pods()[part]["spec"].get("terminationGracePeriodSeconds", KUBERNETES_GIVES)
        said("docker", "stop", "-t", str(within), f"{self.name}-{part}")
        state = ["docker", "inspect", "-f", "{{.State.ExitCode}}", f"{self.name}-{part}"]
        return int(said(*state))

    def _like(self, part: str) -> list[str]:
        """As whom, with what rights, files and settings."""
        spec, only = chart.pods()[part]["spec"], chart.container(part)
        own, limits = spec["securityContext"], only["resources"]["limits"]
        assert only["securityContext"]["readOnlyRootFilesystem"]
        words = ["--name", f"{self.name}-{part}", "--network", self.name, "--read-only"]
        words += ["--user", f"{own['runAsUser']}:{own['runAsGroup']}", "--tmpfs", "/tmp:size=64m"]
        words += [f"--cap-drop={one}" for one in only["securityContext"]["capabilities"]["drop"]]
        words += ["--security-opt", "no-new-privileges", "--memory", limits["memory"][:-1]]
        words += ["-v", f"{self._secrets(part, group=own['fsGroup'])}:/run/secrets:ro"]
        for name, value in chart.environment(part).items():
            words += ["-e", f"{name}={value}"]
        if command := only.get("command"):
            words += ["--entrypoint", command[0]]
        return [*words, IMAGE]

    def _does(self, part: str) -> list[str]:
        only = chart.container(part)
        words = [*only.get("command", [])[1:], *only.get("args", [])]
        return ["1" if word == "3" else word for word in words]  # one NATS stands for three

    def _secrets(self, part: str, *, group: int) -> Path:
        """Root's, and read by a group: how a cluster hands them out."""
        folder = self.folder / f"secrets-of-{part}"
        folder.mkdir(mode=0o755)
        for path, (_, key) in chart.files(part).items():
            file = folder / Path(path).name
            shutil.copy(self.folder / "secrets" / key, file)
            os.chown(file, 0, group)
            file.chmod(0o440)
        return folder


@contextmanager
def up(folder: Path) -> Iterator[Pods]:
    """Gone with everything when this is left."""
    folder.chmod(0o755)
    here = Pods(folder=folder, name=f"carespace-pods-{os.getpid()}")
    secrets = folder / "secrets"
    secret_files.write(secrets, database="postgres:5432/postgres", owner=SECRETS_FOR)
    (secrets / "smtp-url").write_text("smtp://mail.example.com")
    secrets.chmod(0o711)
    composed = chart.compose()["services"]["postgres"]
    told = [
        word
        for name, value in composed["environment"].items()
        for word in ("-e", f"{name}={value}")
    ]
    said("docker", "network", "create", "--internal", here.name)
    try:
        said(
            *("docker", "run", "-d", "--name", f"{here.name}-nats", "--network", here.name),
            *("--network-alias", "nats", "--user", f"{SECRETS_FOR}:{SECRETS_FOR}"),
            *("--tmpfs", f"/data:uid={SECRETS_FOR}"),
            *("-v", f"{secrets / 'nats.conf'}:/nats.conf:ro"),
            *("carespace/nats:2.15", "-c", "/nats.conf"),
        )
        said(
            *("docker", "run", "-d", "--name", f"{here.name}-postgres", "--network", here.name),
            *("--network-alias", "postgres", "--user", f"{SECRETS_FOR}:{SECRETS_FOR}"),
            *("--tmpfs", f"/var/lib/postgresql:uid={SECRETS_FOR}", "--tmpfs", "/tmp"),
            *("--tmpfs", f"/var/run/postgresql:uid={SECRETS_FOR}"),
            *("-v", f"{secrets / 'postgres-password'}:/run/secrets/postgres-password:ro"),
            *(*told, "carespace/postgres:18", "-cmax_connections=400"),
        )
        yield here
    finally:
        own = said("docker", "ps", "-aq", "--filter", f"network={here.name}").split()
        said("docker", "rm", "-f", "-v", *own)
        said("docker", "network", "rm", here.name)
