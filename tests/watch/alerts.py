"""For each alert: figures that set it off, and figures that come close and must not.

The figures are written as promtool has them: `0+9x20` begins at 0 and grows by 9 twenty times, one
figure for each minute; `1x20` stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

PARTS = ("gateway", "identity", "records", "messaging", "delegation", "notifier")
Figures = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One alert, and what it makes of some figures."""

    alert: str
    page: bool = False
    """Whether it wakes somebody."""
    fires: Figures
    at: str = "15m"
    every: str = "1m"
    """How far the figures lie apart."""
    says: str
    labels: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[Figures, ...]


def http(status: str, route: str = "/login") -> str:
    return f'carespace_http_requests_total{{route="{route}",method="GET",status="{status}"}}'


def times(le: str) -> str:
    labels = f'route="/p/{{patient}}/health",method="GET",le="{le}"'
    return f"carespace_http_request_duration_seconds_bucket{{{labels}}}"


def asked(outcome: str, code: str = "") -> str:
    labels = f'part="gateway",subject="request.identity.log_in",outcome="{outcome}",code="{code}"'
    return f"carespace_asks_total{{{labels}}}"


def logged_in(outcome: str) -> str:
    return f'carespace_logins_total{{part="identity",who="staff",outcome="{outcome}"}}'


def up(part: str, instance: str = "1") -> str:
    return f'up{{job="carespace",part="{part}",instance="{instance}"}}'


def dependency(name: str, instance: str) -> str:
    labels = f'part="records",instance="{instance}",dependency="{name}"'
    return f"carespace_dependency_up{{{labels}}}"


def follower(figure: str, instance: str = "1") -> str:
    labels = f'stream="identity",consumer="notifier-letter_due",instance="{instance}"'
    return f"carespace_follower_{figure}{{{labels}}}"


def mail(figure: str, more: str = "") -> str:
    return f'carespace_mail_{figure}{{part="notifier"{more}}}'


def tries(outcome: str) -> str:
    return mail("tries_total", f',outcome="{outcome}"')


def settled(state: str) -> str:
    return mail("settled_total", f',state="{state}"')


def answered(outcome: str) -> str:
    labels = f'part="records",subject="request.records.show_health",outcome="{outcome}"'
    return f"carespace_answers_total{{{labels}}}"


def waits(name: str, le: str) -> str:
    return f'carespace_{name}_seconds_bucket{{part="records",instance="1",le="{le}"}}'


def argon2(figure: str) -> str:
    return f'carespace_argon2_{figure}{{part="identity",instance="1"}}'


def guesses(name: str, scope: str) -> str:
    return f'carespace_{name}_total{{part="identity",scope="{scope}"}}'


WELL = {up(part): "1x60" for part in PARTS}
THE_DAY_BEFORE = "0+27x3 81x60"
"""Some in the first hour and a half, and then no more; one figure for each half hour."""
