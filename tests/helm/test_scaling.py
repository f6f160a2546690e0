"""How many of each part there are, and whether Postgres has room for them."""

from typing import Any

import pytest
import yaml

from deploy import postgres
from libs.contracts import registry
from libs.runtime import database
from tests.helm import chart
from tests.helm.chart import HELM, PARTS

BESIDE_THE_POOL = 2
"""Connections of a replica that hear what is new: in the outbox, and for whom it wakes."""
OTHERS = 30
"""An administrator's, the operator's of Postgres, and those kept back for them."""


def cluster() -> Any:
    return yaml.safe_load((HELM / "postgres-cluster.yaml").read_text())


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_a_disruption_budget_and_grows_by_itself(part: str) -> None:
    budget, grows = (
        chart.of_kind("PodDisruptionBudget")[part],
        chart.of_kind("HorizontalPodAutoscaler")[part],
    )
    own = chart.of_kind("Deployment")[part]
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == own["spec"]["selector"]
    target = grows["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", own["metadata"]["name"])
    assert 2 <= grows["spec"]["minReplicas"] < grows["spec"]["maxReplicas"]
    assert "replicas" not in own["spec"]


def test_nothing_is_budgeted_or_grows_that_is_no_part() -> None:
    for kind in ("PodDisruptionBudget", "HorizontalPodAutoscaler"):
        assert chart.of_kind(kind).keys() == set(PARTS)


def test_numbers_by_hand_are_heeded_and_nothing_grows() -> None:
    variant = "numbers by hand"
    assert chart.of_kind("HorizontalPodAutoscaler", variant) == {}
    assert chart.of_kind("PodDisruptionBudget", variant).keys() == set(PARTS)
    for part in PARTS:
        assert chart.of_kind("Deployment", variant)[part]["spec"]["replicas"] == 3


def test_a_part_grows_before_its_one_processor_is_used_up() -> None:
    for part, grows in chart.of_kind("HorizontalPodAutoscaler").items():
        (metric,) = grows["spec"]["metrics"]
        wanted = metric["resource"]["target"]["averageValue"]
        assert chart.container(part)["resources"]["limits"]["cpu"] == "1"
        assert int(wanted.removesuffix("m")) < 1000


def test_postgres_has_connections_for_as_many_as_there_may_be() -> None:
    """While a roll-out has one more of each."""
    most = sum(
        chart.of_kind("HorizontalPodAutoscaler")[service]["spec"]["maxReplicas"] + 1
        for service in registry.services()
    )
    has = int(cluster()["spec"]["postgresql"]["parameters"]["max_connections"])
    assert most * (database.POOL_SIZE + BESIDE_THE_POOL) + OTHERS <= has


def test_what_postgres_acknowledges_is_on_two_disks_and_nothing_is_said_of_rows() -> None:
    spec = cluster()["spec"]
    assert spec["instances"] == 3
    assert spec["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    here = chart.compose()["services"]["postgres"]["command"]
    there = spec["postgresql"]["parameters"]
    assert not {"fsync", "synchronous_commit", "full_page_writes"} & there.keys()
    for word in here:
        name, _, value = word.removeprefix("-c").partition("=")
        if name not in ("max_connections", "shared_buffers"):
            assert there[name] == value


def test_the_example_has_the_names_that_chart_and_secrets_expect() -> None:
    (role,) = cluster()["spec"]["managed"]["roles"]
    assert role["name"] == postgres.SUPERUSER
    assert (role["login"], role["superuser"]) == (True, True)
    name = cluster()["metadata"]["name"]
    guard = chart.of_kind("NetworkPolicy")["guards-postgres"]["spec"]["podSelector"]
    assert guard == {"matchLabels": {"cnpg.io/cluster": name}}
    guide = (chart.ROOT / "docs" / "operating.md").read_text()
    assert f"{name}-rw:5432/{cluster()['spec']['bootstrap']['initdb']['database']}" in guide
    assert f"secret generic {role['passwordSecret']['name']} " in guide
