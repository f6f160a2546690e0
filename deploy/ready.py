"""python -m deploy.ready: whether the part in this container can do its work; exit code 0 or 1.

It is run every few seconds beside each part, so it imports next to nothing; or by hand, to hear
what the part waits for.
"""

import os
import sys

from deploy import waiting


def main() -> None:
    """Ask the port where health is told: its own one, or the part's only one."""
    told_at = os.environ.get("CARESPACE_HEALTH_PORT") or os.environ.get("CARESPACE_PORT", "")
    if not told_at.isdecimal():
        sys.exit("CARESPACE_PORT is not set.")
    is_ready, said = waiting.readiness("127.0.0.1", int(told_at))
    sys.stdout.write(f"{said}\n")
    sys.exit(not is_ready)


if __name__ == "__main__":
    main()
