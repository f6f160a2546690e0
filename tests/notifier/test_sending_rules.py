"""When a letter is tried again, and when it is given up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from libs.contracts.base import Refused
from libs.contracts.identity.letters import LetterKind
from libs.contracts.notifier import MailState, Refusal
from services.notifier.domain import PATIENCE, PAUSES, Job, judge, next_try, retriable

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = Job(
    practice_id=uuid4(),
    id=uuid4(),
    kind=LetterKind.INVITATION,
    reference_id=uuid4(),
    version=1,
    state=MailState.QUEUED,
    recipient="",
    answer="",
    tries=1,
    queued_at=NOON,
    due_at=NOON,
    sent_at=None,
)


@pytest.mark.parametrize(
    ("tries", "pause"),
    [
        (1, PAUSES[0]),
        (2, PAUSES[1]),
        (3, PAUSES[2]),
        (4, PAUSES[3]),
        (5, PAUSES[4]),
        (99, PAUSES[4]),
    ],
)
def test_pauses_grow_to_an_hour_and_spread_by_a_tenth(tries: int, pause: timedelta) -> None:
    for _ in range(50):
        due = next_try(replace(JOB, tries=tries), now=NOON)
        assert due is not None
        assert pause <= due - NOON <= pause * 1.1


def test_patience_ends_after_four_days() -> None:
    late = NOON + PATIENCE - timedelta(hours=1, minutes=7)
    assert next_try(replace(JOB, tries=60), now=late) is not None
    assert next_try(replace(JOB, tries=60), now=NOON + PATIENCE - timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (250, MailState.SENT),
        (251, MailState.SENT),
        (421, MailState.RETRYING),
        (450, MailState.RETRYING),
        (452, MailState.RETRYING),
        (550, MailState.BOUNCED),
        (552, MailState.BOUNCED),
        (553, MailState.BOUNCED),
    ],
)
def test_a_mail_servers_answer_means_sent_later_or_never(code: int, state: MailState) -> None:
    outcome = judge(code, "5.1.1 no\nsuch   user " + "x" * 400)
    assert outcome.state is state
    assert outcome.answer.startswith(f"{code} 5.1.1 no such user ")
    assert len(outcome.answer) == 300


@pytest.mark.parametrize("state", list(MailState))
def test_staff_send_again_what_did_not_arrive_and_nothing_else(state: MailState) -> None:
    again = {MailState.RETRYING, MailState.BOUNCED, MailState.FAILED}
    if state in again:
        retriable(replace(JOB, state=state))
    else:
        with pytest.raises(Refused, match=Refusal.NOT_RETRIABLE):
            retriable(replace(JOB, state=state))
