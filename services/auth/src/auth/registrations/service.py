"""Signing up, and confirming the address with which one did."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts import service as accounts
from auth.accounts.constants import NoticeKind
from auth.accounts.models import Account
from auth.accounts.schemas import ProfileMe
from auth.audit.constants import AuditAction
from auth.audit.service import record
from auth.confirmations import service as confirmations
from auth.confirmations.constants import Purpose
from auth.confirmations.exceptions import ConfirmationInvalidError
from auth.confirmations.models import Confirmation
from auth.confirmations.utils import ConfirmationSigner
from auth.profiles.models import Profile
from auth.profiles.service import raise_version, refuse_former_username
from auth.registrations.schemas import ProfileCreate
from chassis.contracts.accounts import SecurityNoticed, UserConfirmed, UserRegistered
from chassis.contracts.base import Event
from chassis.events.outbox import emit_event


@dataclass(frozen=True, slots=True)
class Registration:
    data: ProfileCreate
    password_hash: str


async def create_profile(session: AsyncSession, signer: ConfirmationSigner, registration: Registration) -> ProfileMe:
    """Raises UsernameTakenError.

    Whether somebody has the address already changes nothing that the caller could see, and hardly the work: only the
    mail is another one, and who opens the mailbox may know.
    """
    data = registration.data
    names = {"username": data.username, "first_name": data.first_name, "last_name": data.last_name}
    owner_id = await accounts.find_owner(session, data.email)
    profile = Profile(**names, hidden_at=func.now())
    session.add(profile)
    await session.flush()
    await refuse_former_username(session, profile)
    session.add(Account(profile_id=profile.id, email=data.email, password_hash=registration.password_hash))
    await record(session, AuditAction.USER_REGISTERED, subject_id=profile.id)
    confirmation_id = await confirmations.create_confirmation(session, signer, profile.id)
    event: Event = UserRegistered(user_id=profile.id, email=data.email, confirmation_id=confirmation_id, **names)
    if owner_id is not None:
        event = SecurityNoticed(notice_id=confirmation_id, user_id=owner_id, kind=NoticeKind.SIGN_UP_REPEATED)
    await emit_event(session, event, aggregate_id=profile.id, aggregate_seq=profile.version)
    return ProfileMe(
        id=profile.id,
        **names,
        bio=profile.bio,
        website=profile.website,
        avatar_url=profile.avatar_url,
        is_creator=profile.is_creator,
        created_at=profile.created_at,
        email=data.email,
        is_confirmed=False,
        roles=[],
        language=profile.language,
        time_zone=profile.time_zone,
        updated_at=profile.updated_at,
    )


async def confirm_profile(session: AsyncSession, token: str) -> bool:
    """Whether the token proved an address. Each token does so once, and of several accounts the first gets it."""
    asked = await confirmations.find_open(session, token, Purpose.SIGN_UP)
    if asked is None:
        return False
    email = (await session.scalars(select(Account.email).filter_by(profile_id=asked.profile_id))).one()
    await accounts.lock_address(session, email)
    used = await confirmations.use_confirmation(session, token, Purpose.SIGN_UP)
    if used is None or await accounts.find_owner(session, email) not in (None, used.profile_id):
        return False
    confirm = (
        update(Account)
        .where(Account.profile_id == used.profile_id, Account.confirmed_at.is_(None))
        .values(confirmed_at=func.now())
        .returning(Account.profile_id)
    )
    if (await session.scalars(confirm)).one_or_none() is not None:
        await _welcome(session, used.profile_id)
        await accounts.delete_rivals(session, email)
    return True


async def _welcome(session: AsyncSession, profile_id: UUID) -> None:
    await session.execute(update(Profile).where(Profile.id == profile_id).values(hidden_at=None))
    await record(session, AuditAction.USER_CONFIRMED, subject_id=profile_id)
    version = await raise_version(session, profile_id)
    await emit_event(session, UserConfirmed(user_id=profile_id), aggregate_id=profile_id, aggregate_seq=version)


async def confirm_profile_or_raise(session: AsyncSession, token: str) -> None:
    """Raises ConfirmationInvalidError."""
    if not await confirm_profile(session, token):
        raise ConfirmationInvalidError


async def delete_unconfirmed_profiles(session: AsyncSession) -> int:
    """Of some confirmations that are over: them, and whom they were sent to in vain; how many confirmations.

    Address and username are free again.
    """
    profile_ids = await confirmations.delete_expired_confirmations(session)
    is_unconfirmed = exists().where(Account.profile_id == Profile.id, Account.confirmed_at.is_(None))
    is_asked = exists().where(Confirmation.profile_id == Profile.id)
    over = select(Profile.id).where(Profile.id.in_(profile_ids), is_unconfirmed, ~is_asked)
    await accounts.delete_profiles(session, over)
    return len(profile_ids)
