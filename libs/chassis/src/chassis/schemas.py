"""The base models of everything that crosses a boundary."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema, field_validator


def format_datetime(value: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as PostgreSQL writes it in hot reads (`rfc3339`)."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


UtcDatetime = Annotated[
    AwareDatetime,
    PlainSerializer(format_datetime, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in time: naive values are refused on the way in, and leave as UTC in one format."""


class CustomModel(BaseModel):
    """Base of every schema. Declare moments as `UtcDatetime`."""

    # The text of a ValidationError ends up in logs, where no input belongs.
    model_config = ConfigDict(from_attributes=True, frozen=True, hide_input_in_errors=True)


class InputModel(CustomModel):
    """Base of what clients send: a field that is not known is an error, text holds no NUL (PostgreSQL refuses it)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def refuse_unstorable(cls, value: object) -> object:
        if isinstance(value, str) and not is_storable(value):
            raise ValueError("holds a character that cannot be stored")
        return value


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL and no lone surrogate."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False
