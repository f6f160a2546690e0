"""The release to come and the one that is running share one NATS and one Postgres.

Where a test here fails, the change takes two releases: the first reads what is new and goes on
writing what is old; the second writes it. What is meant all the same stands in `MEANT`, with why.
"""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts import compatibility, release

GATEWAYS_LAST = (
    "Only a gateway of the release to come asks for what leads to it, and gateways are replaced last."
    " One that is still the old one can't show a list that has it, for the minutes until then."
)
MEANT: dict[str, str] = {
    f"The running release can't read: {what}, which is not read.": GATEWAYS_LAST
    for what in (
        *(
            f"{where} may be '{act}'"
            for act in ("changed_access", "deactivated_patient", "reactivated_patient", "reset_factors")
            for where in (
                "DelegationActed.act",
                "IdentityActed.act",
                "MessagingActed.act",
                "ListActivity.acts[]",
                "ListActivity → reply.entries[].act",
                "ReadActivity → reply.entries[].act",
            )
        ),
        "LetterDue.kind may be 'access_changed'",
        "DescribeLetter.kind may be 'access_changed'",
        "MailSettled.kind may be 'access_changed'",
        "ListMails → reply.mails[].kind may be 'access_changed'",
        "LetterDue.kind may be 'access_ended'",
        "DescribeLetter.kind may be 'access_ended'",
        "MailSettled.kind may be 'access_ended'",
        "ListMails → reply.mails[].kind may be 'access_ended'",
    )
} | {
    f"The running release has no words for delegation's refusal {code}.": "Said to ChangeAccess only."
    for code in (
        "access_over", "changed_meanwhile", "end_is_past", "nothing_shared", "proof_needed",
    )
}  # fmt: skip
"""Sentences that the comparison says, and why the two releases run side by side all the same."""


def found(released: dict[str, Any], today: dict[str, Any]) -> list[str]:
    return [
        *compatibility.across(released["contracts"], today["contracts"]),
        *compatibility.refusals(released["refusals"], today["refusals"]),
    ]


def test_the_last_release_and_the_one_to_come_run_side_by_side() -> None:
    said = found(release.last(), release.now())
    assert [sentence for sentence in said if sentence not in MEANT] == []
    assert MEANT.keys() - set(said) == set(), "these are said no more"


def test_what_was_released_is_kept_as_it_was() -> None:
    released = release.last()["contracts"]
    assert {name for contracts in released.values() for name in contracts} >= {"LogIn", "Visa"}
    assert released["identity"]["LogIn"]["subject"] == "request.identity.log_in"
    assert len([one for contracts in released.values() for one in contracts]) > 100


Change = Callable[[dict[str, Any]], object]


def _required(contracts: dict[str, Any]) -> None:
    schema = contracts["identity"]["LogIn"]["schema"]
    schema["properties"]["new"] = {"type": "string"}
    schema["required"].append("new")


def _narrowed(contracts: dict[str, Any]) -> None:
    contracts["visa"]["Visa"]["schema"]["$defs"]["Limit"]["enum"].remove("sending")


CHANGES: list[tuple[Change, str]] = [
    (lambda c: c["identity"].pop("LogIn"), "LogIn is gone."),
    (
        lambda c: c["identity"]["LogIn"].update(subject="request.identity.enter"),
        "LogIn has another subject.",
    ),
    (
        lambda c: c["identity"]["LogIn"].update(askers=[]),
        "gateway is no longer among the askers of LogIn.",
    ),
    (
        lambda c: c["delegation"]["AccessRevoked"]["followers"].remove("messaging"),
        "messaging is no longer among the followers of AccessRevoked.",
    ),
    (
        lambda c: c["delegation"]["AccessRevoked"]["listeners"].remove("gateway"),
        "gateway is no longer among the listeners of AccessRevoked.",
    ),
    (
        _required,
        "The release to come can't read: LogIn.new is required and not written.",
    ),
    (
        lambda c: c["identity"]["LogIn"]["reply"]["properties"].pop("token"),
        "The running release can't read: LogIn → reply.token is required and not written.",
    ),
    (_narrowed, "The release to come can't read: Visa.limits[] may be 'sending', which is not read."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), CHANGES, ids=[says for _, says in CHANGES])
def test_a_change_that_breaks_the_running_release_is_said(change: Change, sentence: str) -> None:
    released = release.last()
    today = copy.deepcopy(released)
    change(today["contracts"])
    assert sentence in found(released, today)


def test_a_refusal_that_one_of_them_has_no_words_for_is_said() -> None:
    released = {"contracts": {}, "refusals": {"records": ["busy"]}}
    today = {"contracts": {}, "refusals": {"records": ["gone"]}}
    assert found(released, today) == [
        "The running release has no words for records's refusal gone.",
        "The release to come has no words for records's refusal busy.",
    ]


def test_what_is_new_altogether_breaks_nothing() -> None:
    released = release.last()
    today = copy.deepcopy(released)
    today["contracts"]["records"]["Weigh"] = today["contracts"]["records"]["ReadDocument"]
    today["contracts"]["delegation"]["AccessRevoked"]["followers"].append("notifier")
    assert found(released, today) == []


def test_a_release_is_written_as_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(release, "KEPT", tmp_path)
    release.write("0.9.0")
    (tmp_path / "0.10.0.json").write_text('{"the": "newest"}')
    assert release.last() == {"the": "newest"}
    kept = json.loads((tmp_path / "0.9.0.json").read_text())
    assert kept == json.loads(json.dumps(release.now()))
