"""What a mail says: a pure function of its row, so that every try has the same bytes."""

import textwrap
import unicodedata
from collections.abc import Mapping
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from notifications.confirmations.schemas import Confirmation
from notifications.deliveries.constants import (
    LINK_TEXTS,
    PAGES,
    POSTS_PATH,
    SUBJECT_MAX_LENGTH,
    SUBJECTS,
    TEMPLATE_NAMES,
    EmailKind,
)
from notifications.deliveries.schemas import EmailContent, EmailDraft

TEMPLATES = Path(__file__).parent / "templates"
# Besides line breaks: these turn the direction of what follows them, also in a subject.
DIRECTION_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
BREAKS = frozenset({"Cc", "Zl", "Zp", "Cs"})


def to_single_line(text: str) -> str:
    """The text without line breaks, other controls and runs of spaces: fit for a header and for a line of a mail."""
    spaced = "".join(" " if unicodedata.category(char) in BREAKS else char for char in text)
    return " ".join("".join(char for char in spaced if char not in DIRECTION_CONTROLS).split())


def render_email(kind: EmailKind, params: Mapping[str, Any]) -> EmailContent:
    """All text in `params` came from people: it becomes single lines here, and is escaped by the HTML template."""
    values = {name: _flatten(value) for name, value in params.items()}
    values |= LINK_TEXTS.get(kind, {})
    template = TEMPLATE_NAMES.get(kind, kind.value)
    subject = textwrap.shorten(SUBJECTS[kind].format_map(values), SUBJECT_MAX_LENGTH, placeholder="…")
    environment = load_templates()
    return EmailContent(
        subject=subject,
        text=environment.get_template(f"{template}.txt.j2").render(values, subject=subject),
        html=environment.get_template(f"{template}.html.j2").render(values, subject=subject),
    )


def _flatten(value: Any) -> Any:
    if isinstance(value, list):
        return [_flatten(item) for item in value]
    return to_single_line(value) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def load_templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        # Whatever is not plainly text is escaped.
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def get_link(base_url: str, draft: EmailDraft) -> str:
    """Where the mail about a post, a review or something of one's own leads."""
    if "path" in draft.params:
        return f"{base_url}{draft.params['path']}"
    post = f"{base_url}{POSTS_PATH}/{draft.params['post_id']}"
    return f"{post}/reviews" if draft.kind is EmailKind.REVIEW_CREATED else post


def get_confirmation_params(base_url: str, kind: EmailKind, confirmation: Confirmation) -> dict[str, str]:
    """The same at every try: auth derives the token from the confirmation's id."""
    return {
        "link": f"{base_url}{PAGES[kind]}?{urlencode({'token': confirmation.token})}",
        "expires_at": f"{confirmation.expires_at.astimezone(UTC):%-d %B %Y, %H:%M} UTC",
    }
