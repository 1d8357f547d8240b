from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from auth.confirmations import service
from auth.confirmations.exceptions import ConfirmationNotFoundError
from auth.confirmations.schemas import ConfirmationRead
from auth.confirmations.utils import ConfirmationSigner
from chassis.database.dependencies import ReaderDep


async def get_confirmation_signer(request: Request) -> ConfirmationSigner:
    signer: ConfirmationSigner = request.app.state.confirmation_signer
    return signer


ConfirmationSignerDep = Annotated[ConfirmationSigner, Depends(get_confirmation_signer)]


async def valid_confirmation_id(
    confirmation_id: UUID, reader: ReaderDep, signer: ConfirmationSignerDep
) -> ConfirmationRead:
    """An open confirmation."""
    confirmation = await service.get_open_confirmation(reader, signer, confirmation_id)
    if confirmation is None:
        raise ConfirmationNotFoundError
    return confirmation


ValidConfirmationDep = Annotated[ConfirmationRead, Depends(valid_confirmation_id)]
