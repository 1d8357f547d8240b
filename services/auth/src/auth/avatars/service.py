"""Avatars: taken in here, made by the worker, served from here."""

from base64 import b64encode
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.accounts.service import emit_user_updated, lock_profile
from auth.avatars.constants import FAILED_KEPT, PRUNE_AVATARS, RESIZE_QUEUE, RESIZE_TASK, AvatarSize, AvatarState
from auth.avatars.models import Avatar
from auth.avatars.queries import IMAGE, NEWEST
from auth.avatars.schemas import AvatarClaim, AvatarFailure, AvatarRead, AvatarResult
from auth.profiles.models import Profile
from chassis.database.queries import Reader
from chassis.jobs.exceptions import JobNotFoundError
from chassis.jobs.models import JobState
from chassis.jobs.service import claim_job, complete_job, fail_job
from chassis.jobs.sources import JobSource

AVATARS = JobSource(Avatar, RESIZE_TASK, RESIZE_QUEUE)


async def get_image(reader: Reader, profile_id: UUID, avatar_id: UUID, size: AvatarSize) -> bytes | None:
    row = await reader.fetch_row(IMAGE, profile_id=profile_id, avatar_id=avatar_id, size=size.value)
    return None if row is None else row["image"]


async def get_newest_document(reader: Reader, profile_id: UUID) -> bytes | None:
    row = await reader.fetch_row(NEWEST, profile_id=profile_id)
    return None if row is None else row["body"]


async def upload_avatar(session: AsyncSession, profile: Profile, source: bytes) -> AvatarRead:
    """Uploads before it that wait or failed give way to it; the avatar that is shown stays. `profile` is locked."""
    others = delete(Avatar).where(Avatar.profile_id == profile.id, Avatar.id.is_distinct_from(profile.avatar_id))
    await session.execute(others)
    avatar = Avatar(profile_id=profile.id, source=source)
    session.add(avatar)
    await session.flush()
    return AvatarRead(avatar_id=avatar.id, state=AvatarState.PROCESSING, error=None)


async def delete_avatar(session: AsyncSession, profile: Profile) -> None:
    """And whatever waits to become one. `profile` is locked."""
    await session.execute(delete(Avatar).where(Avatar.profile_id == profile.id))
    await _show_avatar(session, profile, None)


async def claim_avatar(session: AsyncSession, avatar_id: UUID) -> AvatarClaim:
    """Raises JobNotFoundError, JobNotClaimableError."""
    avatar = await claim_job(session, Avatar, avatar_id)
    source = (await session.scalars(select(Avatar.source).where(Avatar.id == avatar_id))).one()
    return AvatarClaim.model_validate(
        {
            "avatar_id": avatar.id,
            "fence": avatar.fence,
            "lease_ends_at": avatar.lease_ends_at,
            "image": b64encode(source or b""),
        }
    )


async def complete_avatar(session: AsyncSession, avatar_id: UUID, result: AvatarResult) -> None:
    """It is shown from now on. Raises JobNotFoundError, StaleFenceError. The same report twice does nothing more."""
    profile = await _lock_owner(session, avatar_id)
    images = {"small": result.small, "large": result.large, "source": None}
    avatar = await complete_job(session, Avatar, avatar_id, fence=result.fence, values=images)
    if avatar is not None:
        # There is no newer one: an upload deletes those that wait.
        await session.execute(delete(Avatar).where(Avatar.profile_id == profile.id, Avatar.id != avatar_id))
        await _show_avatar(session, profile, avatar_id)


async def fail_avatar(session: AsyncSession, avatar_id: UUID, failure: AvatarFailure) -> None:
    """Tried again later, unless that is pointless. Raises JobNotFoundError, StaleFenceError."""
    avatar = await fail_job(
        session,
        Avatar,
        avatar_id,
        fence=failure.fence,
        error=failure.error,
        permanent=failure.permanent,
        values={"error_code": failure.code.value},
    )
    if avatar is not None and avatar.state == JobState.DEAD:
        avatar.source = None
        await session.flush()


async def delete_failed_avatars(session: AsyncSession) -> int:
    """Some of those whose owner has been told for long enough; how many."""
    old = (
        select(Avatar.id)
        .where(Avatar.state == JobState.DEAD, Avatar.finished_at < func.now() - FAILED_KEPT)
        .limit(PRUNE_AVATARS)
        .with_for_update(skip_locked=True)
    )
    deleted = await session.scalars(delete(Avatar).where(Avatar.id.in_(old)).returning(Avatar.id))
    return len(deleted.all())


async def _lock_owner(session: AsyncSession, avatar_id: UUID) -> Profile:
    """The profile first, then its avatar, as an upload does: two orders could deadlock."""
    profile_id = await session.scalar(select(Avatar.profile_id).where(Avatar.id == avatar_id))
    own = None if profile_id is None else await lock_profile(session, profile_id)
    if own is None:
        raise JobNotFoundError
    return own.profile


async def _show_avatar(session: AsyncSession, profile: Profile, avatar_id: UUID | None) -> None:
    if profile.avatar_id != avatar_id:
        profile.avatar_id = avatar_id
        await session.flush()
        await emit_user_updated(session, profile.id)
