from pathlib import Path

from pydantic import Field, HttpUrl, RedisDsn

from chassis.config import BaseConfig

_IN_SOURCE = Path(__file__).parents[2] / "migrations"
# In an image the package is installed, and its migrations lie in the working folder (deploy/Dockerfile).
MIGRATIONS = _IN_SOURCE if _IN_SOURCE.is_dir() else Path("migrations").absolute()


class PostsUpstreamConfig(BaseConfig):
    """Whose events the background process reads besides those of auth."""

    posts_url: HttpUrl


class BrokerConfig(BaseConfig):
    """Where the background process leaves its hints for the worker."""

    redis_url: RedisDsn = Field(description="Celery's broker.")
