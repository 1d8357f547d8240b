import re
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, HttpUrl, TypeAdapter
from pydantic_core import PydanticCustomError

from auth.apps.constants import (
    MAX_REDIRECT_URIS,
    MAX_SCOPES,
    NAME_MAX_LENGTH,
    REDIRECT_URI_MAX_LENGTH,
    SCOPE_MAX_LENGTH,
    WEBSITE_MAX_LENGTH,
)
from auth.clients.constants import DELEGABLE_SCOPES
from chassis.schemas import CustomModel, InputModel, UtcDatetime

_URI = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]+")
_WEB_URI = re.compile(r"https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?([/?].*)?")
_LOOPBACK_URI = re.compile(r"http://(127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?([/?].*)?")
_PRIVATE_URI = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:.*")
_WEB: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


def check_redirect_uri(uri: str) -> str:
    """RFC 6749, 3.1.2, RFC 8252 and RFC 9700: HTTPS, or of an app on the person's own machine.

    Such a one is reached at a loopback address, whose port it may choose each time, or by a scheme of its own, which is
    a domain of its maker backwards.
    """
    if not _URI.fullmatch(uri):
        raise PydanticCustomError("uri_malformed", "holds a character that no URI without fragment holds")
    if not any(pattern.fullmatch(uri) for pattern in (_WEB_URI, _LOOPBACK_URI, _PRIVATE_URI)):
        raise PydanticCustomError(
            "redirect_uri_unsafe",
            "must be https://, http://127.0.0.1 or http://[::1], or a scheme such as com.example.app",
        )
    return uri


def check_scope(scope: str) -> str:
    if scope not in DELEGABLE_SCOPES:
        raise PydanticCustomError("scope_unknown", "is nothing that a person can let an app do")
    return scope


def check_website(website: str) -> str:
    _WEB.validate_python(website)
    return website


RedirectUri = Annotated[str, Field(max_length=REDIRECT_URI_MAX_LENGTH), AfterValidator(check_redirect_uri)]
Scope = Annotated[str, Field(max_length=SCOPE_MAX_LENGTH), AfterValidator(check_scope)]
Website = Annotated[str, Field(max_length=WEBSITE_MAX_LENGTH), AfterValidator(check_website)]


class AppUpdate(InputModel):
    """All of it, as it shall be."""

    name: str = Field(min_length=1, max_length=NAME_MAX_LENGTH, description="As people see it where they let it in.")
    website: Website | None
    redirect_uris: list[RedirectUri] = Field(
        min_length=1, max_length=MAX_REDIRECT_URIS, description="Compared to the letter, but for a loopback's port."
    )
    scopes: list[Scope] = Field(min_length=1, max_length=MAX_SCOPES, description="All that it may ever ask for.")


class AppCreate(AppUpdate):
    is_confidential: bool = Field(description="Whether it runs where it can keep a secret: on a server.")


class AppRead(CustomModel):
    """An app of somebody else."""

    client_id: UUID
    name: str = Field(max_length=NAME_MAX_LENGTH)
    website: str | None = Field(max_length=WEBSITE_MAX_LENGTH)
    redirect_uris: list[str] = Field(max_length=MAX_REDIRECT_URIS)
    scopes: list[str] = Field(max_length=MAX_SCOPES)
    is_confidential: bool
    created_at: UtcDatetime
    updated_at: UtcDatetime


class AppCreated(CustomModel):
    """What its makers configure."""

    client_id: UUID
    client_secret: str | None = Field(max_length=100, repr=False, description="Shown once; null for a public client.")


class AppSecretRead(CustomModel):
    client_secret: str = Field(max_length=100, repr=False, description="Shown once; the former one is worth nothing.")


@dataclass(frozen=True, slots=True)
class RegisteredApp:
    """As it is passed around."""

    id: UUID
    name: str
    website: str | None
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]
    secret_digest: bytes | None = field(repr=False)

    @property
    def client_id(self) -> str:
        return str(self.id)

    @property
    def is_confidential(self) -> bool:
        return self.secret_digest is not None
