"""Who may talk to whom in a cluster: nobody, but for what contracts and the compose file say."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import pytest

from deploy import nats_config
from libs.contracts import registry
from tests.helm import chart
from tests.helm.chart import PARTS, TOOLS, VARIANTS

SERVICES = set(registry.services())
EVERYBODY = {*PARTS, *TOOLS}
CONTROLLER, MONITORING, DNS = "ingress-nginx", "monitoring", "kube-system"
Way: TypeAlias = tuple[str, str, int | str]
"""From, to, port."""


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """As Kubernetes reads a selector."""
    for each in selector.get("matchExpressions", []):
        assert each["operator"] == "In"
        if labels.get(each["key"]) not in each["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def policies(variant: str = "as it stands") -> list[chart.Thing]:
    return list(chart.of_kind("NetworkPolicy", variant).values())


def labels() -> dict[str, Mapping[str, str]]:
    ours = {name: pod["metadata"]["labels"] for name, pod in chart.pods().items()}
    return ours | {
        "nats": {"app.kubernetes.io/name": "nats", "app.kubernetes.io/component": "nats"},
        "postgres": {"cnpg.io/cluster": "carespace-postgres"},
        "a stranger": {"app": "stranger"},
    }


def peers(found: list[Mapping[str, Any]]) -> Iterator[str]:
    """Who these are: pods of this namespace by name, namespaces by theirs, networks."""
    for peer in found:
        if "ipBlock" in peer:
            yield f"network {peer['ipBlock']['cidr']}"
        elif "namespaceSelector" in peer:
            yield peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        else:
            yield from (name for name, its in labels().items() if selects(peer["podSelector"], its))


def ways(direction: str, variant: str = "as it stands") -> set[Way]:
    """Every way that is open in this direction."""
    found = set()
    for policy in policies(variant):
        spec = policy["spec"]
        who = [name for name, its in labels().items() if selects(spec["podSelector"], its)]
        for rule in spec.get(direction.lower(), []):
            for other in peers(rule["from" if direction == "Ingress" else "to"]):
                for port in rule["ports"]:
                    for one in who:
                        pair = (other, one) if direction == "Ingress" else (one, other)
                        found.add((*pair, port["port"]))
    return found


def talk_to_nats() -> set[str]:
    """Whoever has a key there; two tools use the provisioner's."""
    users = set(nats_config.users()) - {"provisioner"}
    return users | {"migrate", "admin"}


def on(network: str) -> set[str]:
    """Who of ours is on a network of the compose file."""
    found = chart.compose()["services"]
    return {name for name in EVERYBODY if network in found[name].get("networks", [])}


def test_those_who_have_a_key_reach_nats_services_reach_postgres_and_one_reaches_the_mail() -> None:
    assert talk_to_nats() == EVERYBODY
    outside = "network 0.0.0.0/0"
    assert ways("Egress") == (
        {(one, DNS, 53) for one in EVERYBODY}
        | {(one, "nats", 4222) for one in talk_to_nats()}
        | {(one, "postgres", 5432) for one in SERVICES | {"migrate", "admin"}}
        | {(one, outside, 587) for one in ("notifier", "admin")}
    )


def test_nobody_comes_in_but_the_ingress_controller_and_who_counts() -> None:
    come_in = {way for way in ways("Ingress") if way[1] in EVERYBODY}
    assert come_in == {(CONTROLLER, "gateway", "http")} | {
        (MONITORING, part, "health") for part in PARTS
    }


def test_nats_and_postgres_let_in_whom_we_let_out() -> None:
    out = {way for way in ways("Egress") if way[1] in ("nats", "postgres")}
    let_in = {way for way in ways("Ingress") if way[1] in ("nats", "postgres")}
    assert {way for way in let_in if way[0] in EVERYBODY} == out
    assert {way for way in let_in if way[0] not in EVERYBODY} == {
        ("nats", "nats", 6222),
        ("postgres", "postgres", 5432),
        ("postgres", "postgres", 8000),
        ("cnpg-system", "postgres", 5432),
        ("cnpg-system", "postgres", 8000),
        (MONITORING, "nats", 7777),
        (MONITORING, "postgres", 9187),
    }


def test_the_ways_are_those_of_the_compose_files_networks() -> None:
    out = ways("Egress")
    for network, there in (("bus", "nats"), ("data", "postgres"), ("mail", "network 0.0.0.0/0")):
        assert {one for one, other, _ in out if other == there} == on(network)
    assert on("edge") == {"gateway"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_everything_is_shut_before_anything_is_opened(variant: str) -> None:
    if variant == "no walls":
        assert policies(variant) == []
        return
    (nobody,) = [
        each for each in policies(variant) if not each["spec"].keys() & {"ingress", "egress"}
    ]
    assert nobody["spec"]["policyTypes"] == ["Ingress", "Egress"]
    shut = {name for name, its in labels().items() if selects(nobody["spec"]["podSelector"], its)}
    assert shut == EVERYBODY


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_rule_is_open_to_everybody(variant: str) -> None:
    """A list of peers that is empty or left out, and an empty peer, would be."""
    for policy in policies(variant):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for rule in policy["spec"].get(direction, []):
                assert rule[side]
                assert all(rule[side])
                assert rule["ports"]
            given = direction in policy["spec"]
            assert not given or direction.capitalize() in policy["spec"]["policyTypes"]


def test_servers_elsewhere_are_reached_there_and_nowhere_else() -> None:
    out = ways("Egress", "servers elsewhere")
    assert {(other, port) for _, other, port in out if other != DNS} == {
        ("network 192.0.2.0/28", 4222),
        ("network 192.0.2.16/28", 6432),
        ("network 198.51.100.7/32", 465),
    }
    assert {one for one, _, port in out if port == 6432} == SERVICES | {"migrate", "admin"}


def test_traces_have_a_way_once_they_are_sent() -> None:
    added = ways("Egress", "traces") - ways("Egress")
    assert added == {(part, MONITORING, 4318) for part in PARTS}


def test_where_nobody_counts_nobody_comes_to_count() -> None:
    gone = ways("Ingress") - ways("Ingress", "nobody counts")
    assert {one for one, _, _ in gone} == {MONITORING}
    assert not any(one == MONITORING for one, _, _ in ways("Ingress", "nobody counts"))
