from pydantic import Field

from auth.confirmations.constants import TOKEN_MAX_LENGTH, TOKEN_PATTERN
from chassis.schemas import CustomModel, InputModel, UtcDatetime


class ConfirmationUse(InputModel):
    token: str = Field(max_length=TOKEN_MAX_LENGTH, pattern=TOKEN_PATTERN, repr=False)


class ConfirmationForm(InputModel):
    """The page's form. Whatever comes, a person waits for a page: its token is not checked for its shape."""

    token: str = Field(default="", max_length=TOKEN_MAX_LENGTH, repr=False)


class ConfirmationRead(CustomModel):
    """What the mail needs."""

    token: str = Field(max_length=TOKEN_MAX_LENGTH, repr=False)
    expires_at: UtcDatetime
