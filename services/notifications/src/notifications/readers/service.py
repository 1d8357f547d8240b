"""The projections: each statement may come twice, late, or before what it refers to, and ends the same."""

from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserRegistered, UserUpdated
from notifications.readers.constants import READERS_LOCK
from notifications.readers.exceptions import AddressUnusableError
from notifications.readers.models import Reader, ReaderFollow


async def lock_readers(session: AsyncSession, *, shared: bool = False) -> None:
    """Until the transaction ends. To be called before anything is read.

    Who notifies (`shared`) mails those who are confirmed, and who confirms a reader mails what was missed: if neither
    saw the other's change, because it was not committed, both would leave the mail to the other.
    """
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    await session.execute(select(lock(READERS_LOCK)))


def refuse_unusable_address(user_id: UUID, email: str) -> None:
    """Before the database would say so: its message repeats the address, and would end in a log.

    Raises AddressUnusableError.
    """
    if not email.isprintable() or " " in email:
        raise AddressUnusableError(f"the address of user {user_id} cannot stand in a header")


async def update_reader(session: AsyncSession, event: UserRegistered | UserUpdated, *, seq: int) -> None:
    """Take over name and address, unless they are known from a newer event, or the person is gone."""
    refuse_unusable_address(event.user_id, event.email)
    row = insert(Reader).values(
        user_id=event.user_id,
        email=event.email,
        username=event.username,
        first_name=event.first_name,
        last_name=event.last_name,
        seq=seq,
    )
    known = ("email", "username", "first_name", "last_name", "seq")
    newer = {name: row.excluded[name] for name in known} | {"updated_at": func.now()}
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[Reader.user_id],
            set_=newer,
            where=and_(Reader.seq < row.excluded.seq, Reader.deleted_at.is_(None)),
        )
    )


async def confirm_reader(session: AsyncSession, user_id: UUID) -> None:
    """An address that is confirmed stays so: there is nothing older or newer to compare."""
    row = insert(Reader).values(user_id=user_id, is_confirmed=True)
    confirmed = {"is_confirmed": True, "updated_at": func.now()}
    await session.execute(row.on_conflict_do_update(index_elements=[Reader.user_id], set_=confirmed))


async def ban_reader(session: AsyncSession, user_id: UUID, *, is_banned: bool, seq: int) -> None:
    """Keep the newest word on whether they are."""
    row = insert(Reader).values(user_id=user_id, is_banned=is_banned, ban_seq=seq)
    values = {"is_banned": is_banned, "ban_seq": seq, "updated_at": func.now()}
    await session.execute(
        row.on_conflict_do_update(index_elements=[Reader.user_id], set_=values, where=Reader.ban_seq < seq)
    )


async def forget_reader(session: AsyncSession, user_id: UUID) -> None:
    """Name and address go; a row that names nobody stays, so that nothing of them comes back with an older event."""
    gone = {"email": None, "username": None, "first_name": None, "last_name": None, "is_confirmed": False}
    row = insert(Reader).values(user_id=user_id, deleted_at=func.now())
    # The moment of the first time stays: it says how long to look for what comes late.
    values = gone | {"deleted_at": func.coalesce(Reader.deleted_at, func.now()), "updated_at": func.now()}
    await session.execute(row.on_conflict_do_update(index_elements=[Reader.user_id], set_=values))
    follows = update(ReaderFollow).where(ReaderFollow.follower_id == user_id)
    await session.execute(follows.values(is_following=False, updated_at=func.now()))
    await session.execute(delete(ReaderFollow).where(ReaderFollow.creator_id == user_id))


async def update_follow(
    session: AsyncSession, *, creator_id: UUID, follower_id: UUID, is_following: bool, seq: int
) -> None:
    """Keep the newest word on whether one follows the other."""
    row = insert(ReaderFollow).values(
        creator_id=creator_id, follower_id=follower_id, is_following=is_following, seq=seq
    )
    newer = {"is_following": row.excluded.is_following, "seq": row.excluded.seq, "updated_at": func.now()}
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[ReaderFollow.creator_id, ReaderFollow.follower_id],
            set_=newer,
            where=ReaderFollow.seq < row.excluded.seq,
        )
    )


async def get_full_name(session: AsyncSession, user_id: UUID) -> str | None:
    """None as long as the person's registration has not arrived."""
    name = func.concat_ws(" ", Reader.first_name, Reader.last_name)
    return await session.scalar(select(func.nullif(name, "")).where(Reader.user_id == user_id))


def select_followers(creator_id: UUID, *, after_id: UUID | None) -> Select[UUID]:
    """Ids of those who follow the creator now, in their order: all, or those behind `after_id`.

    Without who is gone: a follow may come after the deletion, for each feed has its own pace.
    """
    is_gone = exists().where(Reader.user_id == ReaderFollow.follower_id, Reader.deleted_at.is_not(None))
    query = select(ReaderFollow.follower_id).where(
        ReaderFollow.creator_id == creator_id, ReaderFollow.is_following, ~is_gone
    )
    if after_id is not None:
        query = query.where(ReaderFollow.follower_id > after_id)
    return query.order_by(ReaderFollow.follower_id)
