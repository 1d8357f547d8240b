from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from sqlalchemy import URL

from chassis.config import SecretsConfig


class DatabaseConfig(SecretsConfig):
    """Where the database of this service is, and how many connections one process may hold."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")

    host: str = Field(max_length=255)
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = Field(max_length=63)
    user: str = Field(max_length=63)
    password: SecretStr
    pool_size: int = Field(default=5, ge=1, le=100)
    reader_pool_size: int = Field(default=5, ge=1, le=100)
    acquire_seconds: float = Field(default=1.0, gt=0, le=60, description="How long a request waits for a connection.")
    processes: int = Field(default=1, ge=1, le=64, description="API processes that hold such pools each.")

    @property
    def url(self) -> URL:
        return URL.create(
            "postgresql+asyncpg", self.user, self.password.get_secret_value(), self.host, self.port, self.name
        )
