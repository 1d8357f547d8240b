"""The one place that checks a login: how often, the password, the state of the account, the second factor.

Nothing is held while a password is hashed: what is read before is read by hot reads, and the transaction of the request
begins afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import ROLE_SCOPES
from auth.accounts.exceptions import AccountChangedError
from auth.accounts.models import Account
from auth.accounts.service import LoginAccount
from auth.accounts.utils import find_spelling
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.clients.constants import DELEGABLE_SCOPES
from auth.devices import service as devices
from auth.devices.service import ThisDevice
from auth.devices.utils import describe_device
from auth.keys.utils import UserClaims
from auth.limits.constants import LimitRule
from auth.limits.service import Bucket, RateLimiter, create_limited_error
from auth.limits.utils import account_key
from auth.locks.models import LoginLock
from auth.logins.constants import MFA_AMR, NOBODY, PASSWORD_AMR, Acr
from auth.logins.exceptions import (
    AccountBannedError,
    CredentialsInvalidError,
    LoginNotConfirmedError,
    MfaRequiredError,
    MfaTokenInvalidError,
    SecondFactorRefusedError,
)
from auth.logins.queries import OPEN_SESSION
from auth.mfa import service as mfa
from auth.mfa.schemas import Proof
from auth.passwords.exceptions import HashingBusyError
from auth.passwords.utils import PasswordHashing
from auth.sessions import service as sessions
from auth.sessions.constants import MAX_SESSIONS, SESSION_LIFETIME
from auth.sessions.service import NewSession, OpenSession
from auth.sessions.utils import RefreshChain, compute_digest
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
    is_on_known_device: bool = False


@dataclass(frozen=True, slots=True)
class MfaLogin:
    """The second step: what came of the first, and the second factor."""

    mfa_token: str = field(repr=False)
    proof: Proof
    device: ThisDevice
    address_key: str = field(repr=False)


async def check_password_login(session: AsyncSession, tools: LoginTools, attempt: PasswordLogin) -> CheckedLogin:
    """Raises LimitedError, HashingBusyError, and what `logins.exceptions` lists.

    MfaRequiredError where that is not all: `check_mfa_login` goes on from there.
    """
    account = await accounts.find_login(tools.reader, attempt.email)
    bucket = await _choose_bucket(tools.reader, attempt, account)
    # Its own bucket first: of two that are as full, it is the one that is told of.
    state = await tools.limiter.hit_all([bucket, (LimitRule.LOGIN_ADDRESS, attempt.address_key)])
    if not state.is_allowed:
        raise create_limited_error(state)
    is_locked = state.rule is LimitRule.LOGIN_ACCOUNT and state.remaining == 0
    is_valid = await verify_password(tools, attempt.password, account, bucket)
    if account is None or not is_valid or not account.is_confirmed:
        await _record_failure(session, account, attempt.device, is_locked=is_locked)
        raise CredentialsInvalidError
    # Only what fails counts against an account: its owner may log in as often as they like.
    await tools.limiter.give_back(*bucket)
    await refuse_inactive(session, account, attempt.device)
    password_hash = await _renew_hash(session, tools.hashing, account, attempt.password)
    is_on_known_device = bucket[0] is LimitRule.LOGIN_DEVICE
    if account.second_factors:
        who = account.profile_id, account.second_factors, password_hash, attempt.device
        raise MfaRequiredError(await mfa.ask(session, *who, is_on_known_device=is_on_known_device), attempt.device)
    return CheckedLogin(
        account.profile_id,
        account.roles,
        PASSWORD_AMR,
        Acr.ONE_FACTOR,
        password_hash,
        is_on_known_device=is_on_known_device,
    )


async def check_mfa_login(session: AsyncSession, tools: LoginTools, attempt: MfaLogin) -> CheckedLogin:
    """Raises LimitedError, and what `logins.exceptions` lists."""
    challenge = await mfa.find_challenge(tools.reader, attempt.mfa_token, attempt.device)
    if challenge is None:
        raise MfaTokenInvalidError
    prover = mfa.create_login_prover(challenge, attempt.device, attempt.address_key)
    counted = await mfa.begin_attempt(tools.limiter, prover)
    account = await accounts.hold_login(session, challenge.profile_id)
    if account is None or not challenge.is_for(account.password_hash):
        raise MfaTokenInvalidError
    await refuse_inactive(session, account, attempt.device)
    if not await mfa.check_proof(session, tools.limiter, counted, attempt.proof):
        raise SecondFactorRefusedError
    # Afterwards, so that a wrong code does not spend it: of two right ones at once the later is taken back here.
    if not await mfa.spend_challenge(session, attempt.mfa_token):
        raise MfaTokenInvalidError
    amr = *PASSWORD_AMR, *attempt.proof.amr, MFA_AMR
    return CheckedLogin(account.profile_id, account.roles, amr, Acr.TWO_FACTORS, account.password_hash)


async def _choose_bucket(reader: Reader, attempt: PasswordLogin, account: LoginAccount | None) -> Bucket:
    """On a device that the account knows, strangers elsewhere are in nobody's way; all of them share one bucket.

    The bucket is that of the address, whether somebody has it or not.
    """
    # Asked for an address that nobody has, too: the time of an answer tells nothing.
    profile_id = NOBODY if account is None else account.profile_id
    if await devices.is_known_device(reader, attempt.device, profile_id) and account is not None:
        return LimitRule.LOGIN_DEVICE, f"device:{attempt.device.id}:{account.profile_id}"
    return LimitRule.LOGIN_ACCOUNT, account_key(find_spelling(attempt.email) or attempt.email)


async def verify_password(tools: LoginTools, password: str, account: LoginAccount | None, bucket: Bucket) -> bool:
    try:
        return await tools.hashing.verify_password(password, None if account is None else account.password_hash)
    except HashingBusyError:
        await tools.limiter.give_back(*bucket)  # nothing was tried
        raise


async def _record_failure(
    session: AsyncSession, account: LoginAccount | None, device: ThisDevice, *, is_locked: bool
) -> None:
    """The same statements for an address that nobody has: an answer must not tell by its time."""
    profile_id = None if account is None else account.profile_id
    logger.info("login_refused", reason="credentials", is_locked=is_locked)
    await _record(session, AuditAction.LOGIN_FAILED, profile_id, device, reason="credentials")
    if is_locked:
        await _record(session, AuditAction.LOGIN_LOCKED, profile_id, device)
        session.add(LoginLock(profile_id=profile_id))
        await session.flush()


async def _record(
    session: AsyncSession, action: AuditAction, profile_id: UUID | None, device: ThisDevice, **details: str
) -> None:
    details["device"] = describe_device(device.info.user_agent)
    await record(session, action, subject_id=profile_id, address=device.info.address, details=details)


async def refuse_inactive(session: AsyncSession, account: LoginAccount, device: ThisDevice) -> None:
    """Raises AccountBannedError, LoginNotConfirmedError: of what only the owner may know."""
    if account.is_confirmed and not account.is_banned:
        return
    reason = "banned" if account.is_banned else "not_confirmed"
    logger.info("login_refused", reason=reason, user_id=str(account.profile_id))
    await _record(session, AuditAction.LOGIN_FAILED, account.profile_id, device, reason=reason)
    if account.is_banned:
        raise AccountBannedError
    raise LoginNotConfirmedError


async def _renew_hash(session: AsyncSession, hashing: PasswordHashing, account: LoginAccount, password: str) -> str:
    """The account's hash, made anew where the parameters have changed."""
    if not hashing.needs_rehash(account.password_hash):
        return account.password_hash
    renewed = await hashing.hash_password(password)
    is_replaced = await accounts.replace_password_hash(session, account.profile_id, account.password_hash, renewed)
    return renewed if is_replaced else account.password_hash


async def open_session(
    session: AsyncSession, reader: Reader, chain: RefreshChain, login: CheckedLogin, device: ThisDevice
) -> OpenSession:
    """A session in an app of ours, on a device that is known from now on. Raises AccountChangedError."""
    # What this request has written already, a new hash say, could not be seen by a transaction of its own.
    if login.is_on_known_device and not session.in_transaction():
        return await _open_on_known_device(session, reader, chain, login, device)
    new = NewSession(
        profile_id=login.profile_id,
        client_id=FIRST_PARTY_CLIENT,
        scope=build_scope(login.roles),
        amr=login.amr,
        acr=login.acr,
        device=device.info,
        password_hash=login.password_hash,
    )
    opened = await sessions.create_session(session, chain, new)
    await _refuse_changed_roles(session, login)
    await devices.admit_device(session, device, login.profile_id)
    methods = {"session_id": str(opened.id), "amr": " ".join(login.amr)}
    await _record(session, AuditAction.LOGIN_SUCCEEDED, login.profile_id, device, **methods)
    return opened


async def _open_on_known_device(
    session: AsyncSession, reader: Reader, chain: RefreshChain, login: CheckedLogin, device: ThisDevice
) -> OpenSession:
    """What most logins are: all that is written in one statement."""
    scope, token = build_scope(login.roles), chain.create_token()
    row = await reader.fetch_row(
        OPEN_SESSION,
        profile_id=login.profile_id,
        password_hash=login.password_hash,
        roles=list(login.roles),
        client_id=FIRST_PARTY_CLIENT,
        scope=scope,
        amr=list(login.amr),
        acr=login.acr.value,
        user_agent=device.info.user_agent,
        address=device.info.address,
        digest=compute_digest(token),
        device_id=device.id,
        device=describe_device(device.info.user_agent),
    )
    if row is None:
        raise AccountChangedError
    if row["others"] >= MAX_SESSIONS:
        await sessions.end_superfluous(session, login.profile_id)
    logger.info("session_created", session_id=str(row["id"]), user_id=str(login.profile_id))
    claims = UserClaims(
        login.profile_id, row["id"], FIRST_PARTY_CLIENT, scope, login.amr, login.acr, row["authenticated_at"]
    )
    return OpenSession(claims, token, int(SESSION_LIFETIME.total_seconds()))


def build_scope(roles: Iterable[str]) -> str:
    """An app of ours may do all that the person may."""
    return " ".join(sorted(DELEGABLE_SCOPES.union(*(ROLE_SCOPES.get(role, ()) for role in roles))))


async def _refuse_changed_roles(session: AsyncSession, login: CheckedLogin) -> None:
    """The account is held now. Nobody begins with what was taken away while the password was checked."""
    if not login.roles:
        return
    roles = (await session.scalars(select(Account.roles).where(Account.profile_id == login.profile_id))).one()
    if set(roles) != set(login.roles):
        raise AccountChangedError
