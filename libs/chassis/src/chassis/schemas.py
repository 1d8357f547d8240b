"""The base models of everything that crosses a boundary."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema, model_validator


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

    model_config = ConfigDict(from_attributes=True, frozen=True)


class InputModel(CustomModel):
    """Base of what clients send: a field that is not known is an error, text holds no NUL (PostgreSQL refuses it)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def refuse_nul(cls, values: object) -> object:
        if isinstance(values, dict):
            for name, value in values.items():
                if isinstance(value, str) and not is_storable(value):
                    raise ValueError(f"{name} holds a character that cannot be stored")
        return values


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL and no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
