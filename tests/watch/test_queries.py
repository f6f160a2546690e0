"""Dashboards and alerts ask a real Prometheus, which scrapes a real portal that people use."""

import asyncio
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from deploy import installation
from libs.contracts import registry
from tests.journeys.installation import Installation
from tests.waiting import until_now
from tests.watch import queries, using
from tests.watch.conftest import Watched
from tests.watch.prometheus import MISSING, WATCH, Prometheus, Target, scraping
from tests.watch.queries import OF_PROMETHEUS, Query

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
PARTS = (*registry.services(), "gateway")
OF_A_BUSY_MACHINE = {"CareSpaceLoopLate", "CareSpacePoolUsedUp"}
"""What may be true of the machine that the tests run on."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A portal, and the Prometheus that looks at it."""

    portal: Installation
    prometheus: Prometheus

    def alert(self, name: str) -> Callable[[], list[dict[str, str]]]:
        """Whom an alert is about now, were it to fire at once."""
        [rule] = [rule for rule in self.prometheus.rules() if rule["name"] == name]
        return lambda: [found["metric"] for found in self.prometheus.query(rule["query"])]


def targets(portal: Installation) -> list[Target]:
    ports = installation.running(portal.folder).ports
    return [
        Target(
            address=f"127.0.0.1:{ports['gateway health' if part == 'gateway' else part]}",
            told={"__meta_dns_name": part},
        )
        for part in PARTS
    ]


@pytest.fixture(scope="module")
def looked(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    portal, folder = watched.portal, tmp_path_factory.mktemp("prometheus")
    with scraping(folder, WATCH / "prometheus.yaml", targets(portal)) as prometheus:
        looked = Looked(portal=portal, prometheus=prometheus)
        until_now(lambda: len(prometheus.query('up{job="carespace"} == 1')) == len(PARTS))
        asyncio.run(using.use(portal))
        sent = 'increase(carespace_mail_tries_total{outcome="sent"}[1m])'
        until_now(lambda: number(prometheus, sent) > 0, within=30)
        yield looked


def number(prometheus: Prometheus, expression: str) -> float:
    return sum(float(found["value"][1]) for found in prometheus.query(expression))


def every_query(looked: Looked) -> list[Query]:
    return queries.shown() + queries.alerted(looked.prometheus)


def test_every_query_of_a_dashboard_has_something_to_show(looked: Looked) -> None:
    empty = []
    for query in queries.shown():
        found = looked.prometheus.query(query.expression)
        if all(math.isnan(float(one["value"][1])) for one in found):
            empty.append((query.where, query.expression))
        elif not all(query.legend <= one["metric"].keys() for one in found):
            empty.append((query.where, str(query.legend)))
    assert empty == []


def test_every_metric_label_and_value_that_is_asked_for_is_one_that_a_part_tells(
    looked: Looked,
) -> None:
    known = queries.known(looked.prometheus)
    wrong = []
    for query in every_query(looked):
        names = query.names() - OF_PROMETHEUS
        wrong += [(query.where, name) for name in names - known.labels.keys()]
        labels = {label for name in names & known.labels.keys() for label in known.labels[name]}
        wrong += [(query.where, label) for label in (query.grouped_by() | query.legend) - labels]
        for name, label, value in query.matchers():
            if name in OF_PROMETHEUS:
                continue
            if label not in known.labels[name]:
                wrong.append((query.where, label))
            elif label not in queries.FREE and not known.has(name, label, value):
                wrong.append((query.where, value))
    assert wrong == []


def test_every_metric_of_ours_is_on_a_dashboard_and_in_the_guide(looked: Looked) -> None:
    ours = {
        name.removesuffix("_bucket")
        for name in queries.known(looked.prometheus).labels
        if name.startswith("carespace_") and not name.endswith(("_sum", "_count"))
    }
    asked = {name.removesuffix("_bucket") for query in queries.shown() for name in query.names()}
    assert ours - asked == set()
    guide = (WATCH.parents[1] / "docs" / "operating.md").read_text()
    assert set(re.findall(r"`(carespace_\w+)`", guide)) == ours


def test_a_portal_that_is_well_sets_off_no_alert(looked: Looked) -> None:
    well = [
        query.expression
        for query in queries.alerted(looked.prometheus)
        if query.where not in OF_A_BUSY_MACHINE
    ]
    until_now(lambda: not any(looked.prometheus.query(expression) for expression in well))


def test_a_part_that_does_nothing_is_told_of_as_people_notice_it_and_as_what_it_is(
    looked: Looked,
) -> None:
    down = looked.alert("CareSpacePartDown")
    with using.held_up(looked.portal, "identity"):
        until_now(lambda: {"part": "identity"} in down())
        assert "identity" in {one["part"] for one in looked.alert("CareSpaceReplicaDown")()}
        statuses = asyncio.run(using.try_at_once(looked.portal, 12))
        assert {one.page for one in statuses} == {503}
        assert {one.log_in for one in statuses} == {503}
        until_now(looked.alert("CareSpacePagesFail"))
        until_now(looked.alert("CareSpaceLogInsFail"))
        until_now(looked.alert("CareSpaceOnePageFails"))
        until_now(looked.alert("CareSpacePagesIncomplete"))
    until_now(lambda: not down(), within=30)


def test_an_event_that_nobody_can_do_is_told_of_until_somebody_has_dealt_with_it(
    looked: Looked,
) -> None:
    dead = looked.alert("CareSpaceDeadLetters")
    assert dead() == []
    asyncio.run(using.set_aside(looked.portal))
    until_now(dead, within=20)
    asyncio.run(using.let_go(looked.portal))
    until_now(lambda: not dead(), within=20)


def test_nats_that_does_not_answer_is_told_of_by_every_part(looked: Looked) -> None:
    away = looked.alert("CareSpaceNatsAway")
    until_now(lambda: not away())
    with using.held_up(looked.portal, "nats"):
        until_now(lambda: {one["part"] for one in away()} == set(PARTS), within=45)
        until_now(lambda: not looked.alert("CareSpacePostgresAway")())
    until_now(lambda: not away(), within=45)


def test_pods_are_told_apart_by_their_labels(tmp_path_factory: pytest.TempPathFactory) -> None:
    pod = "__meta_kubernetes_pod"
    told = {
        f"{pod}_name": "carespace-records-0",
        f"{pod}_label_app_kubernetes_io_component": "records",
        f"{pod}_phase": "Running",
    }
    pods = [
        Target(address="127.0.0.1:1", told=told | {f"{pod}_container_port_name": "health"}),
        Target(address="127.0.0.1:2", told=told | {f"{pod}_container_port_name": "http"}),
    ]
    folder = tmp_path_factory.mktemp("kubernetes")
    with scraping(folder, WATCH / "prometheus-kubernetes.yaml", pods) as prometheus:
        found = until_now(lambda: prometheus.query("up"))
    assert [one["metric"] for one in found] == [
        {
            "__name__": "up",
            "job": "carespace",
            "part": "records",
            "instance": "carespace-records-0",
        }
    ]


def test_dashboards_can_be_told_apart_and_take_any_prometheus() -> None:
    boards = queries.dashboards()
    assert {board["uid"] for board in boards.values()} == {f"carespace-{name}" for name in boards}
    for name, board in boards.items():
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(set(numbers)) == len(numbers), name
        sources = [panel["datasource"] for panel in board["panels"] if panel["type"] != "row"]
        assert {json.dumps(source) for source in sources} == {
            '{"type": "prometheus", "uid": "${datasource}"}'
        }
