"""Each alert fires when it should, is silent when it should not, and has its runbook."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.command import commands
from tests.watch import queries
from tests.watch.alerts import Case, Figures
from tests.watch.cases import CASES
from tests.watch.prometheus import MISSING, WATCH

ALERTS = (WATCH / "alerts.yaml").read_text()
ALERT = re.compile(r"^      - alert: (\w+)$", re.MULTILINE)
SEVERITY = re.compile(r"^        labels: \{severity: (\w+)\}$", re.MULTILINE)
RUNBOOK = re.compile(r"^          runbook_url: docs/runbooks\.md#(\w+)$", re.MULTILINE)
RUNBOOKS = (WATCH.parents[1] / "docs" / "runbooks.md").read_text()
HEADING = re.compile(r"^### (CareSpace\w+)$", re.MULTILINE)
QUESTIONS = ("**What patients notice.**", "**Look at.**", "**Do.**", "**Over when**")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
OF_THE_PORTAL = {"Health", "Emails", "Forgot password"}
OF_THE_PAGE = {"page", "ticket", "When in doubt, begin there."}
COMMAND = re.compile(r"docker compose run --rm \w+ ([a-z-]+)")
needs_promtool = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def promtool(*words: str) -> str:
    """What it says against us; "" if it agrees."""
    told = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    return "" if told.returncode == 0 else told.stdout + told.stderr


def tried(case: Case, figures: Figures, expected: list[dict[str, Any]]) -> dict[str, Any]:
    rule = {"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}
    series = [{"series": name, "values": values} for name, values in figures.items()]
    return {"interval": case.every, "input_series": series, "alert_rule_test": [rule]}


def told(case: Case) -> dict[str, Any]:
    """What somebody gets to read."""
    severity = "page" if case.page else "ticket"
    return {
        "exp_labels": {"severity": severity, **case.labels},
        "exp_annotations": {
            "summary": case.says,
            "runbook_url": f"docs/runbooks.md#{case.alert.lower()}",
        },
    }


@needs_promtool
def test_the_rules_are_rules() -> None:
    assert promtool("check", "rules", str(WATCH / "alerts.yaml")) == ""


@needs_promtool
@pytest.mark.parametrize("every", sorted({case.every for case in CASES}))
def test_each_alert_fires_when_it_should_and_not_when_it_only_comes_close(
    every: str, tmp_path: Path
) -> None:
    """All in one go: promtool takes longer to start than to try an alert."""
    tests = []
    for case in CASES:
        if case.every == every:
            tests.append(tried(case, case.fires, [told(case)]))
            tests += [tried(case, figures, []) for figures in case.silent]
    (tmp_path / "test.yaml").write_text(
        json.dumps(
            {
                "rule_files": [str(WATCH / "alerts.yaml")],
                "evaluation_interval": every,
                "tests": tests,
            }
        )
    )
    assert promtool("test", "rules", str(tmp_path / "test.yaml")) == ""


def test_every_alert_is_tried_both_ways() -> None:
    alerts = set(ALERT.findall(ALERTS))
    assert {case.alert for case in CASES} == alerts
    assert {case.alert for case in CASES if case.silent} == alerts


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    alerts = ALERT.findall(ALERTS)
    assert HEADING.findall(RUNBOOKS) == alerts
    assert RUNBOOK.findall(ALERTS) == [alert.lower() for alert in alerts]
    assert len(SEVERITY.findall(ALERTS)) == len(alerts)


@pytest.mark.parametrize("alert", ALERT.findall(ALERTS))
def test_a_runbook_says_what_it_means_and_what_to_do(alert: str) -> None:
    runbook = RUNBOOKS.partition(f"\n### {alert}\n")[2].partition("\n#")[0]
    assert [runbook.count(question) for question in QUESTIONS] == [1, 1, 1, 1]


def test_runbooks_name_panels_and_commands_that_there_are() -> None:
    there = OF_THE_PORTAL | OF_THE_PAGE | {question.strip("*") for question in QUESTIONS}
    for board in queries.dashboards().values():
        there |= {board["title"], *(panel["title"] for panel in board["panels"])}
    named = set(BOLD.findall(RUNBOOKS))
    assert {name for name in named if not any(one.startswith(name) for one in there)} == set()
    used = set(COMMAND.findall(RUNBOOKS))
    assert used
    assert used - commands.commands.keys() == set()
