"""What a service writes down: JSON lines with a request id, and nothing personal.

An exception is logged as its type and the places it passed. Its message is left out, since other
libraries put whole requests into theirs.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


def _with_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if request_id := REQUEST_ID.get():
        event["request_id"] = request_id
    return event


def configure(service: str, level: str = "INFO") -> None:
    """Everything this process logs becomes one JSON line on standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _with_request_id,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _only_the_kind],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("faststream", "nats", "aiohttp.access", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)
    structlog.contextvars.bind_contextvars(service=service)


def _only_the_kind(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Another library's line: its exception is kept as a type and its places."""
    record: logging.LogRecord = event["_record"]
    if record.exc_info and record.exc_info[1]:
        event.update(describe(record.exc_info[1]))
        event["event"] = f"{record.name} reported a failure"
        record.exc_info, record.exc_text = None, None
        event.pop("exc_info", None)
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception: its type, and where it passed."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "at": [f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}" for place in places],
    }
