"""The bytes of a mail: the same on every try, and no header that its owner did not mean."""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.mail.exceptions import MailUnwritableError
from worker.mail.schemas import EmailClaim, EmailContent
from worker.mail.utils import build_mail, check_lines, parse_address

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
LINE_ENDS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\x00"]


def parse(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def read_body(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n")


class TestBuildMail:
    def test_valid(self, claim: EmailClaim, content: EmailContent) -> None:
        mail = build_mail(claim, content)
        message = parse(mail.content)
        assert message.keys() == HEADERS
        assert message["From"] == "Broadsheet <no-reply@broadsheet.example>"
        assert message["To"] == "reader@example.org"
        assert message["Date"] == "Sun, 22 Nov 2026 08:00:00 +0000"
        assert message["Message-ID"] == "<edition-1@broadsheet.example>"
        assert read_body(message, "plain") == "Good morning\n.\n..\nbye\n"
        assert read_body(message, "html") == "<p>Good <b>morning</b></p>\n"
        assert (mail.sender, mail.recipient) == ("no-reply@broadsheet.example", "reader@example.org")

    def test_same_bytes_on_every_try(self, claim: EmailClaim, content: EmailContent) -> None:
        later = claim.model_copy(update={"fence": 7})
        assert build_mail(claim, content) == build_mail(later, content)

    def test_other_mail_other_boundary(self, claim: EmailClaim, content: EmailContent) -> None:
        other = claim.model_copy(update={"message_id": "<edition-2@broadsheet.example>"})
        boundaries = {parse(build_mail(each, content).content).get_boundary() for each in (claim, other)}
        assert len(boundaries) == 2

    def test_address_outside_ascii(self, claim: EmailClaim, content: EmailContent) -> None:
        mail = build_mail(claim.model_copy(update={"recipient": "zoë@bücher.example"}), content)
        assert mail.needs_utf8
        assert mail.recipient == "zoë@xn--bcher-kva.example"
        assert "To: zoë@xn--bcher-kva.example\r\n".encode() in mail.content

    def test_text_only(self, claim: EmailClaim, content: EmailContent) -> None:
        message = parse(build_mail(claim, content.model_copy(update={"html": None})).content)
        assert message.get_content_type() == "text/plain"

    def test_long_and_foreign_text(self, claim: EmailClaim, content: EmailContent) -> None:
        long = content.model_copy(update={"subject": "Zeitung " * 30 + "日本語 🗞️", "text": "ä" * 5000 + "日本語 🗞️\n"})
        mail = build_mail(claim, long)
        assert max(len(line) for line in mail.content.split(b"\r\n")) <= 998
        assert mail.content.isascii()
        message = parse(mail.content)
        assert message["Subject"] == long.subject
        assert read_body(message, "plain") == long.text

    @pytest.mark.parametrize("length", range(55, 100))
    def test_subject_as_long_as_a_line(self, claim: EmailClaim, content: EmailContent, length: int) -> None:
        subject = ("Broadsheet: " + "word " * 20)[:length].strip()
        message = parse(build_mail(claim, content.model_copy(update={"subject": subject})).content)
        assert message["Subject"] == subject

    @pytest.mark.parametrize("line_end", LINE_ENDS)
    def test_header_injection_by_subject(self, claim: EmailClaim, content: EmailContent, line_end: str) -> None:
        evil = content.model_copy(update={"subject": f"Hi{line_end}Bcc: all@example.org{line_end}{line_end}body"})
        message = parse(build_mail(claim, evil).content)
        assert message.keys() == HEADERS
        assert message["Subject"].startswith("Hi ")

    @pytest.mark.parametrize("line_end", LINE_ENDS)
    @pytest.mark.parametrize("field", ["sender", "recipient", "message_id"])
    def test_header_injection_by_address(
        self, claim: EmailClaim, content: EmailContent, field: str, line_end: str
    ) -> None:
        value = {"message_id": f"<a{line_end}b@c>"}.get(field, f"a@example.org{line_end}Bcc: all@example.org")
        with pytest.raises(MailUnwritableError):
            build_mail(claim.model_copy(update={field: value}), content)

    @given(subject=st.text(max_size=200), text=st.text(max_size=500), html=st.text(max_size=500))
    def test_any_text(self, subject: str, text: str, html: str) -> None:
        claim = EmailClaim.model_validate(
            {
                "fence": 1,
                "email_id": "00000000-0000-0000-0000-000000000001",
                "sender": "a@example.org",
                "recipient": "b@example.org",
                "message_id": "<1@example.org>",
                "date": "2026-11-22T08:00:00Z",
            }
        )
        mail = build_mail(claim, EmailContent(subject=subject, text=text, html=html))
        message = parse(mail.content)
        assert message.keys() == HEADERS
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n", mail.content)


class TestParseAddress:
    @pytest.mark.parametrize(
        ("text", "spec"),
        [
            ("a@example.org", "a@example.org"),
            ("Reader, A <a@example.org>", None),
            ('"Reader, A" <a@example.org>', "a@example.org"),
            ("Zoë <zoe@bücher.example>", "zoe@xn--bcher-kva.example"),
            ("zoë@example.org", "zoë@example.org"),
        ],
    )
    def test_valid(self, text: str, spec: str | None) -> None:
        if spec is None:
            with pytest.raises(MailUnwritableError):
                parse_address(text)
        else:
            assert parse_address(text).addr_spec == spec

    @pytest.mark.parametrize(
        "text", ["", "nobody", "@example.org", "a@", "a@b@c", "a@b, c@d", "a@" + "x" * 70 + ".org"]
    )
    def test_unreadable(self, text: str) -> None:
        with pytest.raises(MailUnwritableError):
            parse_address(text)


class TestCheckLines:
    @pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\n.\nMAIL FROM:<x>\r\n"])
    def test_smuggling(self, content: bytes) -> None:
        with pytest.raises(MailUnwritableError):
            check_lines(content)
