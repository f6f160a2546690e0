"""python -m gateway"""

from gateway.app import build
from gateway.config import Config
from libs.runtime import service

if __name__ == "__main__":
    service.run("gateway", Config, build)
