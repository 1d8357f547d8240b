from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.config import Environment, SecretsConfig


class SmtpSecurity(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpConfig(SecretsConfig):
    """The mail hop that takes our mails. Timeouts in seconds, of one step each: the task's limit ends them all."""

    model_config = SettingsConfigDict(env_prefix="SMTP_")

    host: str = Field(min_length=1, max_length=255)
    port: int = Field(default=25, ge=1, le=65535)
    security: SmtpSecurity = SmtpSecurity.NONE
    username: str = Field(default="", max_length=255)
    password: SecretStr | None = None
    helo_name: str = Field(default="localhost", pattern="^[A-Za-z0-9.-]+$", max_length=255)
    timeout: float = Field(default=8.0, gt=0, le=30, description="Connecting, and each command.")
    dot_timeout: float = Field(default=25.0, gt=0, le=40, description="The answer to the whole mail.")
    idle_seconds: float = Field(default=20.0, ge=0, le=300, description="How long a connection waits for more mail.")

    @model_validator(mode="after")
    def refuse_password_in_the_clear(self) -> Self:
        if self.username and self.password is None:
            raise ValueError("SMTP_PASSWORD is not set, but SMTP_USERNAME is")
        if self.username and self.security is SmtpSecurity.NONE and self.environment is not Environment.LOCAL:
            raise ValueError("SMTP_SECURITY=none would send the password in the clear; use starttls or tls")
        return self
