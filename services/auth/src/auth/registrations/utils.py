"""The page behind the link of a confirmation mail."""

import re
from dataclasses import replace

from auth.confirmations.constants import TOKEN_PATTERN
from auth.pages.utils import Button, Form, Page

_TOKEN = re.compile(TOKEN_PATTERN)

CONFIRMED_PAGE = Page("Your e-mail address is confirmed", ("Thank you. You can log in now, and close this page.",))
NOT_CONFIRMED_PAGE = Page(
    "This link is not valid",
    (
        "It may be incomplete, older than a day, or used before.",
        "If you have confirmed your address already, simply log in.",
    ),
    status=400,
)


def build_confirmation_page(token: str) -> Page:
    """A button, because the link itself must do nothing: mail scanners open it as well."""
    if not _TOKEN.match(token):
        return replace(NOT_CONFIRMED_PAGE, status=200)  # the page is what was asked for
    form = Form("confirmation", [Button("Confirm my address")], {"token": token})
    return Page("Confirm your e-mail address", ("One click, and your account is ready.",), form=form)
