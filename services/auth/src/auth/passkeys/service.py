"""Passkeys: added by who is logged in, and shown in place of a password. A challenge is used up, right or wrong."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.registration.verify_registration_response import VerifiedRegistration

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.models import Account
from auth.accounts.service import LoginAccount
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.devices.service import ThisDevice
from auth.devices.utils import describe_device
from auth.limits.constants import LimitRule
from auth.logins.constants import Acr
from auth.logins.service import CheckedLogin, LoginTools, refuse_inactive
from auth.mfa import service as mfa
from auth.mfa.constants import Method
from auth.mfa.models import Factor
from auth.mfa.utils import RecoveryCodeDigester
from auth.passkeys.constants import (
    CHALLENGE_BYTES,
    CHALLENGE_LIFETIME,
    PASSKEY_AMR,
    PASSKEY_LOGIN_AMR,
    PRUNE_CHALLENGES,
)
from auth.passkeys.exceptions import (
    PasskeyInvalidError,
    PasskeyNotFoundError,
    PasskeyRefusedError,
)
from auth.passkeys.models import Passkey, PasskeyChallenge
from auth.passkeys.queries import LIST_PASSKEYS
from auth.passkeys.schemas import (
    AssertionInput,
    AuthenticationOptionsRead,
    PasskeyAdded,
    PasskeyCreate,
    RegistrationInput,
    RegistrationOptionsRead,
)
from auth.passkeys.utils import (
    RelyingParty,
    build_authentication_options,
    build_registration_options,
    compute_challenge_digest,
    read_client_data,
    verify_assertion,
    verify_registration,
)
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.pagination import PageBytes, PageParams

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PasskeyProof:
    """As a second factor."""

    rp: RelyingParty
    assertion: AssertionInput = field(repr=False)
    method: Method = Method.PASSKEY
    amr: tuple[str, ...] = PASSKEY_AMR

    async def use(self, session: AsyncSession, profile_id: UUID) -> bool:
        challenge = await _take_challenge(session, self.assertion)
        return challenge is not None and await _use_passkey(session, self.rp, self.assertion, challenge, profile_id)


@dataclass(frozen=True, slots=True)
class PasskeyLogin:
    assertion: AssertionInput = field(repr=False)
    rp: RelyingParty
    device: ThisDevice
    address_key: str = field(repr=False)


async def create_challenge(session: AsyncSession, profile_id: UUID | None = None) -> bytes:
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    session.add(
        PasskeyChallenge(
            digest=compute_challenge_digest(challenge),
            profile_id=profile_id,
            expires_at=func.now() + CHALLENGE_LIFETIME,
        )
    )
    await session.flush()
    return challenge


async def spend_challenge(session: AsyncSession, challenge: bytes, profile_id: UUID | None = None) -> bool:
    """Whether it was still there, and made for that. One statement: of two at once, one finds it."""
    statement = delete(PasskeyChallenge).where(
        PasskeyChallenge.digest == compute_challenge_digest(challenge),
        PasskeyChallenge.profile_id.is_not_distinct_from(profile_id),
        PasskeyChallenge.expires_at > func.now(),
    )
    return (await session.scalars(statement.returning(PasskeyChallenge.digest))).one_or_none() is not None


async def create_registration_options(
    session: AsyncSession, rp: RelyingParty, login: LoginAccount
) -> RegistrationOptionsRead:
    known = select(Passkey.credential_id).join(Factor).where(Factor.profile_id == login.profile_id)
    return build_registration_options(
        rp,
        await create_challenge(session, login.profile_id),
        login.profile_id,
        name=login.email,
        display_name=login.username,
        known=(await session.scalars(known)).all(),
    )


async def register_passkey(
    session: AsyncSession,
    rp: RelyingParty,
    digester: RecoveryCodeDigester,
    account: Account,
    passkey_data: PasskeyCreate,
) -> PasskeyAdded:
    """From now on a second factor as well. The account is locked.

    Raises PasskeyInvalidError, FactorsTooManyError, and (through its unique constraint) PasskeyTakenError.
    """
    verified = await _verify_new(session, rp, account.profile_id, passkey_data.credential)
    added = await mfa.add_factor(session, digester, account, Method.PASSKEY, name=passkey_data.name)
    passkey = Passkey(
        factor_id=added.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_synced=verified.credential_backed_up,
    )
    session.add(passkey)
    await session.flush()
    logger.info("passkey_registered", user_id=str(account.profile_id), passkey_id=str(added.id))
    factor = await session.get_one(Factor, added.id)
    return PasskeyAdded(
        id=added.id,
        name=factor.name,
        is_synced=passkey.is_synced,
        created_at=factor.created_at,
        used_at=factor.used_at,
        recovery_codes=added.recovery_codes,
    )


async def _verify_new(
    session: AsyncSession, rp: RelyingParty, profile_id: UUID, registration: RegistrationInput
) -> VerifiedRegistration:
    """Raises PasskeyInvalidError."""
    client_data = read_client_data(registration.response.client_data_json)
    if client_data is None or not await spend_challenge(session, client_data.challenge, profile_id):
        raise PasskeyInvalidError
    verified = verify_registration(rp, registration, client_data.challenge)
    if verified is None:
        raise PasskeyInvalidError
    return verified


async def create_authentication_options(session: AsyncSession, rp: RelyingParty) -> AuthenticationOptionsRead:
    """The same for everybody: who it is, the passkey says."""
    return build_authentication_options(rp, await create_challenge(session))


async def _take_challenge(session: AsyncSession, assertion: AssertionInput) -> bytes | None:
    """What the browser says that was signed, if it was ours to sign."""
    client_data = read_client_data(assertion.response.client_data_json)
    is_ours = client_data is not None and await spend_challenge(session, client_data.challenge)
    return client_data.challenge if client_data is not None and is_ours else None


async def _use_passkey(
    session: AsyncSession, rp: RelyingParty, assertion: AssertionInput, challenge: bytes, profile_id: UUID
) -> bool:
    """Whether what was shown just now is a passkey of that profile. The account is held."""
    own = select(Passkey).join(Factor).where(Factor.profile_id == profile_id)
    passkey = (await session.scalars(own.where(Passkey.credential_id == assertion.credential_id))).one_or_none()
    # What is chosen with no name typed before also says whose it is, and must be right about it.
    if passkey is None or assertion.user_handle != profile_id.bytes:
        return False
    verified = verify_assertion(rp, assertion, challenge, passkey.public_key)
    if verified is None:
        return False
    if not await _advance_count(session, passkey, verified):
        await _tell_of_copy(session, passkey, profile_id)
        return False
    await session.execute(update(Factor).where(Factor.id == passkey.factor_id).values(used_at=func.now()))
    return True


async def _advance_count(session: AsyncSession, passkey: Passkey, verified: VerifiedAuthentication) -> bool:
    """Whether it goes on. One that does not means that there are two of a key that can be no two."""
    count = verified.new_sign_count
    statement = (
        update(Passkey)
        .where(
            Passkey.factor_id == passkey.factor_id,
            or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0)),
        )
        .values(sign_count=count, is_synced=verified.credential_backed_up)
        .returning(Passkey.factor_id)
        .execution_options(synchronize_session=False)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def _tell_of_copy(session: AsyncSession, passkey: Passkey, profile_id: UUID) -> None:
    logger.warning("passkey_copied", user_id=str(profile_id), passkey_id=str(passkey.factor_id))
    details = {"passkey_id": str(passkey.factor_id)}
    await record(session, AuditAction.PASSKEY_COPIED, subject_id=profile_id, details=details)
    await accounts.notify_owner(session, profile_id, NoticeKind.PASSKEY_COPIED)


async def check_passkey_login(session: AsyncSession, tools: LoginTools, attempt: PasskeyLogin) -> CheckedLogin:
    """Two factors at once: what one has, and what one knows or is, which the authenticator has checked.

    Raises LimitedError, PasskeyRefusedError, and what `logins.exceptions` lists of the state of an account.
    """
    await tools.limiter.check(LimitRule.LOGIN_ADDRESS, attempt.address_key)
    challenge = await _take_challenge(session, attempt.assertion)
    account = await _hold_owner(session, attempt.assertion)
    is_used = (
        challenge is not None
        and account is not None
        and await _use_passkey(session, attempt.rp, attempt.assertion, challenge, account.profile_id)
    )
    if account is None or not is_used:
        await _record_failure(session, attempt.device, account)
        raise PasskeyRefusedError
    await refuse_inactive(session, account, attempt.device)
    return CheckedLogin(account.profile_id, account.roles, PASSKEY_LOGIN_AMR, Acr.TWO_FACTORS)


async def _record_failure(session: AsyncSession, device: ThisDevice, account: LoginAccount | None) -> None:
    subject_id = None if account is None else account.profile_id
    details = {"reason": "passkey", "device": describe_device(device.info.user_agent)}
    address = device.info.address
    await record(session, AuditAction.LOGIN_FAILED, subject_id=subject_id, address=address, details=details)


async def _hold_owner(session: AsyncSession, assertion: AssertionInput) -> LoginAccount | None:
    """Held before the passkey is: whoever changes factors does it in this order, too."""
    owner = select(Factor.profile_id).join(Passkey).where(Passkey.credential_id == assertion.credential_id)
    profile_id = (await session.scalars(owner)).one_or_none()
    return None if profile_id is None else await accounts.hold_login(session, profile_id)


async def fetch_passkeys(reader: Reader, profile_id: UUID, params: PageParams) -> PageBytes:
    page = await LIST_PASSKEYS.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def rename_passkey(session: AsyncSession, profile_id: UUID, passkey_id: UUID, name: str | None) -> None:
    """Raises PasskeyNotFoundError."""
    own = update(Factor).where(
        Factor.id == passkey_id, Factor.profile_id == profile_id, Factor.method == Method.PASSKEY
    )
    if (await session.scalars(own.values(name=name).returning(Factor.id))).one_or_none() is None:
        raise PasskeyNotFoundError


async def delete_passkey(session: AsyncSession, account: Account, passkey_id: UUID) -> None:
    """The account is locked. Raises PasskeyNotFoundError."""
    own = select(Factor.id).where(Factor.id == passkey_id, Factor.profile_id == account.profile_id)
    if (await session.scalars(own.where(Factor.method == Method.PASSKEY))).one_or_none() is None:
        raise PasskeyNotFoundError
    await mfa.remove_factor(session, account, passkey_id)
    logger.info("passkey_deleted", user_id=str(account.profile_id), passkey_id=str(passkey_id))


async def delete_expired_challenges(session: AsyncSession) -> int:
    """Some of those that nobody answered in time; how many."""
    over = (
        select(PasskeyChallenge.digest)
        .where(PasskeyChallenge.expires_at < func.now())
        .limit(PRUNE_CHALLENGES)
        .with_for_update(skip_locked=True)
    )
    statement = delete(PasskeyChallenge).where(PasskeyChallenge.digest.in_(over)).returning(PasskeyChallenge.digest)
    return len((await session.scalars(statement)).all())
