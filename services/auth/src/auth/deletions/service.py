"""The end of an account: all that auth knows of somebody goes in one transaction, and the other services are told."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.models import Account
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.profiles.models import Profile
from auth.profiles.service import retire_usernames
from auth.sessions.constants import EndReason
from auth.sessions.service import end_sessions
from chassis.idempotency import forget_answers
from chassis.logs import get_logger

logger = get_logger(__name__)


async def delete_own_account(session: AsyncSession, account: Account, *, address: str | None) -> None:
    """`account` is locked. Raises LastAdminError."""
    await delete_account(session, account, NoticeKind.ACCOUNT_DELETED)
    await record(session, AuditAction.ACCOUNT_DELETED, subject_id=account.profile_id, address=address)


async def delete_account(session: AsyncSession, account: Account, notice: NoticeKind) -> None:
    """`account` is locked; the audit entry is the caller's. Raises LastAdminError.

    All tables of people hang on the profile and go with it. What stays names nobody: the audit log and the revocations
    hold ids, a retired username is a digest. The order is that of everybody else: account, sessions, profile.
    """
    profile_id = account.profile_id
    await accounts.refuse_loss_of_last_admin(session, account)
    await end_sessions(session, EndReason.ACCOUNT_DELETED, profile_id=profile_id)
    if account.confirmed_at is not None:
        # Before the event that makes the address unknown.
        await accounts.notify_owner(session, profile_id, notice)
        await retire_usernames(session, profile_id)
    await forget_answers(session, profile_id)
    await accounts.delete_profiles(session, select(Profile.id).where(Profile.id == profile_id))
    logger.info("account_deleted", user_id=str(profile_id), notice=notice.value)
