"""`carespace asyncapi`: the whole of what is said on NATS, in a form that other tools read."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from deploy.command import commands
from libs.contracts import registry
from libs.contracts.base import Event, Request


@pytest.fixture(scope="module")
def said() -> dict[str, Any]:
    done = CliRunner().invoke(commands, ["asyncapi"])
    assert done.exit_code == 0
    document: dict[str, Any] = json.loads(done.output)
    return document


def references(part: Any) -> set[str]:
    if isinstance(part, list):
        return {found for each in part for found in references(each)}
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own | {found for each in part.values() for found in references(each)}
    return set()


def test_it_has_the_form_of_asyncapi_3(said: dict[str, Any]) -> None:
    """As another library has it, with fields of its own for each part."""
    assert said["asyncapi"] == "3.0.0"
    read = ApplicationSchema.model_validate(said | {"servers": {}, "id": None})
    assert set(read.channels) == set(said["channels"])
    assert read.operations
    assert set(read.operations) == set(said["operations"])


def test_it_names_every_request_and_event_with_who_may(said: dict[str, Any]) -> None:
    told = {
        operation["channel"]["$ref"].rpartition("/")[2]: (
            operation["action"],
            *(tuple(operation.get(f"x-{who}", ())) for who in ("askers", "followers", "listeners")),
        )
        for operation in said["operations"].values()
    }
    contracts: list[type[Any]] = [*registry.requests(), *registry.events()]
    assert told == {
        contract.subject: ("receive", contract.askers, (), ())
        if issubclass(contract, Request)
        else ("send", (), contract.followers, contract.listeners)
        for contract in contracts
    }
    assert any(issubclass(contract, Event) for contract in contracts)


def test_every_reference_leads_somewhere(said: dict[str, Any]) -> None:
    found = references(said)
    assert len(found) > len(registry.requests())
    for reference in found:
        place: Any = said
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


def test_a_message_has_the_shape_of_its_contract(said: dict[str, Any]) -> None:
    schemas = said["components"]["schemas"]
    for contract in (*registry.requests(), *registry.events()):
        assert set(schemas[contract.__name__]["properties"]) == set(contract.model_fields)
