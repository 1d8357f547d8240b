"""What every event has, and the envelope it travels in."""

import re
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, UtcDatetime

EVENT_NAME = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")

EVENT_TYPES: dict[tuple[str, int], "type[Event]"] = {}
"""Every declared event by type and version."""


class Event(CustomModel):
    """Base of all events. Frozen history: a field may be added with a default, anything else is a new `version`.

    A subclass sets `type` (`noun.past_tense`), and `version` from 2 on; it must not subclass another event.
    """

    type: ClassVar[str]
    version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        if not EVENT_NAME.fullmatch(cls.type):
            raise TypeError(f"{cls.__name__}.type must read noun.past_tense, not {cls.type!r}")
        known = EVENT_TYPES.setdefault((cls.type, cls.version), cls)
        if known is not cls:
            raise TypeError(f"{cls.type} version {cls.version} is declared twice: {known.__name__}, {cls.__name__}")


class EventEnvelope(CustomModel):
    """An event as a feed delivers it. `cursor` is its place in the feed: ask for what comes after."""

    event_id: UUID
    type: str = Field(max_length=100)
    version: int
    aggregate_id: UUID
    aggregate_seq: int
    payload: dict[str, Any]
    traceparent: str | None = Field(max_length=55)
    created_at: UtcDatetime
    cursor: str = Field(max_length=40)
