"""What goes over the wire, and what is passed around while a second factor is asked for."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from auth.limits.service import Bucket
from auth.mfa.constants import MAX_FACTORS, NAME_MAX_LENGTH, RECOVERY_CODES, Method
from auth.sessions.service import DeviceInfo
from chassis.schemas import CustomModel, UtcDatetime


class FactorRead(CustomModel):
    """A second factor of one's own."""

    id: UUID
    method: Method
    name: str | None = Field(max_length=NAME_MAX_LENGTH)
    created_at: UtcDatetime
    used_at: UtcDatetime = Field(description="When it was last shown.")


class MfaRead(CustomModel):
    """What a login to one's account asks for beside the password."""

    is_on: bool
    factors: list[FactorRead] = Field(max_length=MAX_FACTORS)
    recovery_codes_left: int = Field(ge=0, le=RECOVERY_CODES)


class RecoveryCodesRead(CustomModel):
    """Shown once; each works once, in place of a second factor that is lost."""

    recovery_codes: list[str] = Field(
        max_length=RECOVERY_CODES, repr=False, description="Empty where the account has some already."
    )


class Proof(Protocol):
    """A second factor that somebody shows. Each kind knows how to check itself."""

    @property
    def method(self) -> Method: ...

    @property
    def amr(self) -> tuple[str, ...]:
        """What a session says of it (RFC 8176)."""

    async def use(self, session: AsyncSession, profile_id: UUID) -> bool:
        """Whether it holds. If so it is used up, by one statement: of two at once one is late."""


@dataclass(frozen=True, slots=True)
class Prover:
    """Who is to show a second factor, and from where."""

    profile_id: UUID
    bucket: Bucket
    address_key: str = field(repr=False)
    device: DeviceInfo


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that is counted already, so that many at once are no way round the limits."""

    prover: Prover
    is_last: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a login with the right password is answered with."""

    mfa_token: str = field(repr=False)
    methods: list[Method]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What such an answer stands for."""

    profile_id: UUID
    password_digest: bytes = field(repr=False)
    is_on_known_device: bool

    def is_for(self, password_hash: str) -> bool:
        return secrets.compare_digest(self.password_digest, digest_password_hash(password_hash))


def digest_password_hash(password_hash: str) -> bytes:
    return hashlib.sha256(password_hash.encode()).digest()


@dataclass(frozen=True, slots=True)
class AddedFactor:
    """Its id, and the recovery codes that come with the first factor; nobody can be shown them again."""

    id: UUID
    recovery_codes: list[str] = field(repr=False)
