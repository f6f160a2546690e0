"""python -m services.delegation"""

from libs.runtime import service
from services.delegation.app import build
from services.delegation.config import Config


def main() -> None:
    """Run until told to stop."""
    service.run("delegation", Config, build)


if __name__ == "__main__":
    main()
