"""Every contract there is, for what is generated from them: accounts, streams, schemas, docs."""

import inspect
from importlib import import_module
from pkgutil import iter_modules
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
        for service in SERVICES.values()
        for module in _modules(service)
        for _, found in inspect.getmembers(module, inspect.isclass)
        if found.__module__ == module.__name__ and "subject" in vars(found)
    ]


def _modules(service: ModuleType) -> list[ModuleType]:
    """Where a service's contracts are: one file, or the files of a package."""
    names = [module.name for module in iter_modules(getattr(service, "__path__", []))]
    return [service, *(import_module(f"{service.__name__}.{name}") for name in names)]
