from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.config import BaseConfig

DOMAIN = r"^([a-z0-9-]+\.)*[a-z][a-z0-9-]*$"
WEB_ORIGINS = ("https://", "http://")
APP_ORIGIN = "android:apk-key-hash:"


class PasskeyConfig(BaseConfig):
    """What passkeys are bound to, beside what PUBLIC_URL says. Those of another `rp_id` do not work any more."""

    model_config = SettingsConfigDict(env_prefix="PASSKEYS_")

    rp_id: str | None = Field(default=None, max_length=253, pattern=DOMAIN, description="None: the host of PUBLIC_URL.")
    rp_name: str = Field(default="Broadsheet", min_length=1, max_length=60)
    origins: str = Field(default="", max_length=2000, description="More of them, with commas between.")

    @field_validator("rp_id", mode="before")
    @classmethod
    def take_empty_as_none(cls, value: object) -> object:
        return value or None

    @field_validator("origins")
    @classmethod
    def check_origins(cls, value: str) -> str:
        for origin in split_origins(value):
            if not origin.startswith((*WEB_ORIGINS, APP_ORIGIN)) or origin.endswith("/"):
                raise ValueError(f"{origin} is no origin, such as https://app.example.org or {APP_ORIGIN}…")
        return value

    @property
    def more_origins(self) -> list[str]:
        return split_origins(self.origins)


def split_origins(text: str) -> list[str]:
    return [origin for part in text.split(",") if (origin := part.strip())]
