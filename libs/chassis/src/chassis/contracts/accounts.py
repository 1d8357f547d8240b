"""What auth tells: the life of profiles."""

from typing import ClassVar
from uuid import UUID

from chassis.contracts.base import Event


class UserRegistered(Event):
    """Somebody signed up. The confirmation's token is not in here: it is asked for when the mail is written."""

    type: ClassVar[str] = "user.registered"

    user_id: UUID
    email: str
    username: str
    first_name: str
    last_name: str
    confirmation_id: UUID


class UserConfirmed(Event):
    type: ClassVar[str] = "user.confirmed"

    user_id: UUID


class CreatorActivated(Event):
    type: ClassVar[str] = "creator.activated"

    user_id: UUID
    username: str
    first_name: str
    last_name: str
