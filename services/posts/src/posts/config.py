from pathlib import Path

from pydantic import Field, RedisDsn

from chassis.config import BaseConfig

_IN_SOURCE = Path(__file__).parents[2] / "migrations"
# In an image the package is installed, and its migrations lie in the working folder (deploy/Dockerfile).
MIGRATIONS = _IN_SOURCE if _IN_SOURCE.is_dir() else Path("migrations").absolute()


class BrokerConfig(BaseConfig):
    """Of the background process alone: no request talks to the broker."""

    redis_url: RedisDsn = Field(description="Celery's broker.")
