import hashlib
import hmac
from datetime import timedelta
from typing import Self

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from auth.keys.constants import NEXT_LEAST_AGE
from chassis.config import SecretsConfig


class KeysConfig(SecretsConfig):
    """What encrypts the signing keys in the database, and how often they change. Durations as in ISO 8601."""

    model_config = SettingsConfigDict(env_prefix="KEYS_")

    encryption_key: SecretStr
    rotation_period: timedelta = Field(
        default=timedelta(days=90), ge=timedelta(0), description="With P0D they change by command alone."
    )
    next_min_age: timedelta = Field(
        default=timedelta(minutes=10),
        ge=NEXT_LEAST_AGE,
        description="So long is a key published before it signs: longer than anybody keeps the list without it.",
    )

    @model_validator(mode="after")
    def check_fernet_key(self) -> Self:
        try:
            self.create_fernet()
        except ValueError as error:
            raise ValueError(
                "KEYS_ENCRYPTION_KEY must be 32 bytes in URL-safe base64; make one with: "
                "head -c 32 /dev/urandom | base64 | tr '+/' '-_'"
            ) from error
        return self

    def create_fernet(self) -> Fernet:
        return Fernet(self.encryption_key.get_secret_value())

    def derive_secret(self, purpose: str) -> bytes:
        """A secret of its own for each purpose, so that none can stand in for another."""
        return hmac.digest(self.encryption_key.get_secret_value().encode(), purpose.encode(), hashlib.sha256)
