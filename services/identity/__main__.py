"""python -m services.identity"""

from libs.runtime import service
from services.identity.app import build
from services.identity.config import Config


def main() -> None:
    """Run until told to stop."""
    service.run("identity", Config, build)


if __name__ == "__main__":
    main()
