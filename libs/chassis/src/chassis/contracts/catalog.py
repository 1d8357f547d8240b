"""All events of the platform in one list; importing it makes them known to every consumer."""

from chassis.contracts.accounts import (
    ConfirmationRequested,
    CreatorActivated,
    ExportCompleted,
    SecurityNoticed,
    UserBanned,
    UserConfirmed,
    UserDeleted,
    UserRegistered,
    UserUnbanned,
    UserUpdated,
)
from chassis.contracts.base import EVENT_TYPES, Event
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed, PostPublished, ReviewCreated

CATALOG: tuple[type[Event], ...] = (
    UserRegistered,
    UserConfirmed,
    CreatorActivated,
    UserUpdated,
    UserBanned,
    UserUnbanned,
    UserDeleted,
    ConfirmationRequested,
    SecurityNoticed,
    ExportCompleted,
    PostPublished,
    CreatorFollowed,
    CreatorUnfollowed,
    ReviewCreated,
)


def get_event_type(name: str, version: int) -> type[Event] | None:
    """The model of an event, None when this process does not know it."""
    return EVENT_TYPES.get((name, version))
