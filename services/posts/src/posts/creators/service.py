"""The projection of profiles, and who follows whom."""

from uuid import UUID

from sqlalchemy import case, func, or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import CreatorActivated, UserRegistered, UserUpdated
from chassis.contracts.posts import CreatorFollowed, CreatorUnfollowed
from chassis.database.queries import Reader
from chassis.events.outbox import emit_event
from posts.accounts.client import AccountsClient
from posts.creators.constants import FORGOTTEN, LAST_SEQ, UNKNOWN_SEQ
from posts.creators.exceptions import SelfFollowError
from posts.creators.models import IS_GONE, Creator, CreatorFollower
from posts.creators.queries import PROFILE


async def get_profile(session: AsyncSession, reader: Reader, accounts: AccountsClient, user_id: UUID) -> Creator | None:
    """Somebody's profile as read-only values; asked of auth where the event that tells of it is late."""
    row = await reader.fetch_row(PROFILE, profile_id=user_id)
    return Creator(**row) if row is not None else await _fetch_profile(session, accounts, user_id)


async def get_creator(
    session: AsyncSession, reader: Reader, accounts: AccountsClient, profile_id: UUID
) -> Creator | None:
    """The same for a creator. One just made may write at once, before the event has come."""
    row = await reader.fetch_row(PROFILE, profile_id=profile_id)
    if row is not None and row["is_creator"]:
        return Creator(**row)
    profile = await _fetch_profile(session, accounts, profile_id)
    return profile if profile is not None and profile.is_creator else None


async def _fetch_profile(session: AsyncSession, accounts: AccountsClient, profile_id: UUID) -> Creator | None:
    """Events know better about names, so only what was missing is kept of the answer."""
    profile = await accounts.get_profile(profile_id)
    if profile is None:
        return None
    values = profile.model_dump()
    statement = insert(Creator).values(**values, profile_seq=UNKNOWN_SEQ)
    raised = {"is_creator": Creator.is_creator | statement.excluded.is_creator}
    await session.execute(statement.on_conflict_do_update(index_elements=[Creator.id], set_=raised))
    return Creator(**values)


async def apply_profile(session: AsyncSession, event: UserRegistered | UserUpdated, seq: int) -> None:
    """`is_creator` is left as it is: an activation may have come first."""
    statement = insert(Creator).values(
        id=event.user_id,
        username=event.username,
        first_name=event.first_name,
        last_name=event.last_name,
        avatar_url=event.avatar_url if isinstance(event, UserUpdated) else None,
        profile_seq=seq,
    )
    shown = ("username", "first_name", "last_name", "avatar_url", "profile_seq")
    newer = {name: statement.excluded[name] for name in shown}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Creator.id], set_=newer, where=Creator.profile_seq < statement.excluded.profile_seq
        )
    )


async def apply_activation(session: AsyncSession, event: CreatorActivated, seq: int) -> None:
    statement = insert(Creator).values(
        id=event.user_id,
        username=event.username,
        first_name=event.first_name,
        last_name=event.last_name,
        is_creator=True,
        profile_seq=seq,
    )
    names = ("username", "first_name", "last_name", "is_creator", "profile_seq")
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Creator.id],
            set_={name: statement.excluded[name] for name in names},
            where=Creator.profile_seq < statement.excluded.profile_seq,
        )
    )


async def hide_creator(session: AsyncSession, user_id: UUID, *, is_hidden: bool, seq: int) -> None:
    """Of somebody who is not known yet there is nothing to hide: who is banned was confirmed before, and so told of."""
    known = update(Creator).where(Creator.id == user_id, Creator.hidden_seq < seq)
    await session.execute(known.values(hidden_at=func.now() if is_hidden else None, hidden_seq=seq))


async def forget_creator(session: AsyncSession, user_id: UUID) -> None:
    """A row that names nobody stays, because reviews hang on it; no older event brings the name back."""
    # The moment of the first time stays: it says how long to look for what comes late.
    hidden_at = case((IS_GONE, Creator.hidden_at), else_=func.now())
    last = {"profile_seq": LAST_SEQ, "hidden_seq": LAST_SEQ}
    values = {**FORGOTTEN, "username": f"deleted_{user_id.hex}", "hidden_at": hidden_at, **last}
    await session.execute(update(Creator).where(Creator.id == user_id).values(values))
    either = or_(CreatorFollower.creator_id == user_id, CreatorFollower.follower_id == user_id)
    ended = {"is_following": False, "version": CreatorFollower.version + 1}
    await session.execute(update(CreatorFollower).where(either, CreatorFollower.is_following).values(ended))


async def follow_creator(session: AsyncSession, creator_id: UUID, follower_id: UUID) -> None:
    """One statement, so that of two at once one makes the change and tells of it."""
    if creator_id == follower_id:
        raise SelfFollowError
    statement = (
        insert(CreatorFollower)
        .values(creator_id=creator_id, follower_id=follower_id)
        .on_conflict_do_update(
            index_elements=[CreatorFollower.creator_id, CreatorFollower.follower_id],
            set_={"is_following": True, "version": CreatorFollower.version + 1, "updated_at": func.now()},
            where=~CreatorFollower.is_following,
        )
        .returning(CreatorFollower.id, CreatorFollower.version)
    )
    changed = (await session.execute(statement)).one_or_none()
    if changed is not None:
        event = CreatorFollowed(creator_id=creator_id, follower_id=follower_id)
        await emit_event(session, event, aggregate_id=changed.id, aggregate_seq=changed.version)


async def unfollow_creator(session: AsyncSession, creator_id: UUID, follower_id: UUID) -> None:
    statement = (
        update(CreatorFollower)
        .where(
            CreatorFollower.creator_id == creator_id,
            CreatorFollower.follower_id == follower_id,
            CreatorFollower.is_following,
        )
        .values(is_following=False, version=CreatorFollower.version + 1)
        .returning(CreatorFollower.id, CreatorFollower.version)
    )
    changed = (await session.execute(statement)).one_or_none()
    if changed is not None:
        event = CreatorUnfollowed(creator_id=creator_id, follower_id=follower_id)
        await emit_event(session, event, aggregate_id=changed.id, aggregate_seq=changed.version)
