from typing import Annotated

from fastapi import Depends, Request

from posts.accounts.client import AccountsClient


async def get_accounts_client(request: Request) -> AccountsClient:
    client: AccountsClient = request.app.state.accounts_client
    return client


AccountsClientDep = Annotated[AccountsClient, Depends(get_accounts_client)]
