"""Settings: small frozen classes, one a concern, read from the environment or from secret files.

A start that cannot work ends here, with one line that names what to set.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, RedisDsn, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS_DIR = Path("/run/secrets")
SECRET_MIN_LENGTH = 32
PLACEHOLDER_PREFIXES = ("change-me", "changeme", "placeholder", "example", "secret")


class Environment(StrEnum):
    LOCAL = "local"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def shows_docs(self) -> bool:
        return self is not Environment.PRODUCTION


class ConfigError(Exception):
    """The settings cannot be used; the message is one plain line for an operator."""


class BaseConfig(BaseSettings):
    """Base of every settings class. No secret has a default, and outside local a placeholder is refused."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        # pydantic-settings warns about a folder that is not there, so it is named only where it is.
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
    )


class AppConfig(BaseConfig):
    environment: Environment
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field(default="json", pattern="^(json|console)$")
    host: str = Field(default="127.0.0.1", max_length=255)
    port: int = Field(default=8000, ge=1, le=65535)
    metrics_host: str = Field(default="127.0.0.1", max_length=255)
    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="Of the background process; an API serves its metrics itself."
    )


class RedisConfig(BaseConfig):
    """Hints for the worker, ended sessions on their way, limits: nothing that may not be lost."""

    redis_url: RedisDsn


class SecretsConfig(BaseConfig):
    """Base of the settings classes that hold a secret."""

    # By its alias, so that it is read without the prefix of the class: it belongs to the whole process.
    environment: Environment = Field(validation_alias="ENVIRONMENT")

    @model_validator(mode="after")
    def refuse_placeholder_secrets(self) -> Self:
        if self.environment is Environment.LOCAL:
            return self
        for name, value in self:
            if isinstance(value, SecretStr) and is_placeholder(value.get_secret_value()):
                raise ValueError(
                    f"{self.variable_name(name)} is a placeholder or shorter than {SECRET_MIN_LENGTH} characters; "
                    f"set a real secret when ENVIRONMENT={self.environment}"
                )
        return self

    @classmethod
    def variable_name(cls, field: str) -> str:
        return f"{cls.model_config.get('env_prefix', '')}{field}".upper()


def compute_origin(url: str) -> str:
    """As a browser names it: scheme and host, and the port that is not the scheme's own."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_placeholder(secret: str) -> bool:
    return len(secret) < SECRET_MIN_LENGTH or secret.lower().startswith(PLACEHOLDER_PREFIXES)


ConfigT = TypeVar("ConfigT", bound=BaseConfig)


@lru_cache(maxsize=64)
def load_config(config_class: type[ConfigT]) -> ConfigT:
    """The settings of this process, read once. Raises ConfigError with one line."""
    try:
        return config_class()
    except ValidationError as error:
        raise ConfigError(describe_config_error(config_class, error)) from error


def describe_config_error(config_class: type[BaseConfig], error: ValidationError) -> str:
    prefix = str(config_class.model_config.get("env_prefix", ""))
    aliases = {field.validation_alias for field in config_class.model_fields.values()}
    return "; ".join(_describe_one(prefix, aliases, item) for item in error.errors(include_input=False))


def _describe_one(prefix: str, aliases: Collection[Any], item: Any) -> str:
    if not item["loc"]:
        return str(item["msg"]).removeprefix("Value error, ")
    name = str(item["loc"][0])
    variable = (name if name in aliases else f"{prefix}{name}").upper()
    if item["type"] == "missing":
        return f"{variable} is not set (environment variable or file {SECRETS_DIR / variable.lower()})"
    return f"{variable}: {item['msg']}"
