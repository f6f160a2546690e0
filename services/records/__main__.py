"""python -m services.records"""

from libs.runtime import service
from services.records.app import build
from services.records.config import Config


def main() -> None:
    """Run until told to stop."""
    service.run("records", Config, build)


if __name__ == "__main__":
    main()
