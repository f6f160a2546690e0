"""python -m gateway"""

from gateway.app import build
from gateway.config import Config
from libs.runtime import service


def main() -> None:
    """Run until told to stop."""
    service.run("gateway", Config, build)


if __name__ == "__main__":
    main()
