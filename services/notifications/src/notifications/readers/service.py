"""The projections: each statement may come twice, late, or before what it refers to, and ends the same."""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.contracts.accounts import UserRegistered
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


async def update_reader(session: AsyncSession, event: UserRegistered, *, seq: int) -> None:
    """Take over name and address, unless they are known from a newer event."""
    if not event.email.isprintable() or " " in event.email:
        # Before the database would say so: its message repeats the address, and would end in a log.
        raise AddressUnusableError(f"the address of user {event.user_id} cannot stand in a header")
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
        row.on_conflict_do_update(index_elements=[Reader.user_id], set_=newer, where=Reader.seq < row.excluded.seq)
    )


async def confirm_reader(session: AsyncSession, user_id: UUID) -> None:
    """An address that is confirmed stays so: there is nothing older or newer to compare."""
    row = insert(Reader).values(user_id=user_id, is_confirmed=True)
    confirmed = {"is_confirmed": True, "updated_at": func.now()}
    await session.execute(row.on_conflict_do_update(index_elements=[Reader.user_id], set_=confirmed))


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
    """Ids of those who follow the creator now, in their order: all, or those behind `after_id`."""
    query = select(ReaderFollow.follower_id).where(ReaderFollow.creator_id == creator_id, ReaderFollow.is_following)
    if after_id is not None:
        query = query.where(ReaderFollow.follower_id > after_id)
    return query.order_by(ReaderFollow.follower_id)
