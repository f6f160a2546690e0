"""Events, letters and causes: what people notice later, if at all."""

from tests.watch.alerts import (
    Case,
    answered,
    argon2,
    follower,
    guesses,
    mail,
    settled,
    tries,
    waits,
)

LETTERS = {"stream": "identity", "consumer": "notifier-letter_due"}

EVENTS = (
    Case(
        alert="CareSpaceEventsNotCarried",
        page=True,
        fires={'carespace_outbox_oldest_seconds{part="records",instance="1"}': "0+60x20"},
        says="Events of records have waited for 15m 0s to be carried to NATS.",
        labels={"part": "records"},
        silent=(
            {'carespace_outbox_oldest_seconds{part="records",instance="1"}': "0x13 150x2 10x9"},
        ),
    ),
    Case(
        alert="CareSpaceEventsNotDone",
        page=True,
        fires={
            follower("standing_seconds"): "0+60x20",
            follower("standing_seconds", "2"): "0x20",
            follower("pending"): "3x20",
        },
        says="notifier-letter_due has done nothing for 15m 0s, and events wait.",
        labels=LETTERS,
        silent=(
            {follower("standing_seconds"): "0+60x20", follower("pending"): "0x20"},
            {follower("standing_seconds"): "20x20", follower("pending"): "500x20"},
        ),
    ),
    Case(
        alert="CareSpaceFollowerBehind",
        fires={follower("pending"): "1500x30", follower("pending", "2"): "1500x30"},
        at="20m",
        says="notifier-letter_due is 1500 events behind.",
        labels=LETTERS,
        silent=({follower("pending"): "9000x10 0x20"}, {follower("pending"): "900x30"}),
    ),
    Case(
        alert="CareSpaceEventFails",
        fires={follower("oldest_unacked_seconds"): "0+60x40"},
        at="30m",
        says="An event fails at notifier-letter_due again and again, for 30m 0s now.",
        labels=LETTERS,
        silent=({follower("oldest_unacked_seconds"): "0+60x14 0x30"},),
    ),
    Case(
        alert="CareSpaceDeadLetters",
        fires={'carespace_dead_letters{part="notifier"}': "0x5 2x20"},
        says="2 events could not be done, however often it was tried.",
        silent=(
            {'carespace_dead_letters{part="notifier"}': "2x5 0x20"},
            {
                'carespace_dead_letters{part="notifier"}': "2x3 stale",
                'carespace_dead_letters{part="gateway"}': "2x20",
            },
        ),
    ),
)

MAIL = (
    Case(
        alert="CareSpaceMailStands",
        page=True,
        fires={mail("overdue_seconds"): "0+60x20"},
        at="16m",
        says="Letters wait, and the notifier does not send them.",
        silent=(
            {
                mail("overdue_seconds"): "30x30",
                mail("waiting", ',state="queued"'): "5x30",
                tries("sent"): "0+1x30",
            },
            {
                mail("overdue_seconds"): "0x30",
                mail("waiting", ',state="queued"'): "0x30",
                tries("sent"): "4x30",
            },
        ),
    ),
    Case(
        alert="CareSpaceMailStands",
        page=True,
        fires={
            mail("overdue_seconds"): "0x30",
            mail("waiting", ',state="queued"'): "5x30",
            tries("sent"): "4x30",
        },
        at="25m",
        says="Letters wait, and the notifier does not send them.",
        silent=(),
    ),
    Case(
        alert="CareSpaceNoMailLeaves",
        page=True,
        fires={tries("retrying"): "0+1x40", tries("bounced"): "0x40", tries("sent"): "7x40"},
        at="40m",
        says="The mail server has taken no letter for 30 minutes, in 30 tries.",
        silent=(
            {tries("retrying"): "0+1x40", tries("sent"): "0+1x40"},
            {tries("retrying"): "0x20 4x20", tries("sent"): "7x40"},
        ),
    ),
    Case(
        alert="CareSpaceMailPutOff",
        fires={mail("oldest_retry_seconds"): "21000+60x40"},
        at="30m",
        says="A letter has been put off for 6h 20m 0s.",
        silent=({mail("oldest_retry_seconds"): "3600+60x40"},),
    ),
    Case(
        alert="CareSpaceMailBounces",
        fires={
            settled("sent"): "0+1x100",
            settled("bounced"): "0+0.5x100",
            settled("failed"): "0+0.5x100",
            settled("expired"): "0+9x100",
        },
        at="60m",
        says="50% of the letters of the last six hours came back.",
        silent=(
            {settled("sent"): "0+9x100", settled("bounced"): "0+1x100"},
            {settled("sent"): "0x100", settled("bounced"): "0x10 5x90"},
        ),
    ),
)

CAUSES = (
    Case(
        alert="CareSpaceRequestsFail",
        fires={answered("failed"): "0+1x40", answered("late"): "0+1x40", answered("ok"): "0+90x40"},
        at="30m",
        says="records failed at request.records.show_health 30 times in 15 minutes.",
        labels={"part": "records", "subject": "request.records.show_health"},
        silent=(
            {answered("failed"): "0x20 2x20", answered("ok"): "0+90x40"},
            {answered("refused"): "0+90x40", answered("broken_off"): "0+1x40"},
        ),
    ),
    Case(
        alert="CareSpacePasswordQueue",
        fires={argon2("under_way"): "40x20", argon2("limit"): "52x20"},
        says="People wait for their password to be looked at, or are told to come again.",
        silent=(
            {
                argon2("under_way"): "4x20",
                argon2("limit"): "52x20",
                argon2("refused_total"): "9x20",
            },
            {argon2("under_way"): "0x14 50x1 0x5", argon2("limit"): "52x20"},
        ),
    ),
    Case(
        alert="CareSpacePasswordQueue",
        fires={argon2("refused_total"): "0+3x20"},
        says="People wait for their password to be looked at, or are told to come again.",
        silent=(),
    ),
    Case(
        alert="CareSpacePoolUsedUp",
        fires={
            waits("pool_wait", "0.25"): "0+90x20",
            waits("pool_wait", "0.5"): "0+100x20",
            waits("pool_wait", "+Inf"): "0+100x20",
        },
        says="Work in records waits 375ms for a connection to Postgres.",
        labels={"part": "records"},
        silent=({waits("pool_wait", "0.25"): "0+96x20", waits("pool_wait", "+Inf"): "0+100x20"},),
    ),
    Case(
        alert="CareSpaceLoopLate",
        fires={
            waits("event_loop_lag", "0.25"): "0+80x40",
            waits("event_loop_lag", "0.5"): "0+100x40",
            waits("event_loop_lag", "+Inf"): "0+100x40",
        },
        at="30m",
        says="records (1) comes 437.5ms late to everything.",
        labels={"part": "records", "instance": "1"},
        silent=(
            {
                waits("event_loop_lag", "0.25"): "0+96x40",
                waits("event_loop_lag", "+Inf"): "0+100x40",
            },
        ),
    ),
    Case(
        alert="CareSpaceGuessing",
        fires={guesses("tries_held_back", "here"): "0+4x30"},
        at="20m",
        says="Somebody guesses. Tries used up or held back (here): 60.",
        labels={"scope": "here"},
        silent=(
            {guesses("tries_held_back", "here"): "0+2x30", guesses("lockouts", "here"): "0+1x30"},
        ),
    ),
    Case(
        alert="CareSpaceGuessing",
        fires={guesses("lockouts", "strangers"): "0x10 1x60"},
        at="20m",
        says="Somebody guesses. Tries used up or held back (strangers): 1.",
        labels={"scope": "strangers"},
        silent=({guesses("lockouts", "strangers"): "1x30"},),
    ),
)
