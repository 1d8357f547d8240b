from typing import Annotated

from pydantic import AfterValidator, EmailStr, Field

from auth.accounts.constants import EMAIL_MAX_LENGTH
from auth.accounts.utils import normalize_email
from auth.profiles.schemas import ProfileRead
from chassis.schemas import UtcDatetime

Email = Annotated[EmailStr, Field(max_length=EMAIL_MAX_LENGTH), AfterValidator(normalize_email)]


class ProfileMe(ProfileRead):
    """What one sees of oneself."""

    email: str = Field(max_length=EMAIL_MAX_LENGTH)
    is_confirmed: bool
    updated_at: UtcDatetime
