"""The tokens of confirmation mails, and the page that such a mail leads to."""

import base64
import hashlib
import hmac
import re
from html import escape
from typing import Self
from uuid import UUID

from auth.confirmations.config import ConfirmationConfig
from auth.confirmations.constants import TOKEN_PATTERN

_TOKEN = re.compile(TOKEN_PATTERN)


class ConfirmationSigner:
    """Derives a confirmation's token from its id, so that the mail can be written again, and a dump holds no token."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def from_config(cls, config: ConfirmationConfig) -> Self:
        return cls(config.secret.get_secret_value().encode())

    def derive_token(self, confirmation_id: UUID) -> str:
        mac = hmac.digest(self._secret, str(confirmation_id).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def compute_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


STYLE = """
:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif }
body { display: grid; place-content: center; min-height: 100vh; margin: 0; text-align: center }
main { max-width: 30rem; padding: 2rem }
h1 { font-size: 1.5rem; font-weight: 600 }
button { font: inherit; padding: .6rem 1.6rem; border: 0; border-radius: .4rem; background: #1c5d99; color: #fff }
button:hover, button:focus-visible { background: #14446f }
""".strip()
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · Broadsheet</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
# The action is relative, so that it holds behind a gateway that strips a prefix.
_FORM = """<p>One click, and your account is ready.</p>
<form method="post" action="confirmation">
<input type="hidden" name="token" value="{token}">
<button type="submit">Confirm my address</button>
</form>"""
_DONE = "<p>Thank you. You can log in now, and close this page.</p>"
_INVALID = """<p>It may be incomplete, older than a day, or used before.
If you have confirmed your address already, simply log in.</p>"""


def build_question_page(token: str) -> str:
    """A button, because the link itself must do nothing: mail scanners open it as well."""
    if not _TOKEN.match(token):
        return build_outcome_page(is_confirmed=False)
    return _build_page("Confirm your e-mail address", _FORM.format(token=escape(token)))


def build_outcome_page(*, is_confirmed: bool) -> str:
    if is_confirmed:
        return _build_page("Your e-mail address is confirmed", _DONE)
    return _build_page("This link is not valid", _INVALID)


def _build_page(title: str, content: str) -> str:
    return _PAGE.format(title=escape(title), style=STYLE, content=content)
