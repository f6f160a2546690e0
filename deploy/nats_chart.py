"""The same server as `carespace nats-config` has it, in the words of NATS's own Helm chart (1.x).

What that chart takes under `merge` it lays over the configuration that it makes by itself. What
depends on the cluster alone (how many servers, what they may use, where they keep it) is not said
here: deploy/helm/nats-values.yaml is an example of that.
"""

import json
from collections.abc import Mapping
from typing import Any

from deploy import nats_config
from deploy.nats_config import Rights


def values(public_keys: Mapping[str, str], *, tls_secret: str = "") -> dict[str, Any]:
    """Accounts, limits and storage. With a Secret of certificates nobody comes in without TLS."""
    users = [_user(public_keys[name], held) for name, held in nats_config.users().items()]
    config: dict[str, Any] = {
        "jetstream": {"enabled": True, "merge": nats_config.STORE},
        "merge": nats_config.LIMITS | {"authorization": {"users": users}},
    }
    if not tls_secret:
        return {"config": config}
    listening = {"enabled": True, "secretName": tls_secret}
    return {
        "config": config
        | {
            "nats": {"tls": listening | {"merge": {"handshake_first": True, "timeout": 5}}},
            "cluster": {"tls": listening | {"merge": {"timeout": 5}}},
        },
        "tlsCA": {"enabled": True, "secretName": tls_secret},
    }


def rendered(public_keys: Mapping[str, str], *, tls_secret: str = "") -> str:
    """A file of values; JSON is YAML."""
    said = json.dumps(values(public_keys, tls_secret=tls_secret), indent=2)
    return (
        f"# Made by `carespace nats-config` from the contracts. Change those, not this.\n{said}\n"
    )


def _user(key: str, held: Rights) -> dict[str, Any]:
    permissions: dict[str, Any] = {
        "publish": {"allow": held.publish},
        "subscribe": {"allow": held.subscribe},
    }
    if held.answers:
        permissions["allow_responses"] = nats_config.ANSWERS
    return {"nkey": key, "permissions": permissions}
