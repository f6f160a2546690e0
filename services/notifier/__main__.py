"""python -m services.notifier"""

from libs.runtime import service
from services.notifier.app import build
from services.notifier.config import Config


def main() -> None:
    """Run until told to stop."""
    service.run("notifier", Config, build)


if __name__ == "__main__":
    main()
