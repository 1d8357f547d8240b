from typing import Annotated, Any

from pydantic import AfterValidator, EmailStr, Field

from auth.accounts.constants import EMAIL_MAX_LENGTH, Role
from auth.accounts.utils import normalize_email
from auth.profiles.constants import LANGUAGE_MAX_LENGTH, TIME_ZONE_MAX_LENGTH
from auth.profiles.schemas import Bio, Language, Name, ProfileRead, TimeZone, Username, Website
from chassis.schemas import InputModel, UtcDatetime

Email = Annotated[EmailStr, Field(max_length=EMAIL_MAX_LENGTH), AfterValidator(normalize_email)]


class ProfileMe(ProfileRead):
    """What one sees of oneself."""

    email: str = Field(max_length=EMAIL_MAX_LENGTH)
    is_confirmed: bool
    roles: list[Role] = Field(max_length=len(Role))
    language: str | None = Field(max_length=LANGUAGE_MAX_LENGTH)
    time_zone: str | None = Field(max_length=TIME_ZONE_MAX_LENGTH)
    updated_at: UtcDatetime


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default")


def _optional() -> Any:
    """May be left out, but not be null: the default is what no client can send."""
    return Field(default="", json_schema_extra=_drop_default)


class ProfileUpdate(InputModel):
    """What is left out stays as it is; `null` empties a field that may be empty."""

    username: Username = _optional()
    first_name: Name = _optional()
    last_name: Name = _optional()
    bio: Bio | None = None
    website: Website | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None
