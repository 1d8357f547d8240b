from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.config import SecretsConfig


class ClientsConfig(SecretsConfig):
    """The counterparts of each service's SERVICE_CLIENT_SECRET. Only `migrate` reads them."""

    model_config = SettingsConfigDict(env_prefix="CLIENTS_")

    posts_secret: SecretStr
    notifications_secret: SecretStr
    worker_secret: SecretStr

    def list_secrets(self) -> dict[str, str]:
        """By client id."""
        return {
            "posts": self.posts_secret.get_secret_value(),
            "notifications": self.notifications_secret.get_secret_value(),
            "worker": self.worker_secret.get_secret_value(),
        }
