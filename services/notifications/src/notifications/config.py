from pathlib import Path

from pydantic import Field, HttpUrl, RedisDsn

from chassis.config import BaseConfig

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class PostsUpstreamConfig(BaseConfig):
    """Whose events the background process reads besides those of auth."""

    posts_url: HttpUrl


class BrokerConfig(BaseConfig):
    """Where the background process leaves its hints for the worker."""

    redis_url: RedisDsn = Field(description="Celery's broker.")
