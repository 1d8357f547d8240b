"""The pages behind the links of recovery mails. Opening one changes nothing: its button does."""

import re
from dataclasses import replace

from auth.confirmations.constants import TOKEN_PATTERN
from auth.pages.utils import Button, Field, Form, Page

_TOKEN = re.compile(TOKEN_PATTERN)

LINK_INVALID_PAGE = Page(
    "This link is not valid",
    ("It may be incomplete, too old, or used before. Ask for a new mail and follow the newest link.",),
    status=400,
)
PASSWORD_SET_PAGE = Page(
    "Your password is set",
    ("You are logged out everywhere. Log in with the new password; a second factor, if you have one, stays.",),
)
EMAIL_CHANGED_PAGE = Page("Your e-mail address is changed", ("From now on, log in with the new one.",))
EMAIL_HALF_CHANGED_PAGE = Page(
    "One address has confirmed",
    ("The other one has got a mail, too: the change happens when both have confirmed.",),
)
ADDRESS_UNAVAILABLE_PAGE = Page(
    "This address cannot be used", ("It belongs to another account meanwhile. Nothing has changed.",), status=409
)


def build_reset_page(token: str, *, problem: str | None = None) -> Page:
    if not _TOKEN.match(token):
        return replace(LINK_INVALID_PAGE, status=200)  # the page is what was asked for
    form = Form(
        "password-reset",
        [Button("Set the password")],
        {"token": token},
        [Field("password", "New password, 8 characters or more", "password", "new-password")],
    )
    texts = ("Choose a new password. You will be logged out everywhere.",) if problem is None else (problem,)
    return Page("Set a new password", texts, form=form, status=200 if problem is None else 422)


def build_email_change_page(token: str) -> Page:
    if not _TOKEN.match(token):
        return replace(LINK_INVALID_PAGE, status=200)  # the page is what was asked for
    form = Form("email-change", [Button("Change the address")], {"token": token})
    return Page("Change your e-mail address", ("Both addresses have to confirm.",), form=form)
