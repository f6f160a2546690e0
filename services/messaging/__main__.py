"""python -m services.messaging"""

from libs.runtime import service
from services.messaging.app import build
from services.messaging.config import Config


def main() -> None:
    """Run until told to stop."""
    service.run("messaging", Config, build)


if __name__ == "__main__":
    main()
