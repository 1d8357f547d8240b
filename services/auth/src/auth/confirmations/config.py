from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.config import SecretsConfig


class ConfirmationConfig(SecretsConfig):
    """What the tokens in confirmation mails are derived from. A new value makes open links void."""

    model_config = SettingsConfigDict(env_prefix="CONFIRMATION_")

    secret: SecretStr
