"""python -m services.delegation"""

from libs.runtime import service
from services.delegation.app import build
from services.delegation.config import Config

if __name__ == "__main__":
    service.run("delegation", Config, build)
