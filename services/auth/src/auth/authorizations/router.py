from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import HTMLResponse

from auth.authorizations.dependencies import OpenedPageDep, PageRoute, StepAnswerDep
from auth.limits.constants import LimitRule
from auth.limits.dependencies import limit_by_address

PAGE: dict[str, Any] = {"content": {"text/html": {"schema": {"type": "string"}}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    303: {"description": "Back to the app with `code` or `error`, `state` and `iss`; or to this page again."},
    400: PAGE | {"description": "The app is not known, or the redirect URI is not one of its own."},
    429: PAGE | {"description": "Too many attempts."},
}
STEP_ANSWERS: dict[int | str, dict[str, Any]] = {
    403: PAGE | {"description": "The login did not work, or the form was not ours."},
    409: PAGE | {"description": "The account has changed meanwhile."},
    503: PAGE | {"description": "Too many passwords wait."},
}
LIMITED = Depends(limit_by_address(LimitRule.AUTHORIZE))

router = APIRouter(prefix="/auth", tags=["authorizations"], route_class=PageRoute)


@router.get(
    "/authorize",
    response_class=HTMLResponse,
    status_code=200,
    summary="Ask somebody to let an app in",
    responses=ANSWERS,
    dependencies=[LIMITED],
)
async def show_authorization(page: OpenedPageDep) -> Response:
    """Where an app of somebody else sends a person's browser (RFC 6749, 4.1, with PKCE by S256).

    A page asks them to log in, if they are not, and then what the app may do. What they allowed before is not asked
    again, unless the app cannot be told from another one: a public client without an HTTPS redirect URI.
    """
    return page


@router.post(
    "/authorize",
    response_class=HTMLResponse,
    status_code=200,
    summary="Answer by the page's buttons",
    responses=ANSWERS | STEP_ANSWERS,
    dependencies=[LIMITED],
)
async def submit_authorization(answer: StepAnswerDep) -> Response:
    """From our own page only."""
    return answer
