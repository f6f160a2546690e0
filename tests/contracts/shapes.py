"""What the contracts look like on the wire, for what is written down of them."""

from typing import Any

from libs.contracts import registry
from libs.contracts.base import Event, Request, owner
from libs.contracts.visa import Passport, Visa


def by_service() -> dict[str, dict[str, Any]]:
    """Every contract's shape: a service's requests and events, and the statements."""
    shapes: dict[str, dict[str, Any]] = {service: {} for service in registry.services()}
    contracts: list[type[Any]] = [*registry.requests(), *registry.events()]
    for contract in contracts:
        shapes[owner(contract)][contract.__name__] = shape(contract)
    shapes["visa"] = {contract.__name__: shape(contract) for contract in (Passport, Visa)}
    return shapes


def shape(contract: type[Any]) -> dict[str, Any]:
    """One contract: its schema, its subject, and who may say or hear it."""
    said: dict[str, Any] = {"schema": contract.model_json_schema()}
    if issubclass(contract, Request):
        said |= {"subject": contract.subject, "askers": list(contract.askers)}
        said["reply"] = contract.reply().model_json_schema()
    if issubclass(contract, Event):
        said |= {"subject": contract.subject, "followers": list(contract.followers)}
        said["listeners"] = list(contract.listeners)
    return said


def refusals() -> dict[str, list[str]]:
    """The codes with which each service says no."""
    return {
        service: sorted(str(code) for code in getattr(module, "Refusal", ()))
        for service, module in registry.SERVICES.items()
    }
