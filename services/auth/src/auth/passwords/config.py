from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from auth.passwords.constants import CONTAINED_MIN_LENGTH, PASSWORD_MIN_LENGTH
from chassis.config import BaseConfig

MAX_SCORE = 4


class PasswordRulesConfig(BaseConfig):
    """What is asked of new passwords beyond the default; those that are in use go on working."""

    model_config = SettingsConfigDict(env_prefix="PASSWORDS_")

    min_length: int = Field(default=PASSWORD_MIN_LENGTH, ge=PASSWORD_MIN_LENGTH, le=64)
    # As zxcvbn scores: 0 takes all; 2 and 3 leave nothing to who guesses here, 4 little to who has the hash.
    min_score: int = Field(default=0, ge=0, le=MAX_SCORE)
    context_words: str = Field(default="broadsheet", max_length=2000, description="With commas between.")

    @field_validator("context_words")
    @classmethod
    def check_words(cls, value: str) -> str:
        short = [word for word in split_words(value) if len(word) < CONTAINED_MIN_LENGTH]
        if short:
            raise ValueError(
                f"{short[0]} is shorter than {CONTAINED_MIN_LENGTH} characters, as is much in good passwords"
            )
        return value

    @property
    def forbidden_words(self) -> list[str]:
        return split_words(self.context_words)


def split_words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip().casefold())]


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
