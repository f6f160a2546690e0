"""python -m services.notifier"""

from libs.runtime import service
from services.notifier.app import build
from services.notifier.config import Config

if __name__ == "__main__":
    service.run("notifier", Config, build)
