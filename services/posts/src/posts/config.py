from pathlib import Path

from pydantic import Field, RedisDsn

from chassis.config import BaseConfig

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class BrokerConfig(BaseConfig):
    """Of the background process alone: no request talks to the broker."""

    redis_url: RedisDsn = Field(description="Celery's broker.")
