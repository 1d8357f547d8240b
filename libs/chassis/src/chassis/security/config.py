from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig, compute_origin


class TokenConfig(BaseConfig):
    """What an access token must say; the same in every service, or none accepts the tokens of the others."""

    model_config = SettingsConfigDict(env_prefix="TOKEN_")

    # No variable of its own: RFC 9068 wants in a token what the metadata call the issuer, and RFC 8414 that it is
    # where the metadata are found.
    public_url: str = Field(
        default="http://127.0.0.1:8080", max_length=200, pattern="^https?://[^/]+/?$", validation_alias="PUBLIC_URL"
    )
    audience: str = Field(default="broadsheet", min_length=1, max_length=200)
    internal_audience: str = Field(default="broadsheet-internal", min_length=1, max_length=200)

    @property
    def issuer(self) -> str:
        return compute_origin(self.public_url)
