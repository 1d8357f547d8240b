"""Proofs of an e-mail address: made at sign-up, used once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.confirmations.constants import CONFIRMATION_LIFETIME, PRUNE_CONFIRMATIONS
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


async def create_confirmation(session: AsyncSession, signer: ConfirmationSigner, profile_id: UUID) -> UUID:
    # The id first: the token is derived from it.
    confirmation_id: UUID = (await session.scalars(select(func.uuidv7()))).one()
    session.add(
        Confirmation(
            id=confirmation_id,
            profile_id=profile_id,
            token_digest=compute_digest(signer.derive_token(confirmation_id)),
            created_at=func.now(),
            expires_at=func.now() + CONFIRMATION_LIFETIME,
        )
    )
    return confirmation_id


async def use_confirmation(session: AsyncSession, token: str) -> UUID | None:
    """The profile whose address this proves; None for a token that is unknown, used or expired.

    One statement: of many at once, the row's lock lets the first have it, and the others see that it is used.
    """
    statement = (
        update(Confirmation)
        .where(
            Confirmation.token_digest == compute_digest(token),
            Confirmation.confirmed_at.is_(None),
            Confirmation.expires_at > func.now(),
        )
        .values(confirmed_at=func.now())
        .returning(Confirmation.profile_id)
    )
    return (await session.scalars(statement)).one_or_none()


async def delete_expired_confirmations(session: AsyncSession) -> Sequence[UUID]:
    """Some of those that were over a day ago, used or not; the profiles that they were of, one for each."""
    over = (
        select(Confirmation.id)
        .where(Confirmation.expires_at < func.now() - CONFIRMATION_LIFETIME)
        .limit(PRUNE_CONFIRMATIONS)
        .with_for_update(skip_locked=True)
    )
    statement = delete(Confirmation).where(Confirmation.id.in_(over)).returning(Confirmation.profile_id)
    return (await session.scalars(statement)).all()
