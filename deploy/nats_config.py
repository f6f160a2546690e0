"""Who may say and hear what on NATS, worked out from the contracts alone.

Each part has one user with a key of its own. It may ask what its contracts let it ask, answer and
announce what it owns, and hear what it follows; streams are the provisioner's business.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.contracts import registry
from libs.contracts.base import owner, phrase

DEAD = "dead"
"""The stream of what no consumer could do: see `carespace dead-letters`."""
ROUTE = "route"
"""Who the servers of a cluster say they are to one another."""
COUNTS_THE_DEAD = "notifier"
"""Who may ask how many there are, to say so among its metrics. Only the provisioner reads them."""
MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes: a chunk of content is far below it; a large document made readable comes near."""
LIMITS = {
    "max_payload": MAX_PAYLOAD,
    "max_pending": 64 * MAX_PAYLOAD,
    "write_deadline": "10s",
    "ping_interval": "20s",
    "lame_duck_duration": "30s",
}
"""What a server allows, wherever it runs."""
FILE_STORE = 4 * 1024**3
"""Bytes of streams on a server's disk."""
STORE = {
    "sync_interval": "always",
    "max_file_store": FILE_STORE,
    "max_memory_store": 64 * 1024**2,
}
"""How it keeps streams: a message counts as stored when it is on the disk."""
ANSWERS = {"max": 1, "expires": "60s"}
"""How often, and until when, whoever was asked may reply."""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What one user may publish and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    answers: bool = False
    """May reply to whoever asked, and only to them."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Where the server finds its certificate; nobody comes in without TLS then."""

    cert: str
    key: str
    ca: str = ""
    """Whom the other servers of a cluster are believed by."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One server of several that keep every stream together."""

    name: str
    server: str
    host: str
    port: int
    routes: tuple[str, ...]
    """HOST:PORT of each server of the cluster; itself may be among them."""
    password: str = field(repr=False)


def users() -> dict[str, Rights]:
    """Every user and its rights."""
    parts = {name: rights(name) for name in (*registry.services(), "gateway", "operator")}
    return parts | {"provisioner": provisioner()}


def rights(part: str) -> Rights:
    """The rights of a service, of the gateway, or of the operator's command."""
    asks = [request.subject for request in registry.requests() if part in request.askers]
    follows = [event for event in registry.events() if part in event.followers]
    hears = [event.subject for event in registry.events() if part in event.listeners]
    publish, subscribe = [*asks], [f"_INBOX_{part}.>", *hears]
    for event in follows:
        consumer = f"{owner(event)}.{part}-{phrase(event)}"
        publish += [
            f"$JS.API.CONSUMER.INFO.{consumer}",
            f"$JS.API.CONSUMER.MSG.NEXT.{consumer}",
            f"$JS.ACK.{consumer}.>",
        ]
    if part == COUNTS_THE_DEAD:
        publish.append(f"$JS.API.STREAM.INFO.{DEAD}")
    if part != "operator":
        publish.append(f"request.{part}.ping.*")
        subscribe.append(f"request.{part}.ping.*")
    if part in registry.services():
        publish.append(f"event.{part}.>")
        subscribe.append(f"request.{part}.* {part}")
    return Rights(
        publish=tuple(sorted(publish)),
        subscribe=tuple(sorted(subscribe)),
        answers=part != "operator",
    )


def provisioner() -> Rights:
    """Makes and changes streams and consumers, and publishes a dead letter again."""
    return Rights(publish=("$JS.API.>", "event.>"), subscribe=("_INBOX_provisioner.>",))


def render(public_keys: Mapping[str, str], *, host: str, port: int, store: str) -> str:
    """The server's configuration file."""
    blocks = "\n".join(_user(public_keys[name], name, held) for name, held in users().items())
    limits = "\n".join(f"{name}: {json.dumps(value)}" for name, value in LIMITS.items())
    kept = "\n".join(f"  {name}: {json.dumps(value)}" for name, value in STORE.items())
    return f"""# Made by `carespace nats-config` from the contracts. Change those, not this.
listen: "{host}:{port}"
{limits}
jetstream {{
  store_dir: "{store}"
{kept}
}}
authorization {{
  users: [
{blocks}
  ]
}}
"""


def guarded(tls: Tls, cluster: Cluster | None = None) -> str:
    """What comes behind `render` for TLS, and for one server of a cluster.

    The handshake is first on the line, so that nobody between can talk a client out of it. Clients
    are told of no server that they were not given: under another name or number than theirs, its
    certificate would not hold. Routes want a password, and a certificate of the same authority.
    """
    with_certificate = f'cert_file: "{tls.cert}", key_file: "{tls.key}", timeout: 5'
    said = f"tls {{ {with_certificate}, handshake_first: true }}\n"
    if cluster is None:
        return said
    routes = ", ".join(
        f'"nats-route://{ROUTE}:{cluster.password}@{there}"' for there in cluster.routes
    )
    return f"""{said}server_name: "{cluster.server}"
cluster {{
  name: "{cluster.name}"
  listen: "{cluster.host}:{cluster.port}"
  no_advertise: true
  authorization {{ user: {ROUTE}, password: "{cluster.password}", timeout: 5 }}
  tls {{ {with_certificate}, ca_file: "{tls.ca}" }}
  routes: [{routes}]
}}
"""


def _user(key: str, name: str, held: Rights) -> str:
    said = ", ".join(f"{name}: {json.dumps(value)}" for name, value in ANSWERS.items())
    answers = f"\n        allow_responses: {{ {said} }}" if held.answers else ""
    return f"""    # {name}
    {{
      nkey: {key}
      permissions {{
        publish {{ allow: [{_listed(held.publish)}] }}
        subscribe {{ allow: [{_listed(held.subscribe)}] }}{answers}
      }}
    }}"""


def _listed(subjects: tuple[str, ...]) -> str:
    return ", ".join(f'"{subject}"' for subject in subjects)
