"""Letting an app in: who decides, what was decided before, and the code that tells the app."""

from sqlalchemy.ext.asyncio import AsyncSession

from auth.apps import service as apps
from auth.authorizations.queries import BROWSER_LOGIN
from auth.authorizations.schemas import Authorization, BrowserLogin
from auth.codes import service as codes
from auth.codes.service import NewCode
from auth.consents import service as consents
from auth.sessions.constants import SECOND_FACTOR_ACR
from auth.sessions.service import DeviceInfo
from auth.sessions.utils import compute_digest
from chassis.database.queries import Reader
from chassis.security.dependencies import is_strong_enough


async def find_login(reader: Reader, refresh_token: str | None) -> BrowserLogin | None:
    """By the cookie, which is looked at and not used up. None also where the account asks for more than was shown."""
    if refresh_token is None:
        return None
    row = await reader.fetch_row(BROWSER_LOGIN, digest=compute_digest(refresh_token))
    if row is None or (row["second_factors"] and not is_strong_enough(row["acr"], SECOND_FACTOR_ACR)):
        return None
    return BrowserLogin(
        session_id=row["id"],
        profile_id=row["profile_id"],
        username=row["username"],
        amr=tuple(row["amr"]),
        acr=row["acr"],
        authenticated_at=row["authenticated_at"],
    )


async def repeat_consent(session: AsyncSession, authorization: Authorization, login: BrowserLogin) -> str | None:
    """A code without a question, where all of it was allowed before; else None.

    Only where the app is sure to be the same: anybody can call themselves by a public client's name and, on the
    person's own machine, take its place (RFC 8252, 8.6).
    """
    target = authorization.target
    is_sure = target.app.is_confidential or target.redirect_uri.startswith("https://")
    if not is_sure or not authorization.scopes <= await apps.hold_scopes(session, target.app.id):
        return None
    if not await consents.is_covered(session, login.profile_id, target.app.id, authorization.scopes):
        return None
    return await _create_code(session, authorization, login)


async def allow(
    session: AsyncSession, authorization: Authorization, login: BrowserLogin, device: DeviceInfo
) -> str | None:
    """The code; None where the app may not ask for it any more."""
    app = authorization.target.app
    if not authorization.scopes <= await apps.hold_scopes(session, app.id):
        return None
    await consents.give_consent(session, login.profile_id, app, authorization.scopes, device)
    return await _create_code(session, authorization, login)


async def _create_code(session: AsyncSession, authorization: Authorization, login: BrowserLogin) -> str:
    target = authorization.target
    new = NewCode(
        app_id=target.app.id,
        profile_id=login.profile_id,
        redirect_uri=target.sent_redirect_uri,
        scope=" ".join(sorted(authorization.scopes)),
        code_challenge=authorization.code_challenge,
        login_id=login.session_id,
        amr=login.amr,
        acr=login.acr,
        authenticated_at=login.authenticated_at,
    )
    return await codes.create_code(session, new)
