"""Every contract's shape is kept in a file, so that a change on the wire is a diff somebody reads.

`CARESPACE_WRITE_SCHEMAS=1 pytest tests/contracts` writes the files anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from libs.contracts import registry
from libs.contracts.base import owner, phrase
from tests.contracts.shapes import by_service

KEPT = Path(__file__).parent


@pytest.mark.parametrize("service", [*registry.services(), "visa"])
def test_a_contract_does_not_change_unseen(service: str) -> None:
    said = json.dumps(by_service()[service], indent=1, sort_keys=True) + "\n"
    kept = KEPT / f"{service}.json"
    if os.environ.get("CARESPACE_WRITE_SCHEMAS"):
        kept.write_text(said)
    assert kept.read_text() == said


def test_requests_and_events_live_in_trees_that_never_overlap() -> None:
    assert {contract.subject.split(".")[0] for contract in registry.requests()} == {"request"}
    assert {contract.subject.split(".")[0] for contract in registry.events()} == {"event"}


def test_every_subject_belongs_to_one_contract_and_to_its_own_service() -> None:
    contracts: list[type[Any]] = [*registry.requests(), *registry.events()]
    assert len({contract.subject for contract in contracts}) == len(contracts)
    for contract in contracts:
        assert contract.__module__.split(".")[:3] == ["libs", "contracts", owner(contract)]
        assert phrase(contract).isidentifier()


def test_no_event_carries_a_name_an_address_or_a_secret() -> None:
    allowed = {
        "id", "practice_id", "patient_id", "account_id", "invitation_id", "reference_id",
        "conversation_id", "message_id", "session_ids", "version", "state", "kind", "expires_at", "at", "new_link_wanted",
        "limits", "ends_at", "granted_at", "granted_by", "revoked_at", "invitation_version",
        "capacity", "act", "sending_id", "grant_id", "revision", "narrower", "changed_at", "active", "change", "letter",
    }  # fmt: skip
    for event in registry.events():
        assert set(event.model_fields) <= allowed, event
