from pydantic import Field

from chassis.schemas import CustomModel, UtcDatetime


class Confirmation(CustomModel):
    """What auth tells about one confirmation, as far as the mail needs it."""

    token: str = Field(min_length=16, max_length=500, pattern="^[A-Za-z0-9_=-]+$", repr=False)
    expires_at: UtcDatetime
