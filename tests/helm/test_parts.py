"""Each part in a cluster is told what it reads, sees its own secrets, and stops as it does."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from deploy import keys, secret_files
from deploy.administrator import Administrator
from deploy.commands.preparing import Settings
from deploy.reach import Reach
from gateway.config import Config as GatewayConfig
from libs.contracts import registry
from libs.runtime import config, health, lifeline, service
from tests.deploy.test_operating_guide import configs
from tests.helm import chart
from tests.helm.chart import PARTS, TOOLS, VARIANTS

IMAGE_SAYS = {"HOST", "PORT"}
"""What the image tells every part: see its Dockerfile."""
ONE_MACHINE = {"MAILBOX_URL"}
IF_WANTED = {
    "NATS_CA",
    "SMTP_CA",
    *(f"{name}_DATABASE_URL".upper() for name in registry.services()),
}
OPERATORS = {"migrate": Settings, "operator": Reach, "admin": Administrator}
RUN_AS = 10001
HTTP_PORTS = {"http": 8080, "health": 8081}


def reads(part: str) -> set[str]:
    return {field.name.upper() for field in fields({**configs(), **OPERATORS}[part])}


def told(part: str, variant: str = "as it stands") -> set[str]:
    names = (name.removeprefix("CARESPACE_") for name in chart.environment(part, variant))
    return {name.removesuffix("_FILE") for name in names}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_told_everything_that_it_reads_and_nothing_else(part: str) -> None:
    assert told(part) == reads(part) - IMAGE_SAYS - ONE_MACHINE - IF_WANTED
    all_said = reads(part) - IMAGE_SAYS - ONE_MACHINE
    assert told(part, "servers elsewhere") == all_said


@pytest.mark.parametrize("tool", TOOLS)
def test_a_command_is_told_what_it_reads(tool: str) -> None:
    assert told(tool) == reads(tool) - IF_WANTED
    assert told(tool, "servers elsewhere") == reads(tool)


@pytest.mark.parametrize("part", [*PARTS, *TOOLS])
def test_a_part_is_told_the_same_as_on_one_docker_host(part: str) -> None:
    """With the same names of files; only settings that the other leaves at their default differ."""
    here, there = chart.environment(part), chart.compose()["services"][part]["environment"]
    tuned = {name for name in here if name.startswith("CARESPACE_ARGON2_")}
    assert here.keys() - tuned == there.keys()
    secret = {name for name in here if name.endswith(("_FILE", "_CREDENTIALS"))}
    assert {name: here[name] for name in secret} == {name: there[name] for name in secret}
    assert here.get("CARESPACE_HEALTH_PORT") == there.get("CARESPACE_HEALTH_PORT")


@pytest.mark.parametrize("part", PARTS)
def test_what_argon2_is_told_is_what_it_would_take_by_itself(part: str) -> None:
    defaults = {field.name.upper(): field.default for field in fields(configs()[part])}
    for name, value in chart.environment(part).items():
        if "ARGON2" in name:
            assert int(value) == defaults[name.removeprefix("CARESPACE_")]


@pytest.mark.parametrize("variant", ["as it stands", "servers elsewhere"])
def test_a_part_that_is_given_its_secrets_knows_all_that_it_needs_to_start(
    tmp_path: Path, variant: str
) -> None:
    """With the files that `carespace secrets` writes, and an authority's certificate."""
    secret_files.write(tmp_path, database="carespace-postgres-rw:5432/carespace", owner=None)
    for name in registry.services():
        (tmp_path / f"{name}-admin-database-url").write_text("postgresql://carespace_admin@x/y")
    (tmp_path / "smtp-url").write_text("smtp+starttls://name:word@mail.example.com:587\n")
    for part, kind in {**configs(), **OPERATORS}.items():
        there = chart.files(part, variant)
        environ = {
            name: str(tmp_path / there[value][1]) if value in there else value
            for name, value in chart.environment(part, variant).items()
            if there.get(value, ("", ""))[1] != "ca.crt"
        }
        assert "/run/" not in " ".join(environ.values()), part
        found: Any = config.from_environment(kind, environ)
        assert found.nats_url.startswith(("nats://", "tls://"))
        assert Path(found.nats_credentials).read_text().startswith("SU")


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("part", [*PARTS, *TOOLS])
def test_a_part_sees_the_files_that_it_is_told_of_and_no_others(part: str, variant: str) -> None:
    named = {value for value in chart.environment(part, variant).values() if "/run/" in value}
    extra = chart.files(part, variant).keys() - named
    assert named <= chart.files(part, variant).keys()
    postgres = "CARESPACE_DATABASE_URL_FILE" in chart.environment(part, variant)
    wanted = variant == "servers elsewhere" and postgres
    assert extra == ({"/run/postgres-ca/ca.crt"} if wanted else set())


@pytest.mark.parametrize("part", [*PARTS, *TOOLS])
def test_a_part_sees_what_it_sees_on_one_docker_host(part: str) -> None:
    """Its own Secret has exactly those files, and is nobody else's."""
    there = chart.compose()["services"][part]["secrets"]
    assert chart.files(part) == {
        f"/run/secrets/{name}": (f"carespace-{part}", name) for name in there
    }
    signers = {f"{name}-visa-signing-key" for name in keys.SIGNERS if name != part}
    others = {f"{name}-database-url" for name in registry.services() if name != part}
    assert not {name for _, name in chart.files(part).values()} & (signers | others)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pod_has_no_rights_that_it_does_not_need(variant: str) -> None:
    """Pod Security Standards, "restricted"; and nothing of the API, nor of other Services."""
    for name, pod in chart.pods(variant).items():
        spec, only = pod["spec"], chart.container(name, variant)
        own = spec["securityContext"]
        assert own["runAsNonRoot"] is True
        assert {own["runAsUser"], own["runAsGroup"], own["fsGroup"]} == {RUN_AS}
        assert own["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not any(spec.get(word) for word in ("hostNetwork", "hostPID", "hostIPC"))
        kinds = {kind for each in spec["volumes"] for kind in each if kind != "name"}
        assert kinds <= {"secret", "emptyDir", "persistentVolumeClaim"}
    (account,) = chart.of_kind("ServiceAccount", variant).values()
    assert account["automountServiceAccountToken"] is False


def test_it_runs_as_whom_the_image_and_the_compose_file_say() -> None:
    image = (chart.ROOT / "deploy" / "image" / "Dockerfile").read_text()
    assert f"USER {RUN_AS}:{RUN_AS}" in image
    assert chart.compose()["services"]["gateway"]["user"] == f"{RUN_AS}:{RUN_AS}"
    assert chart.container("gateway")["image"] == "carespace/portal:0.1.0"
    assert "${CARESPACE_IMAGE:-carespace/portal:0.1.0}" in str(chart.compose())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_what_it_runs_on_one_docker_host_within_the_same_limits(part: str) -> None:
    there, here = chart.compose()["services"][part], chart.container(part)
    assert here["args"] == there["command"]
    assert "command" not in here
    units = {"512Mi": "512m", "1Gi": "1g"}
    assert units[here["resources"]["limits"]["memory"]] == there["mem_limit"]
    assert here["resources"]["limits"]["cpu"] == "1"
    volumes = {each["name"]: each for each in chart.pods()[part]["spec"]["volumes"]}
    assert volumes["tmp"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Mi"}
    assert there["tmpfs"] == ["/tmp:size=64m"]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_asked_where_it_answers(part: str) -> None:
    image = (chart.ROOT / "deploy" / "image" / "Dockerfile").read_text()
    listens = int(re.findall(r"CARESPACE_PORT=(\d+)", image)[0])
    only, told_at = chart.container(part), chart.environment(part).get("CARESPACE_HEALTH_PORT")
    ports = {each["name"]: each["containerPort"] for each in only["ports"]}
    if part == "gateway":
        assert ports == {"http": listens, "health": int(told_at or 0)}
        assert "health_port" in {field.name for field in fields(GatewayConfig)}
    else:
        assert ports == {"health": listens}
    answered = {route.path for route in health.routes if isinstance(route, web.RouteDef)}
    for probe, path in (
        ("startupProbe", "/health/live"),
        ("livenessProbe", "/health/live"),
        ("readinessProbe", "/health/ready"),
    ):
        assert only[probe]["httpGet"] == {"path": path, "port": "health"}
        assert path in answered
    annotations = chart.pods()[part]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] in answered
    assert int(annotations["prometheus.io/port"]) == ports["health"]


def test_a_part_is_not_ended_before_it_ends_by_itself_where_nats_is_lost() -> None:
    """Being away from NATS or Postgres is told by readiness, and never by liveness."""
    probe = chart.container("records")["livenessProbe"]
    assert "ready" not in probe["httpGet"]["path"]
    slowest = probe["periodSeconds"] * probe["failureThreshold"]
    assert slowest >= lifeline.LOST


@pytest.mark.parametrize("part", PARTS)
def test_there_is_time_to_finish_what_is_under_way(part: str) -> None:
    spec, only = chart.pods()[part]["spec"], chart.container(part)
    leaves = only.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert bool(leaves) == (part == "gateway")
    drained = service.STOP_WITHIN + service.HEARD_WITHIN + lifeline.BEGUN_WITHIN
    assert spec["terminationGracePeriodSeconds"] > leaves + drained


def test_less_time_than_it_takes_is_refused() -> None:
    with pytest.raises(Exception, match="graceSeconds"):
        chart.written({"leaveSeconds": 20, "graceSeconds": 57})
    assert chart.written({"leaveSeconds": 20, "graceSeconds": 58})


@pytest.mark.parametrize("part", PARTS)
def test_a_replica_goes_only_once_another_is_ready(part: str) -> None:
    strategy = chart.of_kind("Deployment")[part]["spec"]["strategy"]
    assert strategy == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert chart.container(part)["readinessProbe"]["failureThreshold"] > 1


@pytest.mark.parametrize("part", PARTS)
def test_replicas_are_kept_apart(part: str) -> None:
    pod = chart.pods()[part]
    spread = pod["spec"]["topologySpreadConstraints"]
    assert {each["topologyKey"] for each in spread} == {
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    }
    for each in spread:
        assert each["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        assert each["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == part


def test_databases_and_streams_come_before_the_parts() -> None:
    (job,) = chart.of_kind("Job").values()
    notes = job["metadata"]["annotations"]
    assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert chart.container("migrate")["args"] == ["migrate", "--replicas", "3"]
    values = yaml.safe_load((chart.HELM / "nats-values.yaml").read_text())
    assert values["config"]["cluster"]["replicas"] == 3
    # Nothing of the chart is there yet, but for what comes earlier by its weight.
    assert "serviceAccountName" not in chart.pods()["migrate"]["spec"]
    wall = chart.of_kind("NetworkPolicy")["migrate"]["metadata"]["annotations"]
    assert wall["helm.sh/hook"] == notes["helm.sh/hook"]
    assert int(wall["helm.sh/hook-weight"]) < int(notes["helm.sh/hook-weight"])


@pytest.mark.parametrize("tool", ["operator", "admin"])
def test_nobody_holds_an_operators_secrets_while_no_operator_is_at_work(tool: str) -> None:
    assert chart.of_kind("Deployment")[tool]["spec"]["replicas"] == 0


def test_the_door_leads_to_the_gateway_by_tls() -> None:
    (ingress,), (door,) = chart.of_kind("Ingress").values(), chart.of_kind("Service").values()
    assert ingress["spec"]["tls"] == [
        {"hosts": ["portal.example.com"], "secretName": "carespace-tls"}
    ]
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "portal.example.com"
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {
        "name": door["metadata"]["name"],
        "port": {"name": "http"},
    }
    labels = chart.pods()["gateway"]["metadata"]["labels"]
    assert door["spec"]["selector"].items() <= labels.items()
    assert (
        not door["spec"]["selector"].items()
        <= chart.pods()["records"]["metadata"]["labels"].items()
    )
    assert [port["targetPort"] for port in door["spec"]["ports"]] == ["http"]
    assert chart.of_kind("Ingress", "no ingress") == {}
