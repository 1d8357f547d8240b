import hashlib
import hmac
from typing import Self

from cryptography.fernet import Fernet
from pydantic import SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.config import SecretsConfig


class KeysConfig(SecretsConfig):
    """What encrypts the signing keys in the database."""

    model_config = SettingsConfigDict(env_prefix="KEYS_")

    encryption_key: SecretStr

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
