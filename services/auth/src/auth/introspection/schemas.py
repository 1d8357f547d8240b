from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field, SecretStr

from auth.tokens.constants import SCOPE_MAX_LENGTH, SECRET_MAX_LENGTH, TOKEN_MAX_LENGTH
from chassis.schemas import CustomModel, InputModel


class TokenQuestion(InputModel):
    """RFC 7662, 2.1, and RFC 7009, 2.1. What is not known is ignored."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    token: SecretStr = Field(min_length=1, max_length=TOKEN_MAX_LENGTH)
    token_type_hint: str | None = Field(default=None, max_length=100, description="Not needed.")
    client_id: str | None = Field(default=None, max_length=64)
    client_secret: SecretStr | None = Field(default=None, max_length=SECRET_MAX_LENGTH)


class InactiveTokenRead(CustomModel):
    """Nothing of why: it may be no token at all."""

    active: Literal[False]


class ActiveTokenRead(CustomModel):
    """RFC 7662, 2.2."""

    active: Literal[True]
    scope: str = Field(max_length=SCOPE_MAX_LENGTH)
    client_id: str = Field(max_length=64)
    sub: str = Field(max_length=100)
    exp: int
    iat: int | None = None
    iss: str | None = Field(default=None, max_length=200)
    aud: str | None = Field(default=None, max_length=200)
    jti: str | None = Field(default=None, max_length=200)
    token_type: Literal["Bearer"] | None = None
    auth_time: int | None = None
    acr: str | None = Field(default=None, max_length=10)


@dataclass(frozen=True, slots=True)
class KnownClient:
    """Who asks."""

    client_id: str
    is_service: bool
