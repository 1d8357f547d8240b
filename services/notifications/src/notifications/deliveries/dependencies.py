from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from chassis.database.dependencies import ReaderDep
from notifications.deliveries.schemas import FENCE_MAX, EmailDraft
from notifications.deliveries.service import get_draft_or_raise


async def valid_claimed_email(
    email_id: UUID, reader: ReaderDep, fence: Annotated[int, Query(ge=1, le=FENCE_MAX, description="From the claim.")]
) -> EmailDraft:
    """The mail, as long as this fence holds it."""
    return await get_draft_or_raise(reader, email_id, fence)


ClaimedEmailDep = Annotated[EmailDraft, Depends(valid_claimed_email)]
