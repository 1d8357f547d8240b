"""What staff do to accounts: each act with its record, in one transaction."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind, Role
from auth.accounts.models import Account
from auth.admin.queries import USER, USERS
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.creators import service as creators
from auth.deletions.service import delete_account
from auth.mfa import service as mfa
from auth.profiles.models import Profile
from auth.profiles.service import raise_version
from auth.sessions.constants import EndReason
from auth.sessions.service import end_sessions
from chassis.contracts.accounts import UserBanned, UserUnbanned
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event
from chassis.pagination import PageBytes, PageParams


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something to whom, from where. The account is locked."""

    actor_id: UUID
    account: Account
    address: str | None

    @property
    def user_id(self) -> UUID:
        return self.account.profile_id


async def fetch_users(reader: Reader, params: PageParams, search: str, **values: Any) -> PageBytes:
    scope = ",".join([search, *(f"{name}={value}" for name, value in values.items())])
    page = await USERS[search].fetch_page(reader, params, scope=scope, **values)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def get_user_document(reader: Reader, user_id: UUID) -> asyncpg.Record | None:
    return await reader.fetch_row(USER, user_id=user_id)


async def lock_user(session: AsyncSession, user_id: UUID) -> Account | None:
    return await accounts.lock_account(session, user_id)


async def _record(session: AsyncSession, act: Act, action: AuditAction, **details: str) -> None:
    await record(session, action, subject_id=act.user_id, actor_id=act.actor_id, address=act.address, details=details)


async def ban_user(session: AsyncSession, act: Act, reason: str) -> None:
    """Who is banned already stays so, for the first reason. All sessions end, in every service."""
    if act.account.banned_at is not None:
        return
    values = {"banned_at": func.now(), "ban_reason": reason}
    await session.execute(update(Account).where(Account.profile_id == act.user_id).values(**values))
    # Account, sessions, profile: in the order of who ends a session for a token that was used twice.
    await end_sessions(session, EndReason.BANNED, profile_id=act.user_id)
    await session.execute(update(Profile).where(Profile.id == act.user_id).values(hidden_at=func.now()))
    version = await raise_version(session, act.user_id)
    await emit_event(session, UserBanned(user_id=act.user_id), aggregate_id=act.user_id, aggregate_seq=version)
    await accounts.notify_owner(session, act.user_id, NoticeKind.ACCOUNT_BANNED)
    await _record(session, act, AuditAction.USER_BANNED, reason=reason)


async def unban_user(session: AsyncSession, act: Act, reason: str) -> None:
    if act.account.banned_at is None:
        return
    values = {"banned_at": None, "ban_reason": None}
    await session.execute(update(Account).where(Account.profile_id == act.user_id).values(**values))
    if act.account.confirmed_at is not None:
        await session.execute(update(Profile).where(Profile.id == act.user_id).values(hidden_at=None))
    version = await raise_version(session, act.user_id)
    await emit_event(session, UserUnbanned(user_id=act.user_id), aggregate_id=act.user_id, aggregate_seq=version)
    await _record(session, act, AuditAction.USER_UNBANNED, reason=reason)


async def grant_creator(session: AsyncSession, act: Act) -> None:
    profile = (await session.scalars(select(Profile).filter_by(id=act.user_id).with_for_update())).one()
    if profile.is_creator:
        return
    await creators.activate_creator(session, profile)
    await session.flush()
    await _record(session, act, AuditAction.CREATOR_GRANTED)


async def end_user_sessions(session: AsyncSession, act: Act) -> None:
    ended = await end_sessions(session, EndReason.ENDED_BY_STAFF, profile_id=act.user_id)
    await _record(session, act, AuditAction.SESSIONS_ENDED, sessions=str(len(ended)))


async def reset_factors(session: AsyncSession, act: Act, reason: str) -> None:
    """A login asks for the password alone again; all sessions of the user end."""
    if not act.account.second_factors:
        return
    await mfa.remove_all_factors(session, act.account)
    await end_sessions(session, EndReason.ENDED_BY_STAFF, profile_id=act.user_id)
    await accounts.notify_owner(session, act.user_id, NoticeKind.SECOND_FACTORS_RESET)
    await _record(session, act, AuditAction.FACTORS_RESET, reason=reason)


async def change_roles(session: AsyncSession, act: Act, roles: list[Role]) -> None:
    """All sessions of the user end: their tokens say what they could do before. Raises LastAdminError."""
    names = sorted({role.value for role in roles})
    if sorted(act.account.roles) == names:
        return
    if Role.ADMIN not in names:
        await accounts.refuse_loss_of_last_admin(session, act.account)
    await session.execute(update(Account).where(Account.profile_id == act.user_id).values(roles=names))
    await end_sessions(session, EndReason.ENDED_BY_STAFF, profile_id=act.user_id)
    await _record(session, act, AuditAction.ROLES_CHANGED, roles=" ".join(names))


async def delete_user(session: AsyncSession, act: Act, reason: str) -> None:
    """For good. Raises LastAdminError."""
    await delete_account(session, act.account, NoticeKind.ACCOUNT_REMOVED)
    await _record(session, act, AuditAction.ACCOUNT_DELETED, reason=reason)


async def grant_role(session: AsyncSession, email: str, role: Role) -> bool:
    """For the command that makes the first admin. Whether somebody has confirmed the address."""
    user_id = await accounts.find_owner(session, email)
    account = None if user_id is None else await accounts.lock_account(session, user_id)
    if account is None:
        return False
    if role not in account.roles:
        names = sorted({*account.roles, role.value})
        await session.execute(update(Account).filter_by(profile_id=account.profile_id).values(roles=names))
        await end_sessions(session, EndReason.ENDED_BY_STAFF, profile_id=account.profile_id)
        details = {"roles": " ".join(names), "by": "command"}
        await record(session, AuditAction.ROLES_CHANGED, subject_id=account.profile_id, details=details)
    return True
