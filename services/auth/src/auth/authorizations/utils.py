"""The pages on which people let an app in, and the way back to it."""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode, urlsplit

from auth.authorizations.constants import PATH, SCOPE_TEXTS, Step
from auth.authorizations.schemas import Authorization, Target
from auth.mfa.constants import Method
from auth.mfa.schemas import Asked
from auth.pages.utils import Button, Field, Form, Page

_LOG_IN = Button("Log in", "step", Step.LOG_IN)
_CANCEL = Button("Cancel", "step", Step.DENY)


def build_location(target: Target, issuer: str, parameters: Mapping[str, str]) -> str:
    """With the state as it came, and who answers (RFC 9207). The URI's own query stays."""
    state = {} if target.state is None else {"state": target.state}
    separator = "&" if "?" in target.redirect_uri else "?"
    return f"{target.redirect_uri}{separator}{urlencode({**parameters, **state, 'iss': issuer})}"


def build_form_target(redirect_uri: str) -> str:
    """Where a form's answer may lead to, as Content-Security-Policy names it: it knows no IPv6."""
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https" or (parts.scheme == "http" and "[" not in parts.netloc):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def describe_place(redirect_uri: str) -> str:
    """Where they are sent back to, as people can tell."""
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https":
        return parts.netloc
    return "an app on this device"


def build_bounce_page(query: str) -> Page:
    """Coming from another site, a browser keeps the cookie back; coming from here, it sends it."""
    form = Form(f"{PATH}?{query}", [Button("Go on", "step", Step.CONTINUE)])
    return Page("One moment", ("You are being asked to let an app in.",), form=form, refresh=f"{PATH}?{query}")


def build_login_page(target: Target, query: str, *, problem: str | None = None, status: int = 200) -> Page:
    fields = [
        Field("username", "E-mail address", "email", "username"),
        Field("password", "Password", "password", "current-password"),
    ]
    text = f"Log in to Broadsheet to decide whether {target.app.name} may use your account."
    form = Form(f"{PATH}?{query}", [_LOG_IN, _CANCEL], fields=fields)
    return Page("Log in", (problem, text) if problem else (text,), form=form, status=status)


def build_code_page(query: str, asked: Asked, *, problem: str | None = None, status: int = 200) -> Page:
    """A passkey takes a script, which there is none of here."""
    if not {Method.TOTP, Method.RECOVERY_CODE} & set(asked.methods):
        text = "Your account asks for a passkey. Log in to Broadsheet with it, then come back to the app and try again."
        return Page("Log in with your passkey", (text,), form=Form(f"{PATH}?{query}", [_CANCEL]))
    text = "Enter the code of your authenticator app, or one of your recovery codes."
    form = Form(
        f"{PATH}?{query}",
        [Button("Go on", "step", Step.SHOW_CODE), _CANCEL],
        {"mfa_token": asked.mfa_token},
        [Field("code", "Code", "text", "one-time-code")],
    )
    return Page("Second step", (problem, text) if problem else (text,), form=form, status=status)


def build_consent_page(authorization: Authorization, query: str, username: str) -> Page:
    target = authorization.target
    made_by = f" ({target.app.website})" if target.app.website else ""
    texts = (f"You are logged in as {username}. {target.app.name}{made_by} asks to:",)
    buttons = [
        Button("Allow", "step", Step.ALLOW),
        Button("Do not allow", "step", Step.DENY),
        Button("I am somebody else", "step", Step.SWITCH),
    ]
    hint = (
        f"It will not learn your password. You will be sent to {describe_place(target.redirect_uri)}, "
        "and can take this back at any time."
    )
    return Page(
        f"Let {target.app.name} in?",
        texts,
        list_texts(authorization.scopes),
        hint,
        Form(f"{PATH}?{query}", buttons),
    )


def list_texts(scopes: Collection[str]) -> list[str]:
    """In one order, whatever order they were asked in."""
    return [text for scope, text in SCOPE_TEXTS.items() if scope in scopes]
