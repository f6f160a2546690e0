"""python -m services.messaging"""

from libs.runtime import service
from services.messaging.app import build
from services.messaging.config import Config

if __name__ == "__main__":
    service.run("messaging", Config, build)
