"""What auth tells: the life of profiles."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from chassis.contracts.base import Event
from chassis.schemas import UtcDatetime


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


class UserUpdated(Event):
    """What others show of somebody, or write to, as it is now."""

    type: ClassVar[str] = "user.updated"

    user_id: UUID
    email: str
    username: str
    first_name: str
    last_name: str
    avatar_url: str | None = None
    language: str | None = None
    time_zone: str | None = None


class UserBanned(Event):
    type: ClassVar[str] = "user.banned"

    user_id: UUID


class UserUnbanned(Event):
    type: ClassVar[str] = "user.unbanned"

    user_id: UUID


class UserDeleted(Event):
    """The account is gone for good: whoever keeps something about it forgets the person."""

    type: ClassVar[str] = "user.deleted"

    user_id: UUID


class ConfirmationRequested(Event):
    """A mail with a one-time link is to be written, to an address that need not be the account's."""

    type: ClassVar[str] = "confirmation.requested"

    user_id: UUID
    email: str
    first_name: str
    confirmation_id: UUID
    purpose: str


class SecurityNoticed(Event):
    """Something happened to an account that its owner must hear of."""

    type: ClassVar[str] = "security.noticed"

    notice_id: UUID
    user_id: UUID
    kind: str
    details: dict[str, str] = Field(default_factory=dict)
    email: str | None = None
    """Where the notice goes when it is not the account's address of today."""


class ExportCompleted(Event):
    """The archive of somebody's own data can be fetched."""

    type: ClassVar[str] = "export.completed"

    user_id: UUID
    export_id: UUID
    expires_at: UtcDatetime
