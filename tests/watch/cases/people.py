"""Pages, log-ins and parts: what people notice first."""

from tests.watch.alerts import (
    THE_DAY_BEFORE,
    WELL,
    Case,
    asked,
    dependency,
    http,
    logged_in,
    times,
    up,
)

HEALTH = 'route="/p/{patient}/health",method="GET"'
FILE = 'route="/p/{patient}/health/documents/{id}/content",method="GET"'
PAGES_DONE = f"carespace_http_request_duration_seconds_count{{{HEALTH}}}"

PAGES = (
    Case(
        alert="CareSpacePagesFail",
        page=True,
        fires={http("2xx"): "0+90x20", http("5xx"): "0+10x20"},
        says="10% of all pages fail.",
        silent=(
            {http("2xx"): "0+96x20", http("5xx"): "0+4x20"},
            {http("2xx"): "0+1x20", http("5xx"): "0x10 3x10"},
            {http("4xx", "none"): "0+90x20", http("4xx"): "0+10x20"},
        ),
    ),
    Case(
        alert="CareSpaceOnePageFails",
        page=True,
        fires={
            http("2xx"): "0+1000x30",
            http("2xx", "/account"): "0+1x30",
            http("5xx", "/account"): "0+1x30",
        },
        at="25m",
        says="GET /account fails 50% of the time.",
        labels={"route": "/account", "method": "GET"},
        silent=(
            {http("2xx", "/account"): "0+9x30", http("5xx", "/account"): "0+1x30"},
            {http("5xx", "/account"): "0x10 8x20"},
        ),
    ),
    Case(
        alert="CareSpacePagesIncomplete",
        page=True,
        fires={asked("ok"): "0+2x20", asked("failed"): "0+1x20", asked("unavailable"): "0+1x20"},
        says="The gateway gets no answer to request.identity.log_in 50% of the time.",
        labels={"subject": "request.identity.log_in"},
        silent=(
            {asked("ok"): "0+9x20", asked("unavailable"): "0+2x20"},
            {asked("unavailable"): "0x10 8x10"},
            {asked("failed").replace("gateway", "notifier"): "0+9x20"},
        ),
    ),
    Case(
        alert="CareSpacePagesSlow",
        page=True,
        fires={
            times("2.5"): "0+90x30",
            times("5"): "0+100x30",
            times("+Inf"): "0+100x30",
            PAGES_DONE: "0+100x30",
        },
        at="20m",
        says="One page in twenty takes longer than 3.75s.",
        silent=(
            {times("1"): "0+96x30", times("+Inf"): "0+100x30", PAGES_DONE: "0+100x30"},
            {times("2.5"): "0x15 0+1x15", times("+Inf"): "0x15 0+1x15", PAGES_DONE: "0x15 0+1x15"},
            {
                times("1").replace(HEALTH, FILE): "0x30",
                times("+Inf").replace(HEALTH, FILE): "0+100x30",
                PAGES_DONE.replace(HEALTH, FILE): "0+100x30",
            },
        ),
    ),
    Case(
        alert="CareSpaceLogInsFail",
        page=True,
        fires={
            asked("ok"): "0+6x20",
            asked("refused", "not_recognised"): "0+2x20",
            asked("unavailable"): "0+1x20",
            asked("refused", "busy"): "0+1x20",
        },
        says="20% of the log-ins get no answer, whether right or wrong.",
        silent=(
            {asked("ok"): "0+1x20", asked("refused", "not_recognised"): "0+99x20"},
            {asked("unavailable"): "0x10 2x10"},
        ),
    ),
    Case(
        alert="CareSpaceNobodyGetsIn",
        page=True,
        every="30m",
        fires={logged_in("ok"): THE_DAY_BEFORE, logged_in("not_recognised"): "0+27x60"},
        at="1500m",
        says="No staff has logged in for an hour, though they try.",
        labels={"who": "staff"},
        silent=(
            {logged_in("ok"): "0+27x60", logged_in("not_recognised"): "0+27x60"},
            {logged_in("ok"): "0x60", logged_in("not_recognised"): "0+27x60"},
            {logged_in("ok"): THE_DAY_BEFORE, logged_in("not_recognised"): "0x60"},
        ),
    ),
)

PARTS = (
    Case(
        alert="CareSpacePartDown",
        page=True,
        fires=WELL | {up("records"): "1x5 0x20", up("notifier"): "1x20"},
        says="No records runs, or none answers Prometheus.",
        labels={"part": "records"},
        silent=(WELL, WELL | {up("records"): "0x20", up("records", "2"): "1x20"}),
    ),
    Case(
        alert="CareSpaceReplicaDown",
        fires=WELL | {up("records", "2"): "0x20"},
        says="A replica of records does not answer: 2.",
        labels={"job": "carespace", "part": "records", "instance": "2"},
        silent=(WELL, WELL | {up("records", "2"): "0x8 1x20"}),
    ),
    Case(
        alert="CareSpaceRestarts",
        fires={'process_start_time_seconds{job="carespace",part="records",instance="1"}': "1+1x3"},
        says="records (1) started 3 times in 30 minutes.",
        at="5m",
        labels={"job": "carespace", "part": "records", "instance": "1"},
        silent=(
            {
                'process_start_time_seconds{job="carespace",part="records",instance="1"}': "1+1x1",
                'process_start_time_seconds{job="carespace",part="records",instance="2"}': "5+1x1",
            },
        ),
    ),
    Case(
        alert="CareSpaceNatsAway",
        page=True,
        fires={dependency("nats", "1"): "1x20", dependency("nats", "2"): "0x20"},
        says="A replica of records has no connection to NATS.",
        labels={"part": "records"},
        silent=({dependency("nats", "1"): "1x14 0x0", dependency("postgres", "1"): "0x20"},),
    ),
    Case(
        alert="CareSpacePostgresAway",
        page=True,
        fires={dependency("postgres", "1"): "0x20", dependency("postgres", "2"): "1x20"},
        says="Postgres does not answer a replica of records within 2 seconds.",
        labels={"part": "records"},
        silent=({dependency("postgres", "1"): "1x20", dependency("nats", "1"): "0x20"},),
    ),
)
