"""python -m deploy.ready: whether the part in this container can do its work; exit code 0 or 1.

It is run every few seconds beside each part, so it imports next to nothing.
"""

import os
import sys

from deploy import waiting


def main() -> None:
    """Ask the port where health is told: its own one, or the part's only one."""
    told_at = os.environ.get("CARESPACE_HEALTH_PORT") or os.environ.get("CARESPACE_PORT", "")
    if not told_at.isdecimal():
        sys.exit("CARESPACE_PORT is not set.")
    sys.exit(not waiting.ready("127.0.0.1", int(told_at)))


if __name__ == "__main__":
    main()
