"""Every contract there is, for what is generated from them: accounts, streams, schemas, docs."""

import inspect
from types import ModuleType
from typing import Any

from libs.contracts import delegation, identity, messaging, notifier, records
from libs.contracts.base import Event, Request

SERVICES: dict[str, ModuleType] = {
    "identity": identity,
    "records": records,
    "messaging": messaging,
    "delegation": delegation,
    "notifier": notifier,
}


def services() -> tuple[str, ...]:
    """The services, in the order in which they come up."""
    return tuple(SERVICES)


def requests() -> tuple[type[Request[Any]], ...]:
    """Every request any service answers."""
    return tuple(found for found in _contracts() if issubclass(found, Request))


def events() -> tuple[type[Event], ...]:
    """Every event any service announces."""
    return tuple(found for found in _contracts() if issubclass(found, Event))


def _contracts() -> list[Any]:
    return [
        found
        for module in SERVICES.values()
        for _, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__ == module.__name__ and "subject" in vars(found)
    ]
