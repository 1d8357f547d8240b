"""Settings of the worker's processes. The queues' own (mail) stand beside their tasks."""

from pydantic import Field, HttpUrl, SecretStr

from chassis.config import BaseConfig


class WorkerConfig(BaseConfig):
    """The broker holds hints only; its address may hold a password."""

    redis_url: SecretStr
    worker_drain_seconds: float = Field(
        default=20.0, ge=0, le=120, description="How long a busy worker finishes its tasks after SIGTERM."
    )


class OwnersConfig(BaseConfig):
    """Where the services are that own the jobs, and auth, which gives the token to call them with."""

    auth_url: HttpUrl
    posts_url: HttpUrl
    notifications_url: HttpUrl


class LogConfig(BaseConfig):
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    log_format: str = Field(default="json", pattern="^(json|console)$")


class MetricsConfig(BaseConfig):
    """Prometheus metrics of a worker are served only where a port is set."""

    metrics_host: str = Field(default="127.0.0.1", max_length=255)
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
