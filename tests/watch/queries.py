"""The queries of our dashboards and alerts, taken apart."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from libs.contracts.identity.refusals import Refusal
from tests.watch.prometheus import WATCH, Prometheus

NAME = re.compile(r"[a-zA-Z_]\w*")
SELECTOR = re.compile(r"\b([a-zA-Z_]\w*)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
GROUPS = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
RANGE = re.compile(r"\[[^\]]*\]|\boffset \w+")
QUOTED = re.compile(r'"[^"]*"')
LEGEND = re.compile(r"\{\{(\w+)\}\}")
WORD = re.compile(r"[\w.]+")
OF_THE_LANGUAGE = {
    *("and", "or", "unless", "by", "on", "vector", "label_replace", "sum", "max", "min", "count"),
    *("rate", "increase", "changes", "topk", "histogram_quantile", "min_over_time"),
}
OF_PROMETHEUS = {"ALERTS"}
CODES = set(Refusal)
FREE = {"route", "subject", "instance", "part", "alertname", "alertstate", "job", "le"}
"""Labels whose values are not words of a metric's description."""
SHOWN_AS = {"$__rate_interval": "30s", "$part": ".+"}
"""What Grafana puts in."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """What a panel or an alert asks."""

    where: str
    expression: str
    legend: frozenset[str] = frozenset()
    """Labels that the panel writes beside a line."""

    def names(self) -> set[str]:
        """Every metric in it, and whatever is neither that nor of the language."""
        bare = RANGE.sub("", self.expression)
        for group in (QUOTED, GROUPS):
            bare = group.sub("", bare)
        bare = re.sub(r"\{[^}]*\}", "", bare)
        return set(NAME.findall(bare)) - OF_THE_LANGUAGE

    def matchers(self) -> Iterator[tuple[str, str, str]]:
        """Metric, label and value of each condition."""
        for name, inside in SELECTOR.findall(self.expression):
            for label, _, value in MATCHER.findall(inside):
                yield name, label, value

    def grouped_by(self) -> set[str]:
        return {
            label.strip()
            for inside in GROUPS.findall(self.expression)
            for label in inside.split(",")
        }


def dashboards() -> dict[str, dict[str, Any]]:
    """Each dashboard, by its file's name."""
    files = sorted((WATCH / "grafana" / "dashboards").glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def shown() -> list[Query]:
    """What the dashboards ask, as Grafana would."""
    return [
        Query(
            where=f"{name}: {panel['title']}",
            expression=_put_in(target["expr"]),
            legend=frozenset(LEGEND.findall(target.get("legendFormat", ""))),
        )
        for name, board in dashboards().items()
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]


def _put_in(expression: str) -> str:
    for variable, value in SHOWN_AS.items():
        expression = expression.replace(variable, value)
    return expression


def alerted(prometheus: Prometheus) -> list[Query]:
    """What the alerts ask, as Prometheus has read them."""
    return [
        Query(where=rule["name"], expression=rule["query"], legend=_of(rule["annotations"]))
        for rule in prometheus.rules()
    ]


def _of(annotations: dict[str, str]) -> frozenset[str]:
    return frozenset(re.findall(r"\$labels\.(\w+)", annotations["summary"]))


@dataclass(frozen=True, kw_only=True)
class Known:
    """What there is: the labels of each metric with their values, and how it is described."""

    labels: dict[str, dict[str, set[str]]]
    described: dict[str, str]

    def has(self, name: str, label: str, value: str) -> bool:
        """Whether each word of the value was seen, or is one that the description names."""
        seen, told = self.labels[name][label] | CODES, self.described.get(name, "")
        return all(word in seen or word in told for word in WORD.findall(value))


def known(prometheus: Prometheus) -> Known:
    """All that was scraped from the parts."""
    labels: dict[str, dict[str, set[str]]] = {}
    for series in prometheus.get("series", **{"match[]": '{job="carespace"}'}):
        of = labels.setdefault(series.pop("__name__"), {})
        for label, value in series.items():
            of.setdefault(label, set()).add(value)
    described = {name: metadata[0]["help"] for name, metadata in prometheus.get("metadata").items()}
    return Known(labels=labels, described=described)
