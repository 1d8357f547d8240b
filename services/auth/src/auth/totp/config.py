from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig


class TotpConfig(BaseConfig):
    """What authenticator apps show beside the codes."""

    model_config = SettingsConfigDict(env_prefix="TOTP_")

    issuer: str = Field(default="Broadsheet", min_length=1, max_length=50, pattern="^[^:]+$")
