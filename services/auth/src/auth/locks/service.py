"""Owners are told when strangers guess at their accounts."""

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.models import Account
from auth.locks.constants import LOCK_KEPT, TELL_BATCH
from auth.locks.models import LoginLock


async def tell_of_locks(session: AsyncSession) -> int:
    """Owners of accounts that are being guessed at, each once a day; how many locks were looked at.

    Here and not in the request, which does the same for an address that nobody has.
    """
    due = select(LoginLock.id).where(LoginLock.told_at.is_(None)).limit(TELL_BATCH).with_for_update(skip_locked=True)
    ids = (await session.scalars(due)).all()
    told = aliased(LoginLock)
    was_told = exists().where(told.profile_id == LoginLock.profile_id, told.told_at > func.now() - LOCK_KEPT)
    untold = select(Account.profile_id).where(
        Account.profile_id.in_(select(LoginLock.profile_id).where(LoginLock.id.in_(ids), ~was_told))
    )
    # In one order, so that two processes cannot wait for each other. Nobody waits for who is being deleted.
    held = untold.order_by(Account.profile_id).with_for_update(read=True, skip_locked=True)
    for profile_id in (await session.scalars(held)).all():
        await accounts.notify_owner(session, profile_id, NoticeKind.LOGIN_LOCKED)
    await session.execute(update(LoginLock).where(LoginLock.id.in_(ids)).values(told_at=func.now()))
    return len(ids)


async def delete_old_locks(session: AsyncSession) -> int:
    """All of more than a day ago; none are left, so it need not be called again."""
    await session.execute(delete(LoginLock).where(LoginLock.created_at < func.now() - LOCK_KEPT))
    return 0
