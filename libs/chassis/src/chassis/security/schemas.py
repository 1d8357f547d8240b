from functools import cached_property
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, UtcDatetime
from chassis.security.constants import FIRST_PARTY_CLIENT


class TokenData(CustomModel):
    """What every verified access token says."""

    token_id: str = Field(min_length=1, max_length=200)
    key_id: str = Field(min_length=1, max_length=100, description="Of the key that signed it.")
    scopes: frozenset[str]
    issued_at: UtcDatetime
    expires_at: UtcDatetime


class JWTData(TokenData):
    """A person's token."""

    user_id: UUID
    session_id: UUID
    client_id: str = Field(max_length=64)
    authenticated_at: UtcDatetime
    amr: tuple[str, ...] = Field(max_length=10)
    acr: str = Field(max_length=10)

    @cached_property
    def session_key(self) -> str:
        """As revocations name it. Made once a token, not once a request."""
        return str(self.session_id)

    @property
    def is_first_party(self) -> bool:
        """Whether the person uses an app of ours, which may do all that they may."""
        return self.client_id == FIRST_PARTY_CLIENT


class ServiceJWTData(TokenData):
    """A service's token. A type of its own, so that the two cannot be mistaken for one another in code either."""

    client_id: str = Field(max_length=64, pattern="^[a-z][a-z0-9-]*$")
