"""The chart as Helm itself renders it, and what is in it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

from libs.contracts import registry

ROOT = Path(__file__).parents[2]
HELM = ROOT / "deploy" / "helm"
CHART = HELM / "carespace"
RELEASE = "carespace"
PARTS = (*registry.services(), "gateway")
TOOLS = ("migrate", "operator", "admin")
Thing = dict[str, Any]
SAID: Mapping[str, Any] = {
    "publicUrl": "https://portal.example.com",
    "mailFrom": "portal@example.com",
    "trustedProxies": "10.244.0.0/16",
}
"""What has to be said."""
CA = {"caSecret": "authority"}
ELSEWHERE = ["identity", "records", "messaging", "delegation", "notifier"]
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as it stands": {},
    "no ingress": {"ingress": {"enabled": False}, "trustedProxies": ""},
    "numbers by hand": {
        "parts": {part: {"replicas": 3, "autoscaling": {"enabled": False}} for part in PARTS}
    },
    "servers elsewhere": {
        "nats": {"url": "tls://nats-1.internal:4222,tls://nats-2.internal:4222"} | CA,
        "postgres": CA | {"elsewhere": ELSEWHERE},
        "smtp": CA,
        "networkPolicy": {
            "nats": {"to": [{"ipBlock": {"cidr": "192.0.2.0/28"}}]},
            "postgres": {"port": 6432, "to": [{"ipBlock": {"cidr": "192.0.2.16/28"}}]},
            "smtp": {"port": 465, "to": [{"ipBlock": {"cidr": "198.51.100.7/32"}}]},
            "guards": {"enabled": False},
        },
    },
    "traces": {"otlpEndpoint": "http://collector.monitoring:4318"},
    "the Prometheus operator": {"metrics": {"annotations": False, "podMonitor": True}},
    "nobody counts": {"networkPolicy": {"prometheus": []}, "metrics": {"annotations": False}},
    "no walls": {"networkPolicy": {"enabled": False}},
    "an image of one's own": {
        "image": {
            "repository": "registry.example.com/portal",
            "digest": f"sha256:{'0' * 64}",
            "pullSecrets": ["registry"],
        },
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "portal", "operator": "Exists"}],
        "ingress": {"className": "nginx", "annotations": None},
        "tools": {"admin": {"backupsClaim": "backups"}},
    },
}
"""What installations differ in."""


@cache
def loaded() -> helm_python.Chart:
    return helm_python.Chart.load(CHART)


def written(said: Mapping[str, Any] | None = None) -> dict[str, str]:
    """What Helm makes of each template with these values, once it has found them right."""
    values = dict(SAID) | dict(said or {})
    loaded().validate_schema(values)
    files = loaded().render(values, name=RELEASE, namespace="portal")
    return {name.rpartition("/")[2]: text for name, text in files.items()}


def rendered(said: Mapping[str, Any] | None = None) -> dict[str, list[Thing]]:
    """Everything that the chart makes of these values, by the file that it is in."""
    return {
        name: [thing for thing in yaml.load_all(text, yaml.CSafeLoader) if thing]
        for name, text in written(said).items()
        if name.endswith(".yaml")
    }


@cache
def things(variant: str = "as it stands") -> tuple[Thing, ...]:
    """All of one variant."""
    return tuple(thing for file in rendered(VARIANTS[variant]).values() for thing in file)


def of_kind(kind: str, variant: str = "as it stands") -> dict[str, Thing]:
    """Those of one kind, by their names without the release's."""
    return {
        thing["metadata"]["name"].removeprefix(f"{RELEASE}-"): thing
        for thing in things(variant)
        if thing["kind"] == kind
    }


def pods(variant: str = "as it stands") -> dict[str, Thing]:
    """What a pod of each part and tool is."""
    found = of_kind("Deployment", variant) | of_kind("Job", variant)
    return {name: thing["spec"]["template"] for name, thing in found.items()}


def container(part: str, variant: str = "as it stands") -> Thing:
    """The only container of a pod."""
    (only,) = pods(variant)[part]["spec"]["containers"]
    return dict(only)


def environment(part: str, variant: str = "as it stands") -> dict[str, str]:
    """What a part is told."""
    return {each["name"]: each["value"] for each in container(part, variant)["env"]}


def files(part: str, variant: str = "as it stands") -> dict[str, tuple[str, str]]:
    """Each file of a Secret that a pod sees, by its path: the Secret and the key."""
    spec = pods(variant)[part]["spec"]
    secrets = {each["name"]: each["secret"] for each in spec["volumes"] if "secret" in each}
    return {
        f"{mount['mountPath']}/{item['path']}": (secret["secretName"], item["key"])
        for mount in container(part, variant)["volumeMounts"]
        if (secret := secrets.get(mount["name"]))
        for item in secret["items"]
    }


def compose() -> dict[str, Any]:
    """The same installation on one Docker host."""
    found: dict[str, Any] = yaml.safe_load(
        (ROOT / "deploy" / "compose" / "compose.yaml").read_text()
    )
    return found
