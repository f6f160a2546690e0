"""What the operator's guide says of Kubernetes, word by word, as far as it goes without a cluster."""

import base64
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from deploy import secret_files
from tests.helm import chart
from tests.helm.chart import PARTS, TOOLS

KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
GUIDE = (chart.ROOT / "docs" / "operating.md").read_text().partition("\n## Kubernetes\n")[2]
BLOCKS = re.findall(r"^   ```\n(.*?)^   ```$", GUIDE, re.MULTILINE | re.DOTALL)


def commands(program: str) -> Iterator[list[str]]:
    """Every command of a program that stands in a block of its own."""
    for block in BLOCKS:
        lines = block.replace("\\\n", " ").splitlines()
        yield from (words for line in lines if (words := shlex.split(line))[:1] == [program])


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What the guide's commands make of what `carespace secrets` writes, by kubectl itself."""
    folder = tmp_path_factory.mktemp("installation")
    (made,) = [words for words in commands("docker") if "--database" in words]
    database = made[made.index("--database") + 1]
    secret_files.write(folder / "secrets", database=database, owner=None)
    (folder / "secrets" / "smtp-url").write_text("smtp://mail.example.com")
    found = {}
    for words in commands("kubectl"):
        if words[1:4] == ["create", "secret", "generic"]:
            done = subprocess.run(
                [str(KUBECTL), *words[1:], "--dry-run=client", "-o", "yaml"],
                check=False,
                cwd=folder,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, (words, done.stderr)
            thing = yaml.safe_load(done.stdout)
            found[thing["metadata"]["name"]] = {
                key: base64.b64decode(value).decode() for key, value in thing["data"].items()
            }
    return found


def test_each_part_gets_the_files_that_it_mounts_and_no_others(
    secrets: dict[str, dict[str, str]],
) -> None:
    for part in (*PARTS, *TOOLS):
        mounted = {key for _, key in chart.files(part).values()}
        assert secrets[f"carespace-{part}"].keys() == mounted, part
    assert secrets.keys() == {
        *(f"carespace-{part}" for part in (*PARTS, *TOOLS)),
        "carespace-postgres-admin",
    }


def test_the_administrator_that_postgres_makes_is_the_one_that_migrate_comes_as(
    secrets: dict[str, dict[str, str]],
) -> None:
    made = secrets["carespace-postgres-admin"]
    url = secrets["carespace-migrate"]["admin-database-url"]
    assert url.startswith(f"postgresql://{made['username']}:{made['password']}@")


def test_postgres_proves_who_it_is_by_a_certificate_that_every_service_has(
    secrets: dict[str, dict[str, str]],
) -> None:
    (said,) = [yaml.safe_load(block) for block in BLOCKS if block.lstrip().startswith("image:")]
    files = chart.rendered(said)
    pods = [
        thing["spec"]["template"] for thing in files["deployments.yaml"] + files["migrate.yaml"]
    ]
    for pod in pods:
        part = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        (url,) = [
            value
            for key, value in secrets[f"carespace-{part}"].items()
            if key.endswith("-database-url")
        ] or [""]
        (only,) = pod["spec"]["containers"]
        mounted = {mount["mountPath"] for mount in only["volumeMounts"]}
        assert url.endswith("sslmode=verify-full&sslrootcert=/run/postgres-ca/ca.crt") == bool(url)
        assert ("/run/postgres-ca" in mounted) == bool(url)


def test_the_guide_names_things_that_are_there() -> None:
    deployments = {f"carespace-{name}" for name in chart.of_kind("Deployment")}
    assert set(re.findall(r"deployment/([\w-]+)", GUIDE)) <= deployments
    assert set(re.findall(r"job/([\w-]+)", GUIDE)) == {"carespace-migrate"}
    for path in re.findall(r"deploy/helm/[\w./-]*\w", GUIDE):
        assert (chart.ROOT / path).exists(), path
    (tls,) = [words for words in commands("kubectl") if words[1:4] == ["create", "secret", "tls"]]
    (ingress,) = chart.of_kind("Ingress").values()
    assert ingress["spec"]["tls"][0]["secretName"] == tls[4]


def test_the_guide_tells_nats_config_what_it_takes(tmp_path: Path) -> None:
    (words,) = [words for words in commands("docker") if "nats-config" in words]
    ours = [str(tmp_path) if word == "/secrets" else word for word in words]
    asked = ours[ours.index("nats-config") : ours.index(">")]
    done = subprocess.run(
        [sys.executable, "-m", "deploy", *asked, "--tls-secret", "nats-tls"],
        check=False,
        cwd=chart.ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["tlsCA"] == {"enabled": True, "secretName": "nats-tls"}
