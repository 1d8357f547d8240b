from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig


class TokenConfig(BaseConfig):
    """What an access token must say; the same in every service, or none accepts the tokens of the others."""

    model_config = SettingsConfigDict(env_prefix="TOKEN_")

    issuer: str = Field(default="broadsheet", min_length=1, max_length=200)
    audience: str = Field(default="broadsheet", min_length=1, max_length=200)
    internal_audience: str = Field(default="broadsheet-internal", min_length=1, max_length=200)
