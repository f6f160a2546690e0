"""The chart renders, and is what Kubernetes takes, whatever an installation says."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from tests.helm import chart
from tests.helm.chart import CHART, SAID, VARIANTS

CUSTOM = {"PodMonitor"}
"""Kinds whose schemas come with whoever brings them to a cluster, and in no package."""
RELEASES = ("1.30", kubernetes_validate.latest_version())
"""The oldest that the chart takes, and the newest whose schemas there are."""
OTHERS: Mapping[tuple[str, ...], Any] = {
    ("postgres", "elsewhere"): ["records"],
    ("publicUrl",): "https://another.example.com",
    ("mailFrom",): "another@example.com",
    ("logLevel",): "DEBUG",
    ("otlpEndpoint",): "http://another:4318",
    ("image", "digest"): f"sha256:{'1' * 64}",
    ("image", "pullPolicy"): "Always",
    ("image", "pullSecrets"): ["registry"],
    ("spread", "whenUnsatisfiable"): "DoNotSchedule",
    ("spread", "topologyKeys"): ["topology.kubernetes.io/region"],
    ("nodeSelector",): {"kubernetes.io/os": "linux"},
    ("tolerations",): [{"key": "portal", "operator": "Exists"}],
}
"""What may be said in place of a value whose words are not free."""


def test_the_oldest_release_is_the_one_that_the_chart_asks_for() -> None:
    asked = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    assert asked == f">={RELEASES[0]}.0-0"


@pytest.mark.parametrize("release", RELEASES)
def test_kubernetes_takes_all_of_it(release: str) -> None:
    for thing in distinct():
        kubernetes_validate.validate(thing, release, strict=True)


def test_what_kubernetes_would_not_take_is_noticed() -> None:
    thing = next(thing for thing in distinct() if thing["kind"] == "Deployment")
    slip = thing | {"spec": thing["spec"] | {"replicaz": 3}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replicaz"):
        kubernetes_validate.validate(slip, RELEASES[0], strict=True)


def distinct() -> list[chart.Thing]:
    """All that any variant makes, each only once."""
    made = {json.dumps(thing): thing for variant in VARIANTS for thing in chart.things(variant)}
    found = [thing for thing in made.values() if thing["kind"] not in CUSTOM]
    assert {thing["kind"] for thing in found} >= {"Deployment", "NetworkPolicy", "Job", "Ingress"}
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_helm_finds_nothing_to_say(variant: str) -> None:
    report = helm_python.lint(CHART, dict(SAID) | dict(VARIANTS[variant]), strict=True)
    said = {message["error"] for message in report["messages"] if message["severity"] > 0}
    assert said <= {"icon is recommended"}
    assert report["errors"] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_two_things_have_one_name(variant: str) -> None:
    names = [(thing["kind"], thing["metadata"]["name"]) for thing in chart.things(variant)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("missing", SAID)
def test_what_has_to_be_said_is_missed_in_one_sentence(missing: str) -> None:
    with pytest.raises(helm_python.HelmError, match=missing):
        chart.written({missing: ""})


@pytest.mark.parametrize(
    "wrong",
    [
        {"publicUrl": "http://portal.example.com"},
        {"replicas": 3},
        {"parts": {"gatewy": {}}},
        {"parts": {"gateway": {"replica": 3}}},
        {"nats": {"replicas": 2}},
        {"networkPolicy": {"ingressController": []}},
        {"networkPolicy": {"nats": {"port": 4222, "to": [{}]}}},
        {"networkPolicy": {"prometheus": [{}]}},
        {"image": {"digest": "latest"}},
    ],
)
def test_a_slip_in_the_values_is_refused(wrong: Mapping[str, Any]) -> None:
    with pytest.raises(helm_python.HelmError):
        chart.written(wrong)


def test_nothing_is_asked_for_that_is_not_among_the_values() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    there = {".".join(path) for path, _ in leaves(values)}
    for file in (CHART / "templates").iterdir():
        for name in re.findall(r"(?:\.Values|\$values)\.([\w.]+)", file.read_text()):
            assert any(path == name or path.startswith(f"{name}.") for path in there), name
    for variant in VARIANTS:
        assert not any(None in everything(thing) for thing in chart.things(variant)), variant


def test_every_value_changes_something() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    traced = {"otlpEndpoint": "http://collector:4318"}
    before, by_hand = chart.written(traced), {"autoscaling": {"enabled": False}}
    unused = []
    for path, value in leaves(values):
        said = nested(path, another(path, value))
        if path[0] == "parts" and path[-1] == "replicas":
            said["parts"][path[1]] |= by_hand
            assert chart.written(nested(path[:2], by_hand)) != chart.written(said), path
        elif chart.written(traced | said) == before:
            unused.append(path)
    assert unused == []


def leaves(values: Mapping[str, Any], *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that is no mapping of others, and its path."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, *above, name)
        else:
            yield (*above, name), value


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    return {path[0]: nested(path[1:], value) if path[1:] else value}


def another(path: tuple[str, ...], value: Any) -> Any:
    """Something else that may be said in its place."""
    if path in OTHERS:
        return OTHERS[path]
    match value:
        case bool():
            return not value
        case int():
            return value + 2
        case str() if path[-1] in ("cpu", "memory"):
            return "321m" if path[-1] == "cpu" else "321Mi"
        case str():
            return f"{value}x"
        case list():
            return [{"podSelector": {"matchLabels": {"app": "another"}}}]
        case _:
            raise AssertionError(path)


def everything(thing: Any) -> Iterator[Any]:
    """Every value in it, however deep."""
    yield thing
    inner = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ()
    for each in inner:
        yield from everything(each)


def test_the_schema_of_the_values_knows_exactly_those_that_there_are() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    compare(schema, values, schema["definitions"], "values")


def compare(schema: Mapping[str, Any], value: Any, named: Mapping[str, Any], where: str) -> None:
    if "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    if schema.get("additionalProperties") is False and "properties" in schema:
        assert schema["properties"].keys() - {"global"} == value.keys(), where
        for name, inner in value.items():
            compare(schema["properties"][name], inner, named, f"{where}.{name}")
