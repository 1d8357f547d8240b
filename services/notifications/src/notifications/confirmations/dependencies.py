from typing import Annotated

from fastapi import Depends, Request

from notifications.confirmations.client import ConfirmationsClient


async def get_confirmations_client(request: Request) -> ConfirmationsClient:
    client: ConfirmationsClient = request.app.state.confirmations
    return client


ConfirmationsDep = Annotated[ConfirmationsClient, Depends(get_confirmations_client)]
