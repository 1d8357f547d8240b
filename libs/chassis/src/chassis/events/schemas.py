"""What a feed answers: known to who serves one and to who reads one."""

from pydantic import Field

from chassis.contracts.base import EventEnvelope
from chassis.schemas import CustomModel

MAX_EVENTS = 200
MAX_WAIT_SECONDS = 25.0
ANSWER_SECONDS = 0.5
"""Kept of the caller's deadline for the answer itself."""


class FeedPage(CustomModel):
    """Events in order; `next_cursor` is where to go on, also when there were none."""

    items: list[EventEnvelope] = Field(max_length=MAX_EVENTS)
    next_cursor: str = Field(max_length=40)
