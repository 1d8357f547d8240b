from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.deliveries.constants import SUBJECT_MAX_LENGTH, EmailKind
from notifications.deliveries.utils import render_email, to_single_line

XSS = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
KINDS = list(EmailKind)


def create_params(text: str) -> dict[str, Any]:
    """What people wrote, in every place at once."""
    return {
        "confirmation_id": str(uuid4()),
        "post_id": str(uuid4()),
        "link": "https://broadsheet.example/api/v1/posts/1",
        "expires_at": "24 November 2026, 08:05 UTC",
        "rating": 4,
        "details": [f"Device: {text}"],
        **dict.fromkeys(("first_name", "creator_name", "reviewer_name", "post_title", "text", "title"), text),
    }


class Tags(HTMLParser):
    """Every tag and attribute that a mail program would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


class TestRenderEmail:
    @pytest.mark.parametrize("kind", KINDS)
    def test_markup_is_escaped(self, kind: EmailKind) -> None:
        content = render_email(kind, create_params(XSS))
        found = Tags(content.html)
        assert not found.tags & {"script", "img"}
        assert not {name for name in found.attributes if name.startswith("on")}
        assert "&lt;script&gt;" in content.html
        # In plain text there is nothing to escape.
        assert XSS in content.text

    @pytest.mark.parametrize("kind", KINDS)
    def test_line_breaks_add_no_header(self, kind: EmailKind) -> None:
        content = render_email(kind, create_params("Hi\r\nBcc: all@reader.example\n\nBuy"))
        message = EmailMessage(policy=SMTP)
        message["Subject"] = content.subject
        assert message.keys() == ["Subject"]
        assert len(content.subject.splitlines()) == 1
        # Nor a line of its own in the text, which could pass for ours.
        assert not any(line.startswith(("Bcc", "Buy")) for line in content.text.splitlines())

    @pytest.mark.parametrize("kind", KINDS)
    def test_long_title(self, kind: EmailKind) -> None:
        assert len(render_email(kind, create_params("word " * 500)).subject) <= SUBJECT_MAX_LENGTH

    def test_braces_in_a_title(self) -> None:
        content = render_email(EmailKind.POST_PUBLISHED, create_params("{creator_name} {{ 7 * 7 }} {0}"))
        assert content.subject == "{creator_name} {{ 7 * 7 }} {0}: {creator_name} {{ 7 * 7 }} {0}"
        assert "49" not in content.html

    def test_no_excerpt(self) -> None:
        content = render_email(EmailKind.POST_PUBLISHED, create_params("On rivers") | {"text": ""})
        assert "\n\n\n" not in content.text


class TestToSingleLine:
    @given(st.text())
    def test_always_one_printable_line(self, text: str) -> None:
        line = to_single_line(text)
        assert len(line.splitlines()) <= 1
        assert line == to_single_line(line)
        assert not any(char in line for char in "\r\n\x00\u2028\u2029\x85\u202e")

    def test_emoji_and_accents_stay(self) -> None:
        assert to_single_line("Élise  👩\u200d🔬\tat work") == "Élise 👩\u200d🔬 at work"
