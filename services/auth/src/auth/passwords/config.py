from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig


class HashingConfig(BaseConfig):
    """argon2id as OWASP advises. Existing hashes are renewed at the next login when the parameters change."""

    model_config = SettingsConfigDict(env_prefix="HASHING_")

    memory_kib: int = Field(default=19_456, ge=8, le=4_194_304)
    time_cost: int = Field(default=2, ge=1, le=100)
    parallelism: int = Field(default=1, ge=1, le=16)
    # Two slots, measured: plain reads stay within 3 times their idle p99 while logins saturate the machine.
    threads: int = Field(default=2, ge=1, le=64)
    # At 32 ms each in two threads the last in the queue waits about a second.
    queue_size: int = Field(default=60, ge=1, le=10_000)
