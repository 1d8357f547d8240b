import unicodedata
from typing import Annotated
from uuid import UUID

import langcodes
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from auth.profiles.constants import (
    BIO_MAX_LENGTH,
    BIO_PATTERN,
    LANGUAGE_MAX_LENGTH,
    LANGUAGE_PATTERN,
    NAME_MAX_LENGTH,
    NAME_PATTERN,
    RESERVED_USERNAMES,
    TIME_ZONE_MAX_LENGTH,
    TIME_ZONES,
    URL_MAX_LENGTH,
    USERNAME_PATTERN,
    WEBSITE_MAX_LENGTH,
)
from chassis.schemas import CustomModel, UtcDatetime

_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_VISIBLE_CATEGORIES = frozenset("LNPS")


def normalize_text(value: object) -> object:
    """One form of what looks the same, and one kind of line end; before its length is measured."""
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n")) if isinstance(value, str) else value


def refuse_invisible(name: str) -> str:
    if not any(unicodedata.category(character)[0] in _VISIBLE_CATEGORIES for character in name):
        raise PydanticCustomError("name_invisible", "At least one character must be visible")
    return name


def refuse_reserved_name(username: str) -> str:
    if username.lower() in RESERVED_USERNAMES:
        raise PydanticCustomError("username_reserved", "This username is reserved")
    return username


def normalize_website(website: str) -> str:
    """As a browser would spell it. No user or password in it: with them a link says another host than it leads to."""
    try:
        url = _URL.validate_python(website)
    except ValidationError as error:
        raise PydanticCustomError("website_invalid", "Must be a URL that begins with http:// or https://") from error
    if url.username is not None or url.password is not None:
        raise PydanticCustomError("website_with_credentials", "Must hold neither user nor password")
    if len(str(url)) > WEBSITE_MAX_LENGTH:
        raise PydanticCustomError("website_too_long", "Is too long when written in ASCII")
    return str(url)


def normalize_language(language: str) -> str:
    """BCP 47, in its one spelling: `en-us` is `en-US`."""
    if not langcodes.tag_is_valid(language):
        raise PydanticCustomError("language_unknown", "Must be a language tag of BCP 47, such as en or pt-BR")
    return langcodes.standardize_tag(language)


def refuse_unknown_time_zone(time_zone: str) -> str:
    if time_zone not in TIME_ZONES:
        raise PydanticCustomError("time_zone_unknown", "Must be a name of the IANA database, such as Europe/Berlin")
    return time_zone


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX_LENGTH, pattern=NAME_PATTERN),
    BeforeValidator(normalize_text),
    AfterValidator(refuse_invisible),
]
Bio = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=BIO_MAX_LENGTH, pattern=BIO_PATTERN),
    BeforeValidator(normalize_text),
]
# ASCII alone: so no two names look the same but for case, which does not count, and I and l, O and 0.
Username = Annotated[
    str, Field(pattern=USERNAME_PATTERN, min_length=3, max_length=30), AfterValidator(refuse_reserved_name)
]
Website = Annotated[
    str,
    Field(max_length=WEBSITE_MAX_LENGTH, json_schema_extra={"format": "uri"}, examples=["https://example.org/"]),
    AfterValidator(normalize_website),
]
Language = Annotated[
    str,
    Field(pattern=LANGUAGE_PATTERN, max_length=LANGUAGE_MAX_LENGTH, description="BCP 47.", examples=["pt-BR"]),
    AfterValidator(normalize_language),
]
TimeZone = Annotated[
    str,
    Field(max_length=TIME_ZONE_MAX_LENGTH, description="Of the IANA database.", examples=["Europe/Berlin"]),
    AfterValidator(refuse_unknown_time_zone),
]


class ProfileRead(CustomModel):
    """What everybody sees."""

    id: UUID
    username: str = Field(max_length=30)
    first_name: str = Field(max_length=NAME_MAX_LENGTH)
    last_name: str = Field(max_length=NAME_MAX_LENGTH)
    bio: str | None = Field(max_length=BIO_MAX_LENGTH)
    website: str | None = Field(max_length=WEBSITE_MAX_LENGTH)
    avatar_url: str | None = Field(
        max_length=URL_MAX_LENGTH,
        description="Relative to the address of the platform; with `?size=96` small, else 512 pixels wide and high.",
    )
    is_creator: bool
    created_at: UtcDatetime
