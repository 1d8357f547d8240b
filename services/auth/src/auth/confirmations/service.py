"""Proofs of an e-mail address: asked for by mail, used once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.confirmations.constants import KEPT, LIFETIMES, PRUNE_CONFIRMATIONS, Purpose
from auth.confirmations.models import Confirmation
from auth.confirmations.queries import OPEN_CONFIRMATION
from auth.confirmations.schemas import ConfirmationRead
from auth.confirmations.utils import ConfirmationSigner, compute_digest
from chassis.database.queries import Reader


async def get_open_confirmation(
    reader: Reader, signer: ConfirmationSigner, confirmation_id: UUID
) -> ConfirmationRead | None:
    row = await reader.fetch_row(OPEN_CONFIRMATION, confirmation_id=confirmation_id)
    if row is None:
        return None
    return ConfirmationRead(token=signer.derive_token(confirmation_id), expires_at=row["expires_at"])


async def create_confirmation(
    session: AsyncSession,
    signer: ConfirmationSigner,
    profile_id: UUID,
    purpose: Purpose = Purpose.SIGN_UP,
    *,
    address: str | None = None,
) -> UUID:
    """Open ones of the same purpose are void from now on: only the newest mail counts."""
    await void_confirmations(session, profile_id, purpose)
    # The id first: the token is derived from it.
    confirmation_id: UUID = (await session.scalars(select(func.uuidv7()))).one()
    session.add(
        Confirmation(
            id=confirmation_id,
            profile_id=profile_id,
            purpose=purpose,
            address=address,
            token_digest=compute_digest(signer.derive_token(confirmation_id)),
            created_at=func.now(),
            expires_at=func.now() + LIFETIMES[purpose],
        )
    )
    return confirmation_id


async def void_confirmations(session: AsyncSession, profile_id: UUID, purpose: Purpose) -> None:
    """None that is open works any more."""
    is_open = and_(
        Confirmation.profile_id == profile_id,
        Confirmation.purpose == purpose,
        Confirmation.confirmed_at.is_(None),
        Confirmation.expires_at > func.now(),
    )
    await session.execute(update(Confirmation).where(is_open).values(expires_at=func.now()))


async def find_open(session: AsyncSession, token: str, *purposes: Purpose) -> Confirmation | None:
    """Looks, without using it."""
    return (await session.scalars(select(Confirmation).where(*_is_open(token, purposes)))).one_or_none()


async def use_confirmation(session: AsyncSession, token: str, *purposes: Purpose) -> Confirmation | None:
    """What the token proves; None for one that is unknown, used, expired or for something else.

    One statement: of many at once, the row's lock lets the first have it, and the others see that it is used.
    """
    statement = (
        update(Confirmation)
        .where(*_is_open(token, purposes))
        .values(confirmed_at=func.now())
        .returning(Confirmation)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


def _is_open(token: str, purposes: Sequence[Purpose]) -> tuple[ColumnElement[bool], ...]:
    return (
        Confirmation.token_digest == compute_digest(token),
        Confirmation.purpose.in_(purposes),
        Confirmation.confirmed_at.is_(None),
        Confirmation.expires_at > func.now(),
    )


async def delete_expired_confirmations(session: AsyncSession) -> Sequence[UUID]:
    """Some of those that were over a day ago, used or not; the profiles that they were of, one for each."""
    over = (
        select(Confirmation.id)
        .where(Confirmation.expires_at < func.now() - KEPT)
        .limit(PRUNE_CONFIRMATIONS)
        .with_for_update(skip_locked=True)
    )
    statement = delete(Confirmation).where(Confirmation.id.in_(over)).returning(Confirmation.profile_id)
    return (await session.scalars(statement)).all()
