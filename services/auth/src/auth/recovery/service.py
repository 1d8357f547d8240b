"""New credentials for who cannot, or must not, use the old ones."""

import asyncio
from contextlib import suppress
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.exceptions import AccountChangedError
from auth.accounts.models import Account
from auth.accounts.service import LoginAccount
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.confirmations import service as confirmations
from auth.confirmations.constants import Purpose
from auth.confirmations.models import Confirmation
from auth.confirmations.utils import ConfirmationSigner, compute_digest
from auth.devices import service as devices
from auth.devices.service import ThisDevice
from auth.profiles.models import Profile
from auth.profiles.service import raise_version
from auth.recovery.constants import BATCH, LOOK_SECONDS, REQUEST_CHANNEL
from auth.recovery.exceptions import AddressUnavailableError, LinkInvalidError
from auth.recovery.models import RecoveryRequest
from auth.recovery.queries import LOGIN_BY_RESET_LINK
from auth.sessions.constants import EndReason
from auth.sessions.service import end_sessions
from chassis.contracts.accounts import ConfirmationRequested
from chassis.database.engine import Database
from chassis.database.queries import Reader
from chassis.error_handlers import DATABASE_AWAY
from chassis.events.listener import Listener
from chassis.events.outbox import emit_event
from chassis.logs import get_logger

logger = get_logger(__name__)


async def request_mail(session: AsyncSession, email: str, purpose: Purpose) -> None:
    """The same work for every address."""
    session.add(RecoveryRequest(email=email, purpose=purpose))
    await session.flush()
    await session.execute(select(func.pg_notify(REQUEST_CHANNEL, "")))


async def handle_requests(session: AsyncSession, signer: ConfirmationSigner) -> int:
    """Some of those that wait: a mail to whom there is one to write. How many they were."""
    taken = select(RecoveryRequest.id).limit(BATCH).with_for_update(skip_locked=True)
    statement = delete(RecoveryRequest).where(RecoveryRequest.id.in_(taken))
    rows = (await session.execute(statement.returning(RecoveryRequest.email, RecoveryRequest.purpose))).all()
    for email, purpose in set(rows):
        await _handle_request(session, signer, email, Purpose(purpose))
    return len(rows)


async def _handle_request(session: AsyncSession, signer: ConfirmationSigner, email: str, purpose: Purpose) -> None:
    """A lost password is the confirmed owner's, a lost confirmation that of the newest account that waits for one."""
    wants_confirmed = purpose is not Purpose.SIGN_UP
    query = (
        select(Account.profile_id)
        .where(Account.email == email, Account.confirmed_at.is_not(None), Account.banned_at.is_(None))
        .order_by(Account.profile_id.desc())
        .limit(1)
    )
    owner_id = await session.scalar(query)
    if not wants_confirmed:
        if owner_id is not None:
            return
        waiting = select(func.max(Account.created_at)).where(Account.email == email).scalar_subquery()
        owner_id = await session.scalar(select(Account.profile_id).filter_by(email=email, created_at=waiting).limit(1))
    # Held: whoever is being deleted gets no mail any more.
    if owner_id is not None and await accounts.lock_account(session, owner_id) is not None:
        await send_confirmation(session, signer, owner_id, purpose, to=email)


async def send_confirmation(
    session: AsyncSession,
    signer: ConfirmationSigner,
    profile_id: UUID,
    purpose: Purpose,
    *,
    to: str,
    address: str | None = None,
) -> None:
    """Have a mail with a one-time link written."""
    confirmation_id = await confirmations.create_confirmation(session, signer, profile_id, purpose, address=address)
    first_name = (await session.scalars(select(Profile.first_name).filter_by(id=profile_id))).one()
    version = await raise_version(session, profile_id)
    event = ConfirmationRequested(
        user_id=profile_id, email=to, first_name=first_name, confirmation_id=confirmation_id, purpose=purpose
    )
    await emit_event(session, event, aggregate_id=profile_id, aggregate_seq=version)


async def find_login_by_link(reader: Reader, token: str) -> LoginAccount | None:
    """Whose password the link may set; looks without using it."""
    return accounts.parse_login(await reader.fetch_row(LOGIN_BY_RESET_LINK, digest=compute_digest(token)))


async def reset_password(session: AsyncSession, token: str, password_hash: str, device: ThisDevice) -> None:
    """Log out everywhere, and leave second factors as they are. Raises LinkInvalidError.

    Of all devices this one alone is known from now on: its owner gets in, however many strangers guess.
    """
    asked = await confirmations.find_open(session, token, Purpose.PASSWORD_RESET)
    # The account first, as everywhere: it may be about to be deleted, with its confirmations.
    account = None if asked is None else await accounts.lock_account(session, asked.profile_id)
    used = await confirmations.use_confirmation(session, token, Purpose.PASSWORD_RESET)
    if account is None or used is None or account.banned_at is not None:
        raise LinkInvalidError
    account.password_hash = password_hash
    await end_sessions(session, EndReason.PASSWORD_RESET, profile_id=account.profile_id)
    await devices.forget_devices(session, account.profile_id)
    await devices.remember_device(session, device, account.profile_id)
    await accounts.notify_owner(session, account.profile_id, NoticeKind.PASSWORD_RESET)
    await record(session, AuditAction.PASSWORD_RESET, subject_id=account.profile_id)
    logger.info("password_reset", user_id=str(account.profile_id))


async def change_password(
    session: AsyncSession, login: LoginAccount, password_hash: str, *, session_id: UUID, device: ThisDevice
) -> None:
    """The session that asks goes on, all others end; other devices are new again. Raises AccountChangedError."""
    if not await accounts.replace_password_hash(session, login.profile_id, login.password_hash, password_hash):
        raise AccountChangedError
    await end_sessions(session, EndReason.PASSWORD_CHANGED, profile_id=login.profile_id, except_id=session_id)
    await devices.forget_devices(session, login.profile_id, except_id=device.id)
    await accounts.notify_owner(session, login.profile_id, NoticeKind.PASSWORD_CHANGED)
    await record(session, AuditAction.PASSWORD_CHANGED, subject_id=login.profile_id)
    logger.info("password_changed", user_id=str(login.profile_id))


async def request_email_change(
    session: AsyncSession, signer: ConfirmationSigner, profile_id: UUID, new_email: str
) -> None:
    """A link to each of the two addresses. That the new one is somebody's is not told here.

    Raises AccountChangedError.
    """
    account = await accounts.lock_account(session, profile_id)
    if account is None:
        raise AccountChangedError
    for purpose, to in ((Purpose.EMAIL_CHANGE_OLD, account.email), (Purpose.EMAIL_CHANGE_NEW, new_email)):
        await send_confirmation(session, signer, profile_id, purpose, to=to, address=new_email)


async def confirm_email_change(session: AsyncSession, token: str) -> bool:
    """Whether both addresses have confirmed, and the change is done.

    Raises LinkInvalidError, AddressUnavailableError.
    """
    purposes = (Purpose.EMAIL_CHANGE_OLD, Purpose.EMAIL_CHANGE_NEW)
    asked = await confirmations.find_open(session, token, *purposes)
    account = None if asked is None else await accounts.lock_account(session, asked.profile_id)
    used = await confirmations.use_confirmation(session, token, *purposes)
    if account is None or used is None or used.address is None:
        raise LinkInvalidError
    if not await _has_other_half(session, used):
        return False
    await _change_email(session, account, used.address)
    return True


async def _has_other_half(session: AsyncSession, used: Confirmation) -> bool:
    other = Purpose.EMAIL_CHANGE_NEW if used.purpose == Purpose.EMAIL_CHANGE_OLD else Purpose.EMAIL_CHANGE_OLD
    is_confirmed = exists().where(
        Confirmation.profile_id == used.profile_id,
        Confirmation.purpose == other,
        Confirmation.address == used.address,
        # Both were asked for in one transaction, which is one moment.
        Confirmation.created_at == used.created_at,
        Confirmation.confirmed_at.is_not(None),
    )
    return bool(await session.scalar(select(is_confirmed)))


async def _change_email(session: AsyncSession, account: Account, new_email: str) -> None:
    await accounts.lock_address(session, new_email)
    owner_id = await accounts.find_owner(session, new_email)
    if owner_id not in (None, account.profile_id):
        raise AddressUnavailableError
    old_email, account.email = account.email, new_email
    await session.flush()
    # A link that went to the old address must not set a password of the new one.
    await confirmations.void_confirmations(session, account.profile_id, Purpose.PASSWORD_RESET)
    await accounts.delete_rivals(session, new_email)
    await accounts.notify_owner(session, account.profile_id, NoticeKind.EMAIL_CHANGED, email=old_email)
    await accounts.emit_user_updated(session, account.profile_id)
    await record(session, AuditAction.EMAIL_CHANGED, subject_id=account.profile_id)
    logger.info("email_changed", user_id=str(account.profile_id))


class RequestRunner:
    """One in each background process; several share the work."""

    def __init__(self, database: Database, signer: ConfirmationSigner) -> None:
        self._database = database
        self._signer = signer
        self._wake = asyncio.Event()
        self._listener = Listener(database, REQUEST_CHANNEL, self._wake.set)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listener.run(), name="recovery-listener")
            while True:
                self._wake.clear()
                if not await self._try_batch():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await self._wake.wait()

    async def _try_batch(self) -> bool:
        """Whether there may be more."""
        try:
            async with self._database.transaction() as session:
                return await handle_requests(session, self._signer) == BATCH
        except DATABASE_AWAY as error:
            logger.warning("recovery_put_off", reason=type(error).__name__)
            return False
