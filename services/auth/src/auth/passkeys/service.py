"""Passkeys: added by who is logged in, and shown in place of a password. A challenge is used up, right or wrong."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.service import LoginAccount
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.devices.service import ThisDevice
from auth.devices.utils import describe_device
from auth.limits.constants import LimitRule
from auth.logins.constants import Acr
from auth.logins.service import CheckedLogin, LoginTools, refuse_inactive
from auth.passkeys.constants import (
    CHALLENGE_BYTES,
    CHALLENGE_LIFETIME,
    MAX_PASSKEYS,
    PASSKEY_LOGIN_AMR,
    PRUNE_CHALLENGES,
)
from auth.passkeys.exceptions import (
    PasskeyInvalidError,
    PasskeyNotFoundError,
    PasskeyRefusedError,
    PasskeysTooManyError,
)
from auth.passkeys.models import Passkey, PasskeyChallenge
from auth.passkeys.queries import LIST_PASSKEYS
from auth.passkeys.schemas import (
    AssertionInput,
    AuthenticationOptionsRead,
    PasskeyCreate,
    PasskeyRead,
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

FACTOR = {"factor": "passkey"}


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
    known = await session.scalars(select(Passkey.credential_id).where(Passkey.profile_id == login.profile_id))
    return build_registration_options(
        rp,
        await create_challenge(session, login.profile_id),
        login.profile_id,
        name=login.email,
        display_name=login.username,
        known=known.all(),
    )


async def register_passkey(
    session: AsyncSession, rp: RelyingParty, profile_id: UUID, passkey_data: PasskeyCreate
) -> PasskeyRead:
    """Raises PasskeyInvalidError, PasskeysTooManyError, and (through its unique constraint) PasskeyTakenError."""
    registration = passkey_data.credential
    client_data = read_client_data(registration.response.client_data_json)
    if client_data is None or not await spend_challenge(session, client_data.challenge, profile_id):
        raise PasskeyInvalidError
    verified = verify_registration(rp, registration, client_data.challenge)
    if verified is None:
        raise PasskeyInvalidError
    await _hold_place(session, profile_id)
    passkey = Passkey(
        profile_id=profile_id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        is_synced=verified.credential_backed_up,
        name=passkey_data.name,
    )
    session.add(passkey)
    await session.flush()
    await accounts.notify_owner(session, profile_id, NoticeKind.SECOND_FACTOR_ADDED, FACTOR)
    await record(session, AuditAction.FACTOR_ADDED, subject_id=profile_id, details=FACTOR)
    logger.info("passkey_registered", user_id=str(profile_id), passkey_id=str(passkey.id))
    return PasskeyRead.model_validate(passkey)


async def _hold_place(session: AsyncSession, profile_id: UUID) -> None:
    """The account is held from here on, so that of many at once each counts those before it."""
    await accounts.lock_account(session, profile_id)
    query = select(func.count()).select_from(Passkey).where(Passkey.profile_id == profile_id)
    if (await session.scalars(query)).one() >= MAX_PASSKEYS:
        raise PasskeysTooManyError


async def create_authentication_options(session: AsyncSession, rp: RelyingParty) -> AuthenticationOptionsRead:
    """The same for everybody: who it is, the passkey says."""
    return build_authentication_options(rp, await create_challenge(session))


async def use_passkey(
    session: AsyncSession, rp: RelyingParty, assertion: AssertionInput, profile_id: UUID | None = None
) -> Passkey | None:
    """Whose it is that was shown just now; None for what does not hold, or is another's than that profile's."""
    client_data = read_client_data(assertion.response.client_data_json)
    if client_data is None or not await spend_challenge(session, client_data.challenge):
        return None
    passkey = await _find_passkey(session, assertion)
    if passkey is None or (profile_id is not None and passkey.profile_id != profile_id):
        return None
    verified = verify_assertion(rp, assertion, client_data.challenge, passkey.public_key)
    if verified is None:
        return None
    is_used = await _advance_count(session, passkey, verified.new_sign_count, is_synced=verified.credential_backed_up)
    return passkey if is_used else None


async def _find_passkey(session: AsyncSession, assertion: AssertionInput) -> Passkey | None:
    """What is chosen with no name typed before also says whose it is, and must be right about it."""
    try:
        credential_id, user_handle = assertion.credential_id, assertion.user_handle
    except ValueError:
        return None
    passkey = (await session.scalars(select(Passkey).filter_by(credential_id=credential_id))).one_or_none()
    return passkey if passkey is not None and passkey.profile_id.bytes == user_handle else None


async def _advance_count(session: AsyncSession, passkey: Passkey, count: int, *, is_synced: bool) -> bool:
    """Whether it goes on. One that does not means that there are two of a key that can be no two."""
    statement = (
        update(Passkey)
        .where(
            Passkey.id == passkey.id,
            or_(Passkey.sign_count < count, (Passkey.sign_count == 0) & (count == 0)),
        )
        .values(sign_count=count, is_synced=is_synced, used_at=func.now())
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    )
    if (await session.scalars(statement)).one_or_none() is not None:
        return True
    if (await session.scalars(select(Passkey.id).filter_by(id=passkey.id))).one_or_none() is not None:
        logger.warning("passkey_copied", user_id=str(passkey.profile_id), passkey_id=str(passkey.id))
        details = {"passkey_id": str(passkey.id)}
        await record(session, AuditAction.PASSKEY_COPIED, subject_id=passkey.profile_id, details=details)
        await accounts.notify_owner(session, passkey.profile_id, NoticeKind.PASSKEY_COPIED)
    return False


async def check_passkey_login(session: AsyncSession, tools: LoginTools, attempt: PasskeyLogin) -> CheckedLogin:
    """Two factors at once: what one has, and what one knows or is, which the authenticator has checked.

    Raises LimitedError, PasskeyRefusedError, and what `logins.exceptions` lists of the state of an account.
    """
    await tools.limiter.check(LimitRule.LOGIN_ADDRESS, attempt.address_key)
    passkey = await use_passkey(session, attempt.rp, attempt.assertion)
    account = None if passkey is None else await accounts.find_login_by_id(tools.reader, passkey.profile_id)
    if account is None:
        details = {"reason": "passkey", "device": describe_device(attempt.device.info.user_agent)}
        address = attempt.device.info.address
        await record(session, AuditAction.LOGIN_FAILED, subject_id=None, address=address, details=details)
        raise PasskeyRefusedError
    await refuse_inactive(session, account, attempt.device)
    return CheckedLogin(account.profile_id, account.roles, PASSKEY_LOGIN_AMR, Acr.TWO_FACTORS)


async def fetch_passkeys(reader: Reader, profile_id: UUID, params: PageParams) -> PageBytes:
    page = await LIST_PASSKEYS.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def rename_passkey(session: AsyncSession, profile_id: UUID, passkey_id: UUID, name: str | None) -> None:
    """Raises PasskeyNotFoundError."""
    own = update(Passkey).where(Passkey.id == passkey_id, Passkey.profile_id == profile_id)
    if (await session.scalars(own.values(name=name).returning(Passkey.id))).one_or_none() is None:
        raise PasskeyNotFoundError


async def delete_passkey(session: AsyncSession, profile_id: UUID, passkey_id: UUID) -> None:
    """Raises PasskeyNotFoundError."""
    own = delete(Passkey).where(Passkey.id == passkey_id, Passkey.profile_id == profile_id)
    if (await session.scalars(own.returning(Passkey.id))).one_or_none() is None:
        raise PasskeyNotFoundError
    await accounts.notify_owner(session, profile_id, NoticeKind.SECOND_FACTOR_REMOVED, FACTOR)
    await record(session, AuditAction.FACTOR_REMOVED, subject_id=profile_id, details=FACTOR)
    logger.info("passkey_deleted", user_id=str(profile_id), passkey_id=str(passkey_id))


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
