"""Authenticator apps: a secret that is shown once, confirmed by a first code, and good for a login each half minute."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.models import Account
from auth.limits.service import RateLimiter
from auth.mfa import service as mfa
from auth.mfa.constants import Method
from auth.mfa.exceptions import SecondFactorWrongError
from auth.mfa.models import Factor
from auth.mfa.schemas import Attempt, Proof
from auth.mfa.service import RecoveryCodeProof
from auth.mfa.utils import RecoveryCodeDigester
from auth.totp.constants import ENROLMENT_LIFETIME, PRUNE_ENROLMENTS
from auth.totp.exceptions import EnrolmentMissingError
from auth.totp.models import TotpEnrolment, TotpSecret
from auth.totp.schemas import EnrolmentRead
from auth.totp.utils import TotpBox, build_uri, draw_qr_code, is_totp_code


@dataclass(frozen=True, slots=True)
class CodeTools:
    """What a code that somebody types is checked with."""

    box: TotpBox
    digester: RecoveryCodeDigester

    def parse_code(self, code: str) -> Proof:
        """Six digits are of an app; all else is, if anything, a recovery code."""
        digits = code.replace(" ", "")
        return TotpProof(self.box, digits) if is_totp_code(digits) else RecoveryCodeProof(self.digester, code)


@dataclass(frozen=True, slots=True)
class TotpProof:
    box: TotpBox
    code: str = field(repr=False)
    method: Method = Method.TOTP
    amr: tuple[str, ...] = ("otp",)

    async def use(self, session: AsyncSession, profile_id: UUID) -> bool:
        query = select(TotpSecret).join(Factor, Factor.id == TotpSecret.factor_id)
        own = (await session.scalars(query.where(Factor.profile_id == profile_id))).one_or_none()
        step = None if own is None else self.box.find_step(own.encrypted_secret, self.code)
        if own is None or step is None:
            return False
        spend = (
            update(TotpSecret)
            .where(TotpSecret.factor_id == own.factor_id, TotpSecret.last_step < step)
            .values(last_step=step)
            .returning(TotpSecret.factor_id)
        )
        if (await session.scalars(spend)).one_or_none() is None:
            return False
        await session.execute(update(Factor).where(Factor.id == own.factor_id).values(used_at=func.now()))
        return True


@dataclass(frozen=True, slots=True)
class EnrolmentProof:
    """The first code of an app, if it is one."""

    step: int | None
    method: Method = Method.TOTP
    amr: tuple[str, ...] = ("otp",)

    async def use(self, session: AsyncSession, profile_id: UUID) -> bool:
        if self.step is None:
            return False
        await session.execute(delete(TotpEnrolment).where(TotpEnrolment.profile_id == profile_id))
        return True


async def create_enrolment(session: AsyncSession, box: TotpBox, account: Account, issuer: str) -> EnrolmentRead:
    """A new secret, in place of one that still waits. Nothing else changes until its first code."""
    secret, encrypted = box.create_secret()
    statement = insert(TotpEnrolment).values(profile_id=account.profile_id, encrypted_secret=encrypted)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[TotpEnrolment.profile_id], set_={"encrypted_secret": encrypted, "created_at": func.now()}
        )
    )
    uri = build_uri(secret, account.email, issuer)
    return EnrolmentRead(secret=secret, uri=uri, qr_code=draw_qr_code(uri))


async def confirm_enrolment(
    session: AsyncSession, limiter: RateLimiter, tools: CodeTools, account: Account, attempt: Attempt, code: str
) -> list[str]:
    """The recovery codes that come with a first factor. Raises EnrolmentMissingError, SecondFactorWrongError."""
    encrypted = await session.scalar(
        select(TotpEnrolment.encrypted_secret).where(
            TotpEnrolment.profile_id == account.profile_id,
            TotpEnrolment.created_at > func.now() - ENROLMENT_LIFETIME,
        )
    )
    if encrypted is None:
        raise EnrolmentMissingError
    step = tools.box.find_step(encrypted, code.replace(" ", ""))
    if not await mfa.check_proof(session, limiter, attempt, EnrolmentProof(step)) or step is None:
        raise SecondFactorWrongError
    # Of two apps the newer takes the place of the older, and there is no moment without either.
    former = delete(Factor).where(Factor.profile_id == account.profile_id, Factor.method == Method.TOTP)
    await session.execute(former)
    added = await mfa.add_factor(session, tools.digester, account, Method.TOTP)
    session.add(TotpSecret(factor_id=added.id, encrypted_secret=encrypted, last_step=step))
    await session.flush()
    return added.recovery_codes


async def delete_old_enrolments(session: AsyncSession) -> int:
    """Some of those that nobody confirmed in time; how many."""
    over = (
        select(TotpEnrolment.profile_id)
        .where(TotpEnrolment.created_at < func.now() - ENROLMENT_LIFETIME)
        .limit(PRUNE_ENROLMENTS)
        .with_for_update(skip_locked=True)
    )
    statement = delete(TotpEnrolment).where(TotpEnrolment.profile_id.in_(over)).returning(TotpEnrolment.profile_id)
    return len((await session.scalars(statement)).all())
