from enum import StrEnum
from uuid import UUID

from pydantic import Field

from auth.accounts.constants import EMAIL_MAX_LENGTH, Role
from auth.admin.constants import REASON_MAX_LENGTH
from auth.profiles.constants import NAME_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel, UtcDatetime


class UserState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    ACTIVE = "active"
    BANNED = "banned"


class UserRead(CustomModel):
    """An account as staff see it."""

    id: UUID
    username: str = Field(max_length=30)
    first_name: str = Field(max_length=NAME_MAX_LENGTH)
    last_name: str = Field(max_length=NAME_MAX_LENGTH)
    email: str = Field(max_length=EMAIL_MAX_LENGTH)
    is_active: bool = Field(description="Confirmed, and not banned.")
    is_creator: bool
    roles: list[Role] = Field(max_length=len(Role))
    confirmed_at: UtcDatetime | None
    banned_at: UtcDatetime | None
    ban_reason: str | None = Field(max_length=REASON_MAX_LENGTH)
    created_at: UtcDatetime


class BanInput(InputModel):
    reason: str = Field(min_length=1, max_length=REASON_MAX_LENGTH, description="For the record; the user is not told.")


class FactorsReset(InputModel):
    reason: str = Field(
        min_length=1, max_length=REASON_MAX_LENGTH, description="How the user was recognised, for the record."
    )


class DeletionInput(InputModel):
    """The reason outlives the account in the audit log: it must name nobody."""

    reason: str = Field(
        min_length=1, max_length=REASON_MAX_LENGTH, description="For the record, which is kept: without personal data."
    )


class RolesUpdate(InputModel):
    roles: list[Role] = Field(max_length=len(Role), description="All that the user has from now on.")
