"""What is said on NATS, as an AsyncAPI 3.0 document, worked out from the contracts alone.

Who may ask, follow or listen is not in AsyncAPI; it stands beside each operation as `x-askers`,
`x-followers` and `x-listeners`, and is what the accounts' permissions are made of.
"""

from importlib import metadata
from typing import Any

from pydantic.json_schema import models_json_schema

from libs.contracts import registry
from libs.contracts.base import Event, Request, owner, phrase
from libs.runtime import broker

HEADERS = {
    broker.DEADLINE: "When whoever asks gives up, in Unix seconds.",
    broker.REQUEST_ID_HEADER: "The same in every log line on the way.",
}
REFUSED = "refused"


def document() -> dict[str, Any]:
    """All of it: a channel for each subject, an operation for each request and event."""
    requests, events = registry.requests(), registry.events()
    replies = {request.reply() for request in requests}
    models: list[Any] = [*requests, *sorted(replies, key=lambda reply: reply.__name__), *events]
    names, defined = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    named = {model: names[(model, "validation")]["$ref"].rpartition("/")[2] for model in models}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for request in requests:
        channels |= _asked(request, named)
        operations[f"answer.{owner(request)}.{phrase(request)}"] = _answering(request, named)
    for event in events:
        channels[event.subject] = {"address": event.subject, "messages": _messages(named[event])}
        operations[f"announce.{owner(event)}.{phrase(event)}"] = _announcing(event, named)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CareSpace",
            "version": metadata.version("carespace"),
            "description": "What the services of CareSpace say to each other on NATS.",
            "tags": [{"name": service} for service in registry.services()],
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {name: _message(name) for name in sorted(named.values())}
            | {REFUSED: _refusal()},
            "schemas": defined["$defs"],
        },
    }


def _asked(request: type[Request[Any]], named: dict[Any, str]) -> dict[str, Any]:
    """The subject of a request, and the asker's own, on which the reply comes."""
    return {
        request.subject: {"address": request.subject, "messages": _messages(named[request])},
        _reply(request): {"address": None, "messages": _messages(named[request.reply()], REFUSED)},
    }


def _answering(request: type[Request[Any]], named: dict[Any, str]) -> dict[str, Any]:
    replied = (named[request.reply()], REFUSED)
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{request.subject}"},
        "summary": _said(request),
        "tags": [{"name": owner(request)}],
        "messages": _of(request.subject, named[request]),
        "reply": {
            "channel": {"$ref": f"#/channels/{_reply(request)}"},
            "messages": _of(_reply(request), *replied),
        },
        "x-askers": list(request.askers),
    }


def _announcing(event: type[Event], named: dict[Any, str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{event.subject}"},
        "summary": _said(event),
        "tags": [{"name": owner(event)}],
        "messages": _of(event.subject, named[event]),
        "x-followers": list(event.followers),
        "x-listeners": list(event.listeners),
    }


def _reply(request: type[Request[Any]]) -> str:
    return f"reply.{owner(request)}.{phrase(request)}"


def _messages(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _of(channel: str, *names: str) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]


def _message(name: str) -> dict[str, Any]:
    headers = {name: {"type": "string", "description": said} for name, said in HEADERS.items()}
    return {
        "headers": {"type": "object", "properties": headers},
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }


def _refusal() -> dict[str, Any]:
    """A no: a code in a header, and nothing in the body."""
    codes = {
        str(code)
        for module in registry.SERVICES.values()
        for code in getattr(module, "Refusal", ())
    }
    properties = {broker.REFUSED: {"type": "string", "enum": sorted(codes)}}
    return {"headers": {"type": "object", "properties": properties}, "payload": {"type": "null"}}


def _said(contract: type[Any]) -> str:
    """The first sentence of its promise."""
    return " ".join((contract.__doc__ or "").split("\n\n")[0].split())
