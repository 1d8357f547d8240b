from pydantic import Field

from auth.mfa.constants import CODE_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class EnrolmentRead(CustomModel):
    """For the authenticator app. Shown once: nobody can be shown it again."""

    secret: str = Field(max_length=64, repr=False, description="Base 32, to type where nothing can be scanned.")
    uri: str = Field(max_length=1000, repr=False, description="`otpauth://`, which is also what the picture says.")
    qr_code: str = Field(max_length=20_000, repr=False, description="A picture to scan: an SVG as a `data:` URI.")


class TotpConfirmation(InputModel):
    code: str = Field(min_length=1, max_length=CODE_MAX_LENGTH, repr=False, description="What the app shows now.")
