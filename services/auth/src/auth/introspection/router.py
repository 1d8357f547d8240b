from fastapi import APIRouter, Depends

from auth.clients.dependencies import refuse_repeated_fields
from auth.clients.exceptions import ClientInvalidError, ClientsManyError, ParameterRepeatedError
from auth.clients.utils import oauth_responses
from auth.introspection import service
from auth.introspection.dependencies import AuthenticatedClientDep, ClientDep, QuestionDep, TokenVerifierDep
from auth.introspection.exceptions import TokenForeignError, TokenTypeUnsupportedError
from auth.introspection.schemas import ActiveTokenRead, InactiveTokenRead
from auth.limits.constants import LimitRule
from auth.limits.dependencies import limit_by_address
from auth.limits.exceptions import LimitedError
from auth.tokens.dependencies import OAuthRoute
from auth.tokens.exceptions import TokenRequestInvalidError
from chassis.database.dependencies import ReaderDep, SessionDep

ERRORS = (TokenRequestInvalidError, ParameterRepeatedError, ClientsManyError, ClientInvalidError, LimitedError)
CHECKED = [Depends(limit_by_address(LimitRule.INTROSPECT)), Depends(refuse_repeated_fields)]

router = APIRouter(prefix="/auth", tags=["tokens"], route_class=OAuthRoute)


@router.post(
    "/introspect",
    response_model_exclude_none=True,
    status_code=200,
    summary="Ask whether a token is good",
    responses=oauth_responses(*ERRORS),
    dependencies=CHECKED,
)
async def introspect_token(
    question: QuestionDep, client: AuthenticatedClientDep, verifier: TokenVerifierDep, reader: ReaderDep
) -> ActiveTokenRead | InactiveTokenRead:
    """RFC 7662, for services and for apps with a secret (HTTP Basic or form), which are told of their own tokens alone.

    Our own services need it for nothing: they verify access tokens offline.
    """
    return await service.introspect_token(reader, verifier, client, question.token.get_secret_value())


@router.post(
    "/revoke",
    status_code=200,
    summary="Give a token up",
    responses=oauth_responses(*ERRORS, TokenForeignError, TokenTypeUnsupportedError),
    dependencies=CHECKED,
)
async def revoke_token(
    question: QuestionDep, client: ClientDep, verifier: TokenVerifierDep, session: SessionDep
) -> None:
    """RFC 7009, for the apps of others: with any of its tokens the whole session ends. Ours have `/auth/logout`.

    200 also for what is no token, or none any more.
    """
    await service.revoke_token(session, verifier, client, question.token.get_secret_value())
