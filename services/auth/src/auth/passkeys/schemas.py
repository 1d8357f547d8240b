"""The JSON of WebAuthn level 3: what `parseCreationOptionsFromJSON()` and its like take, and `toJSON()` makes."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field
from webauthn.helpers import base64url_to_bytes

from auth.mfa.constants import MAX_FACTORS, NAME_MAX_LENGTH, RECOVERY_CODES
from auth.passkeys.constants import (
    BASE64URL,
    BLOB_MAX_LENGTH,
    CREDENTIAL_ID_MAX_LENGTH,
    NAME_PATTERN,
)
from chassis.schemas import CustomModel, InputModel, UtcDatetime


def check_decodable(text: str) -> str:
    """Raises ValueError for a length that no bytes have."""
    base64url_to_bytes(text)
    return text


CredentialId = Annotated[
    str, Field(max_length=CREDENTIAL_ID_MAX_LENGTH, pattern=BASE64URL), AfterValidator(check_decodable)
]
Blob = Annotated[str, Field(max_length=BLOB_MAX_LENGTH, pattern=BASE64URL), AfterValidator(check_decodable)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX_LENGTH, pattern=NAME_PATTERN)]
Text = Annotated[str, Field(max_length=300)]


class BrowserModel(InputModel):
    """Browsers add members of their own, and new ones with every year."""

    model_config = ConfigDict(extra="ignore")


class AttestationInput(BrowserModel):
    client_data_json: Blob = Field(alias="clientDataJSON")
    attestation_object: Blob = Field(alias="attestationObject")


class AssertionAnswerInput(BrowserModel):
    client_data_json: Blob = Field(alias="clientDataJSON")
    authenticator_data: Blob = Field(alias="authenticatorData")
    signature: Blob
    user_handle: Blob | None = Field(default=None, alias="userHandle")


class CredentialInput(BrowserModel):
    id: CredentialId
    raw_id: CredentialId = Field(alias="rawId")
    type: Literal["public-key"]

    def to_credential(self) -> dict[str, Any]:
        """As py_webauthn takes it."""
        return self.model_dump(by_alias=True)


class RegistrationInput(CredentialInput):
    """`toJSON()` of what `navigator.credentials.create()` gave."""

    response: AttestationInput


class AssertionInput(CredentialInput):
    """`toJSON()` of what `navigator.credentials.get()` gave."""

    response: AssertionAnswerInput

    @property
    def credential_id(self) -> bytes:
        return base64url_to_bytes(self.raw_id)

    @property
    def user_handle(self) -> bytes:
        """Whose the authenticator says it is."""
        return base64url_to_bytes(self.response.user_handle or "")


class PasskeyCreate(InputModel):
    name: Name | None = Field(default=None, description="To know it again by, in the list.")
    credential: RegistrationInput


class PasskeyUpdate(InputModel):
    name: Name | None


class PasskeyRead(CustomModel):
    """A passkey of one's own."""

    id: UUID
    name: str | None = Field(max_length=NAME_MAX_LENGTH)
    is_synced: bool = Field(description="Whether it is kept on several devices, as far as its maker says.")
    created_at: UtcDatetime
    used_at: UtcDatetime = Field(description="When it was last shown.")


class PasskeyAdded(PasskeyRead):
    """A new one."""

    recovery_codes: list[str] = Field(
        max_length=RECOVERY_CODES, repr=False, description="Shown once, with the first second factor; else empty."
    )


class RelyingPartyRead(CustomModel):
    id: Text
    name: Text


class UserEntityRead(CustomModel):
    id: Text = Field(description="Of the account, in base64url.")
    name: Text
    display_name: Text = Field(alias="displayName")


class ParameterRead(CustomModel):
    type: Literal["public-key"]
    alg: int = Field(ge=-65535, le=0)


class DescriptorRead(CustomModel):
    type: Literal["public-key"]
    id: CredentialId


class SelectionRead(CustomModel):
    resident_key: Literal["required"] = Field(alias="residentKey")
    require_resident_key: Literal[True] = Field(alias="requireResidentKey")
    user_verification: Literal["required"] = Field(alias="userVerification")


class RegistrationOptionsRead(CustomModel):
    """`PublicKeyCredentialCreationOptionsJSON`."""

    rp: RelyingPartyRead
    user: UserEntityRead
    challenge: Text
    parameters: list[ParameterRead] = Field(max_length=10, alias="pubKeyCredParams")
    timeout: int = Field(ge=0, le=3_600_000, description="In milliseconds.")
    excluded: list[DescriptorRead] = Field(max_length=MAX_FACTORS, alias="excludeCredentials")
    selection: SelectionRead = Field(alias="authenticatorSelection")
    attestation: Literal["none"]


class AuthenticationOptionsRead(CustomModel):
    """`PublicKeyCredentialRequestOptionsJSON`: for whichever passkey somebody chooses."""

    challenge: Text
    timeout: int = Field(ge=0, le=3_600_000, description="In milliseconds.")
    rp_id: Text = Field(alias="rpId")
    allowed: list[DescriptorRead] = Field(max_length=0, alias="allowCredentials")
    user_verification: Literal["required"] = Field(alias="userVerification")
