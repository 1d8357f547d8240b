"""What the status application knows of the platform, from the environment."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AnyHttpUrl, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ConfigError(Exception):
    """A variable is missing or cannot be read; its text is one plain line that names it."""


class Environment(StrEnum):
    """Where the platform runs."""

    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"


class StatusConfig(BaseSettings):
    """The services to ask, and the addresses that the page shows."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Environment
    host: str = Field(default="127.0.0.1", max_length=255)
    port: int = Field(default=8000, ge=1, le=65535)
    status_services: Annotated[dict[str, AnyHttpUrl], NoDecode]
    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8080")
    mailbox_url: AnyHttpUrl | None = None

    @field_validator("mailbox_url", mode="before")
    @classmethod
    def read_empty_as_absent(cls, value: Any) -> Any:
        """An empty variable is how compose files say that there is none."""
        return value or None

    @field_validator("status_services", mode="before")
    @classmethod
    def split_services(cls, value: Any) -> Any:
        """Read `auth=http://127.0.0.1:8001,posts=http://127.0.0.1:8002`."""
        if not isinstance(value, str):
            return value
        pairs = [pair.strip().partition("=") for pair in value.split(",") if pair.strip()]
        if not pairs or not all(name and url for name, _, url in pairs):
            raise ValueError("must be a list such as auth=http://127.0.0.1:8001,posts=http://127.0.0.1:8002")
        return {name: url for name, _, url in pairs}

    @property
    def shows_docs(self) -> bool:
        """Whether the services have their API reference on."""
        return self.environment is not Environment.PRODUCTION

    @property
    def shown_mailbox_url(self) -> str | None:
        """Where people read the mails, which is only for a platform on their own machine."""
        return str(self.mailbox_url) if self.mailbox_url and self.environment is Environment.LOCAL else None


def load_config() -> StatusConfig:
    """The settings of this process. Raises ConfigError."""
    try:
        return StatusConfig()
    except ValidationError as error:
        raise ConfigError("; ".join(_describe(item) for item in error.errors(include_url=False))) from error


def _describe(item: Any) -> str:
    variable = str(item["loc"][0]).upper()
    return f"{variable} is not set" if item["type"] == "missing" else f"{variable}: {item['msg']}"
