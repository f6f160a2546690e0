"""What NATS's own Helm chart makes of our values, as far as it concerns the server.

That chart is in no package that tests could have, so this is what its 1.x says of itself: a file
with where the server is and keeps things, over which `merge` of each part is laid.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Mapped = Mapping[str, Any]


def configuration(values: Mapped, *, port: int, monitor: int, folder: Path) -> str:
    """The server's file; JSON is in its language."""
    config = values["config"]
    assert config["jetstream"]["enabled"]
    made = {
        "server_name": "nats-0",
        "lame_duck_grace_period": "10s",
        "lame_duck_duration": "30s",
        "listen": f"127.0.0.1:{port}",
        "http": f"127.0.0.1:{monitor}",
        "jetstream": {"store_dir": str(folder / "store"), "max_file_store": 10 * 1024**3},
    }
    if tls := config.get("nats", {}).get("tls", {}):
        made["tls"] = laid_over(certificates(tls, values["tlsCA"], folder), tls["merge"])
    made["jetstream"] = laid_over(made["jetstream"], config["jetstream"]["merge"])
    return json.dumps(laid_over(made, config["merge"]))


def certificates(tls: Mapped, authority: Mapped, folder: Path) -> Mapped:
    """Secrets by their names, as folders."""
    there = folder / tls["secretName"]
    return {
        "cert_file": str(there / "tls.crt"),
        "key_file": str(there / "tls.key"),
        "ca_file": str(folder / authority["secretName"] / "ca.crt"),
    }


def laid_over(under: Any, over: Any) -> Any:
    """Helm's mergeOverwrite."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    both = under.keys() & over.keys()
    return under | over | {name: laid_over(under[name], over[name]) for name in both}
