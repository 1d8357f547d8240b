from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel, UtcDatetime


class TokenData(CustomModel):
    """What every verified access token says."""

    token_id: str = Field(min_length=1, max_length=200)
    scopes: frozenset[str]
    issued_at: UtcDatetime
    expires_at: UtcDatetime


class JWTData(TokenData):
    """A person's token."""

    user_id: UUID
    session_id: UUID | None


class ServiceJWTData(TokenData):
    """A service's token. A type of its own, so that the two cannot be mistaken for one another in code either."""

    client_id: str = Field(max_length=64, pattern="^[a-z][a-z0-9-]*$")
