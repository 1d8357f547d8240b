from pathlib import Path

from pydantic import HttpUrl

from chassis.config import BaseConfig

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class PostsUpstreamConfig(BaseConfig):
    """Whose events the background process reads besides those of auth."""

    posts_url: HttpUrl
