from pydantic import Field, HttpUrl, SecretStr

from chassis.config import BaseConfig, SecretsConfig


class ServiceClientConfig(SecretsConfig):
    """What this service is to the others: its client id at auth, and the secret that proves it."""

    service_client_id: str = Field(min_length=1, max_length=64, pattern="^[a-z][a-z0-9-]*$")
    service_client_secret: SecretStr


class AuthUpstreamConfig(BaseConfig):
    """Where service tokens and the public keys come from."""

    auth_url: HttpUrl
