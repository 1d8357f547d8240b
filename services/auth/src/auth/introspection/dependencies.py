from typing import Annotated

from fastapi import Depends, Form, Request

from auth.clients.exceptions import ClientInvalidError
from auth.clients.utils import ClientCredentials, check_client_id, read_client_credentials
from auth.introspection import service
from auth.introspection.schemas import KnownClient, TokenQuestion
from auth.limits.constants import LimitRule
from auth.limits.dependencies import AddressKeyDep, RateLimiterDep
from chassis.database.dependencies import ReaderDep
from chassis.security.verifier import TokenVerifier

QuestionDep = Annotated[TokenQuestion, Form()]


async def parse_credentials(request: Request, question: QuestionDep) -> ClientCredentials:
    """Raises ClientInvalidError, ClientsManyError."""
    secret = None if question.client_secret is None else question.client_secret.get_secret_value()
    client = read_client_credentials(request.headers.get("authorization", ""), question.client_id, secret)
    if client is None:
        raise ClientInvalidError
    check_client_id(client.client_id)
    return client


CredentialsDep = Annotated[ClientCredentials, Depends(parse_credentials)]


async def valid_client(
    credentials: CredentialsDep, reader: ReaderDep, limiter: RateLimiterDep, address_key: AddressKeyDep
) -> KnownClient:
    """Raises ClientInvalidError, LimitedError."""
    limiter.refuse_blocked(LimitRule.TOKEN, address_key)
    try:
        return await service.check_client(reader, credentials)
    except ClientInvalidError:
        await limiter.hit(LimitRule.TOKEN, address_key)
        raise


async def valid_authenticated_client(
    credentials: CredentialsDep, client: Annotated[KnownClient, Depends(valid_client)]
) -> KnownClient:
    """One that has shown a secret: a name is no proof. Raises ClientInvalidError."""
    if not credentials.secret:
        raise ClientInvalidError
    return client


async def get_token_verifier(request: Request) -> TokenVerifier:
    verifier: TokenVerifier = request.app.state.token_verifier
    return verifier


ClientDep = Annotated[KnownClient, Depends(valid_client)]
AuthenticatedClientDep = Annotated[KnownClient, Depends(valid_authenticated_client)]
TokenVerifierDep = Annotated[TokenVerifier, Depends(get_token_verifier)]
