"""The one place that decides on second factors: who needs one, by which methods, and whether what is shown is one.

Other features bring kinds of proof (`Proof`), and keep what they check them with under a factor that is kept here.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.models import Account
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.devices.service import ThisDevice
from auth.devices.utils import describe_device
from auth.limits.constants import LimitRule
from auth.limits.service import RateLimiter
from auth.limits.utils import account_key
from auth.mfa.constants import CHALLENGE_LIFETIME, MAX_FACTORS, PRUNE_CHALLENGES, Method
from auth.mfa.exceptions import FactorNotFoundError, FactorsTooManyError, SecondFactorOffError
from auth.mfa.models import Factor, MfaChallenge, RecoveryCode
from auth.mfa.queries import CHALLENGE, MFA, SECOND_FACTORS
from auth.mfa.schemas import AddedFactor, Asked, Attempt, Challenge, Proof, Prover, digest_password_hash
from auth.mfa.utils import RecoveryCodeDigester, create_recovery_codes
from auth.sessions.service import DeviceInfo
from auth.sessions.utils import compute_digest
from chassis.database.queries import Reader
from chassis.logs import get_logger

logger = get_logger(__name__)


async def ask(
    session: AsyncSession,
    profile_id: UUID,
    second_factors: Collection[str],
    password_hash: str,
    device: ThisDevice,
    *,
    is_on_known_device: bool,
) -> Asked:
    """After the password. The token works on this device alone, once, and while the password is the same."""
    token = secrets.token_urlsafe(32)
    session.add(
        MfaChallenge(
            digest=compute_digest(token),
            profile_id=profile_id,
            device_id=device.id,
            password_digest=digest_password_hash(password_hash),
            is_on_known_device=is_on_known_device,
            expires_at=func.now() + CHALLENGE_LIFETIME,
        )
    )
    details = {"device": describe_device(device.info.user_agent)}
    await record(session, AuditAction.FACTOR_ASKED, subject_id=profile_id, address=device.info.address, details=details)
    return Asked(token, await list_methods(session, profile_id, second_factors))


async def list_methods(session: AsyncSession, profile_id: UUID, second_factors: Collection[str]) -> list[Method]:
    """By which the account can show a second factor now; none where it has none."""
    if not second_factors:
        return []
    methods = [Method(name) for name in second_factors]
    has_codes = await session.scalar(select(exists().where(RecoveryCode.profile_id == profile_id)))
    return [*methods, Method.RECOVERY_CODE] if has_codes else methods


async def find_challenge(reader: Reader, mfa_token: str, device: ThisDevice) -> Challenge | None:
    """None for one that is over, spent, unknown, or another device's."""
    row = await reader.fetch_row(CHALLENGE, digest=compute_digest(mfa_token))
    if row is None or row["device_id"] != device.id:
        return None
    return Challenge(row["profile_id"], row["password_digest"], row["is_on_known_device"])


async def spend_challenge(session: AsyncSession, mfa_token: str) -> bool:
    """Whether it was still there."""
    statement = delete(MfaChallenge).where(
        MfaChallenge.digest == compute_digest(mfa_token), MfaChallenge.expires_at > func.now()
    )
    return (await session.scalars(statement.returning(MfaChallenge.digest))).one_or_none() is not None


def create_login_prover(challenge: Challenge, device: ThisDevice, address_key: str) -> Prover:
    """Who stole a password is kept from guessing, and does not keep the owner's devices from logging in."""
    key = account_key(challenge.profile_id)
    if challenge.is_on_known_device:
        key = f"device:{device.id}:{challenge.profile_id}"
    return Prover(challenge.profile_id, (LimitRule.SECOND_FACTOR, key), address_key, device.info)


def create_own_prover(profile_id: UUID, device: DeviceInfo, address_key: str) -> Prover:
    """Of somebody who is logged in: whom those who are not cannot use up anything for."""
    return Prover(profile_id, (LimitRule.SECOND_FACTOR, f"own:{profile_id}"), address_key, device)


async def begin_attempt(limiter: RateLimiter, prover: Prover) -> Attempt:
    """Before anything is held. Raises LimitedError."""
    state = await limiter.check_all([prover.bucket, (LimitRule.TOKEN, prover.address_key)])
    return Attempt(prover, is_last=state.rule is LimitRule.SECOND_FACTOR and state.remaining == 0)


async def check_proof(session: AsyncSession, limiter: RateLimiter, attempt: Attempt, proof: Proof) -> bool:
    """Whether it holds; the caller holds the account. What does not is recorded, and must be kept."""
    prover = attempt.prover
    if await proof.use(session, prover.profile_id):
        # Only what fails counts.
        await limiter.give_back(*prover.bucket)
        await limiter.give_back(LimitRule.TOKEN, prover.address_key)
        return True
    logger.info("second_factor_refused", user_id=str(prover.profile_id), method=proof.method.value)
    device = {"device": describe_device(prover.device.user_agent)}
    await record(
        session,
        AuditAction.FACTOR_REFUSED,
        subject_id=prover.profile_id,
        address=prover.device.address,
        details=device | {"method": proof.method.value},
    )
    if attempt.is_last:
        details = device | {"address": prover.device.address or ""}
        await accounts.notify_owner(session, prover.profile_id, NoticeKind.SECOND_FACTOR_FAILED, details)
    return False


@dataclass(frozen=True, slots=True)
class RecoveryCodeProof:
    digester: RecoveryCodeDigester
    code: str = field(repr=False)
    method: Method = Method.RECOVERY_CODE
    amr: tuple[str, ...] = ("otp",)

    async def use(self, session: AsyncSession, profile_id: UUID) -> bool:
        statement = delete(RecoveryCode).where(
            RecoveryCode.profile_id == profile_id, RecoveryCode.digest == self.digester.compute_digest(self.code)
        )
        if (await session.scalars(statement.returning(RecoveryCode.digest))).one_or_none() is None:
            return False
        await accounts.notify_owner(session, profile_id, NoticeKind.RECOVERY_CODE_USED)
        await record(session, AuditAction.RECOVERY_CODE_USED, subject_id=profile_id)
        return True


async def add_factor(
    session: AsyncSession, digester: RecoveryCodeDigester, account: Account, method: Method, *, name: str | None = None
) -> AddedFactor:
    """Logins ask for it from now on. The account is locked. Raises FactorsTooManyError."""
    is_first = not account.second_factors
    factor = Factor(profile_id=account.profile_id, method=method, name=name)
    session.add(factor)
    await session.flush()
    if await _count_methods(session, account) > MAX_FACTORS:
        raise FactorsTooManyError
    details = {"factor": method.value}
    await accounts.notify_owner(session, account.profile_id, NoticeKind.SECOND_FACTOR_ADDED, details)
    await record(session, AuditAction.FACTOR_ADDED, subject_id=account.profile_id, details=details)
    return AddedFactor(factor.id, await _replace_recovery_codes(session, digester, account) if is_first else [])


async def remove_factor(session: AsyncSession, account: Account, factor_id: UUID) -> None:
    """With what its feature keeps of it. The account is locked. Raises FactorNotFoundError."""
    own = delete(Factor).where(Factor.id == factor_id, Factor.profile_id == account.profile_id)
    method = (await session.scalars(own.returning(Factor.method))).one_or_none()
    if method is None:
        raise FactorNotFoundError
    if await _count_methods(session, account) == 0:
        # They stand in for a factor, and there is none any more.
        await session.execute(delete(RecoveryCode).where(RecoveryCode.profile_id == account.profile_id))
    details = {"factor": method}
    await accounts.notify_owner(session, account.profile_id, NoticeKind.SECOND_FACTOR_REMOVED, details)
    await record(session, AuditAction.FACTOR_REMOVED, subject_id=account.profile_id, details=details)


async def remove_all_factors(session: AsyncSession, account: Account) -> None:
    """Of whatever kind. Whoever asks for it records and tells it. The account is locked."""
    for model in (Factor, RecoveryCode, MfaChallenge):
        await session.execute(delete(model).where(model.profile_id == account.profile_id))
    await _count_methods(session, account)


async def _count_methods(session: AsyncSession, account: Account) -> int:
    """How many factors there are; logins ask for the methods that they are of."""
    methods = (await session.scalars(select(Factor.method).where(Factor.profile_id == account.profile_id))).all()
    account.second_factors = sorted(set(methods))
    await session.flush()
    return len(methods)


async def create_new_recovery_codes(
    session: AsyncSession, digester: RecoveryCodeDigester, account: Account
) -> list[str]:
    """In place of all that are left. The account is locked. Raises SecondFactorOffError."""
    if not account.second_factors:
        raise SecondFactorOffError
    codes = await _replace_recovery_codes(session, digester, account)
    await accounts.notify_owner(session, account.profile_id, NoticeKind.RECOVERY_CODES_CREATED)
    return codes


async def _replace_recovery_codes(session: AsyncSession, digester: RecoveryCodeDigester, account: Account) -> list[str]:
    codes = create_recovery_codes()
    await session.execute(delete(RecoveryCode).where(RecoveryCode.profile_id == account.profile_id))
    digests = [digester.compute_digest(code) for code in codes]
    session.add_all(RecoveryCode(profile_id=account.profile_id, digest=digest) for digest in digests)
    await session.flush()
    await record(session, AuditAction.RECOVERY_CODES_CREATED, subject_id=account.profile_id)
    return codes


async def has_second_factor(reader: Reader, profile_id: UUID) -> bool:
    row = await reader.fetch_row(SECOND_FACTORS, profile_id=profile_id)
    return row is not None and bool(row["second_factors"])


async def get_document(reader: Reader, profile_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(MFA, profile_id=profile_id)


async def delete_old_challenges(session: AsyncSession) -> int:
    """Some of those that nobody met in time; how many."""
    over = (
        select(MfaChallenge.digest)
        .where(MfaChallenge.expires_at < func.now())
        .limit(PRUNE_CHALLENGES)
        .with_for_update(skip_locked=True)
    )
    statement = delete(MfaChallenge).where(MfaChallenge.digest.in_(over)).returning(MfaChallenge.digest)
    return len((await session.scalars(statement)).all())
