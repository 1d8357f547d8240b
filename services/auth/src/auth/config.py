"""Settings of the service as a whole; each feature keeps its own."""

from pathlib import Path

from pydantic import Field

from chassis.config import BaseConfig, compute_origin

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class PublicConfig(BaseConfig):
    """Where people reach the platform. What a browser names as its origin is compared with it."""

    public_url: str = Field(default="http://127.0.0.1:8080", max_length=200, pattern="^https?://[^/]+/?$")

    @property
    def origin(self) -> str:
        return compute_origin(self.public_url)
