"""The one place that checks a login: how often, the password, the state of the account, the second factor.

Nothing is held while a password is hashed: what is read before is read by hot reads, and the transaction of the request
begins afterwards.
"""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.service import LoginAccount
from auth.accounts.utils import normalize_email
from auth.clients.constants import DELEGABLE_SCOPES
from auth.devices import service as devices
from auth.devices.service import ThisDevice
from auth.limits.constants import LimitRule
from auth.limits.service import Bucket, RateLimiter, create_limited_error
from auth.limits.utils import account_key
from auth.logins.constants import LOCK_KEPT, PASSWORD_AMR, TELL_BATCH, Acr
from auth.logins.exceptions import AccountBannedError, CredentialsInvalidError, LoginNotConfirmedError
from auth.logins.models import LoginLock
from auth.passwords.exceptions import HashingBusyError
from auth.passwords.utils import PasswordHashing
from auth.sessions import service as sessions
from auth.sessions.service import NewSession, OpenSession
from auth.sessions.utils import RefreshChain
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.security.constants import FIRST_PARTY_CLIENT

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoginTools:
    """What checking takes beside the transaction."""

    reader: Reader
    hashing: PasswordHashing
    limiter: RateLimiter


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    email: str = field(repr=False)
    password: str = field(repr=False)
    device: ThisDevice
    address_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedLogin:
    """Who it is, and how that was proved."""

    profile_id: UUID
    roles: tuple[str, ...]
    amr: tuple[str, ...]
    acr: Acr
    password_hash: str | None = field(default=None, repr=False)
    """The one that was checked, if one was."""


async def check_password_login(session: AsyncSession, tools: LoginTools, attempt: PasswordLogin) -> CheckedLogin:
    """Raises LimitedError, HashingBusyError, and what `logins.exceptions` lists."""
    account = await accounts.find_login(tools.reader, attempt.email)
    bucket = await _choose_bucket(tools.reader, attempt, account)
    # Its own bucket first: of two that are as full, it is the one that is told of.
    state = await tools.limiter.hit_all([bucket, (LimitRule.LOGIN_ADDRESS, attempt.address_key)])
    if not state.is_allowed:
        raise create_limited_error(state)
    is_locked = state.rule is LimitRule.LOGIN_ACCOUNT and state.remaining == 0
    is_valid = await _verify_password(tools, attempt.password, account, bucket)
    if account is None or not is_valid:
        await _record_failure(session, account, is_locked=is_locked)
        raise CredentialsInvalidError
    # Only what fails counts against an account: its owner may log in as often as they like.
    await tools.limiter.give_back(*bucket)
    refuse_inactive(account)
    password_hash = await _renew_hash(session, tools.hashing, account, attempt.password)
    return CheckedLogin(account.profile_id, account.roles, PASSWORD_AMR, Acr.ONE_FACTOR, password_hash)


async def _choose_bucket(reader: Reader, attempt: PasswordLogin, account: LoginAccount | None) -> Bucket:
    """On a device that the account knows, strangers elsewhere are in nobody's way; all of them share one bucket.

    The bucket is that of the address, whether somebody has it or not.
    """
    if account is not None and await devices.is_known_device(reader, attempt.device, account.profile_id):
        return LimitRule.LOGIN_DEVICE, f"device:{attempt.device.id}:{account.profile_id}"
    return LimitRule.LOGIN_ACCOUNT, account_key(_find_spelling(attempt.email))


def _find_spelling(email: str) -> str:
    try:
        return normalize_email(email.strip())
    except ValueError:
        return email


async def _verify_password(tools: LoginTools, password: str, account: LoginAccount | None, bucket: Bucket) -> bool:
    try:
        return await tools.hashing.verify_password(password, None if account is None else account.password_hash)
    except HashingBusyError:
        await tools.limiter.give_back(*bucket)  # nothing was tried
        raise


async def _record_failure(session: AsyncSession, account: LoginAccount | None, *, is_locked: bool) -> None:
    """The same statements for an address that nobody has: an answer must not tell by its time."""
    logger.info("login_refused", reason="credentials", is_locked=is_locked)
    if is_locked:
        session.add(LoginLock(profile_id=None if account is None else account.profile_id))
        await session.flush()


def refuse_inactive(account: LoginAccount) -> None:
    """Raises AccountBannedError, LoginNotConfirmedError: of what only the owner may know."""
    if account.is_banned:
        logger.info("login_refused", reason="banned", user_id=str(account.profile_id))
        raise AccountBannedError
    if not account.is_confirmed:
        logger.info("login_refused", reason="not_confirmed", user_id=str(account.profile_id))
        raise LoginNotConfirmedError


async def _renew_hash(session: AsyncSession, hashing: PasswordHashing, account: LoginAccount, password: str) -> str:
    """The account's hash, made anew where the parameters have changed."""
    if not hashing.needs_rehash(account.password_hash):
        return account.password_hash
    renewed = await hashing.hash_password(password)
    is_replaced = await accounts.replace_password_hash(session, account.profile_id, account.password_hash, renewed)
    return renewed if is_replaced else account.password_hash


async def open_session(
    session: AsyncSession, chain: RefreshChain, login: CheckedLogin, device: ThisDevice
) -> OpenSession:
    """A session in an app of ours, on a device that is known from now on. Raises AccountChangedError."""
    new = NewSession(
        profile_id=login.profile_id,
        client_id=FIRST_PARTY_CLIENT,
        scope=" ".join(sorted(DELEGABLE_SCOPES)),
        amr=login.amr,
        acr=login.acr,
        device=device.info,
        password_hash=login.password_hash,
    )
    opened = await sessions.create_session(session, chain, new)
    await devices.admit_device(session, device, login.profile_id)
    return opened


async def tell_of_locks(session: AsyncSession) -> int:
    """Owners of accounts that are being guessed at, each once a day; how many locks were looked at.

    Here and not in the request, which does the same for an address that nobody has.
    """
    due = select(LoginLock.id).where(LoginLock.told_at.is_(None)).limit(TELL_BATCH).with_for_update(skip_locked=True)
    ids = (await session.scalars(due)).all()
    told = aliased(LoginLock)
    was_told = exists().where(told.profile_id == LoginLock.profile_id, told.told_at > func.now() - LOCK_KEPT)
    untold = select(LoginLock.profile_id).where(LoginLock.id.in_(ids), LoginLock.profile_id.is_not(None), ~was_told)
    # In one order, so that two processes cannot wait for each other.
    for profile_id in (await session.scalars(untold.distinct().order_by(LoginLock.profile_id))).all():
        await accounts.notify_owner(session, profile_id, NoticeKind.LOGIN_LOCKED)
    await session.execute(update(LoginLock).where(LoginLock.id.in_(ids)).values(told_at=func.now()))
    return len(ids)


async def delete_old_locks(session: AsyncSession) -> int:
    """All of more than a day ago; none are left, so it need not be called again."""
    await session.execute(delete(LoginLock).where(LoginLock.created_at < func.now() - LOCK_KEPT))
    return 0
