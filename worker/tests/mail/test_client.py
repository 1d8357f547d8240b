"""Each thing a mail hop can do, and what it means for the mail."""

import smtplib
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from pydantic import SecretStr

from worker.exceptions import describe_error
from worker.mail.client import SmtpClient, quote_dots
from worker.mail.exceptions import (
    MailAmbiguousError,
    MailDeferredError,
    MailHopAwayError,
    MailRejectedError,
)
from worker.mail.schemas import OutgoingMail

CUT = "CUT"


class Hop(Protocol):
    """The fixture of conftest.py."""

    replies: dict[str, str]
    verbs: list[str]
    commands: list[str]
    mails: list[bytes]
    connections: int
    port: int


CreateSmtp = Callable[..., SmtpClient]


def do_nothing() -> None:
    """The owner let the mail go."""


class TestSend:
    def test_valid(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        assert create_smtp(hop.port).send(mail, before_dot=do_nothing) == "250 2.0.0 taken as 1"
        assert hop.mails == [quote_dots(mail.content)]
        assert f"mail FROM:<{mail.sender}> size={len(mail.content)}".lower() in [each.lower() for each in hop.commands]

    def test_asked_when_only_the_dot_is_missing(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        seen: list[list[str]] = []
        create_smtp(hop.port).send(mail, before_dot=lambda: seen.append(list(hop.verbs)))
        assert seen == [["HELLO", "EHLO", "MAIL", "RCPT", "DATA"]]

    def test_not_allowed_to_end_it(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        def refuse() -> None:
            raise PermissionError

        smtp = create_smtp(hop.port)
        with pytest.raises(PermissionError):
            smtp.send(mail, before_dot=refuse)
        # The same client goes on with a connection of its own, and the first mail was never whole.
        smtp.send(mail, before_dot=do_nothing)
        assert len(hop.mails) == 1
        assert hop.connections == 2

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
    @pytest.mark.parametrize(
        ("words", "kind"), [("451 4.3.0 not now", MailDeferredError), ("550 5.1.1 never", MailRejectedError)]
    )
    def test_refused(
        self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail, verb: str, words: str, kind: type[Exception]
    ) -> None:
        smtp = create_smtp(hop.port)
        hop.replies[verb] = words
        with pytest.raises(kind) as caught:
            smtp.send(mail, before_dot=do_nothing)
        assert describe_error(caught.value) == words
        hop.replies.clear()
        smtp.send(mail, before_dot=do_nothing)
        assert hop.connections == 1, "a refused mail does not cost the connection"

    def test_words_of_the_hop_stay_out_of_the_log(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        hop.replies["RCPT"] = "550 5.1.1 <reader@example.org> unknown"
        with pytest.raises(MailRejectedError) as caught:
            create_smtp(hop.port).send(mail, before_dot=do_nothing)
        assert "reader" not in str(caught.value)
        assert "reader" in describe_error(caught.value)

    @pytest.mark.parametrize("verb", ["HELLO", "EHLO", "MAIL", "RCPT", "DATA"])
    @pytest.mark.parametrize("words", [CUT, "421 4.3.2 closing"])
    def test_away_before_the_dot(
        self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail, verb: str, words: str
    ) -> None:
        hop.replies[verb] = words
        with pytest.raises((MailHopAwayError, MailDeferredError)):
            create_smtp(hop.port).send(mail, before_dot=do_nothing)

    def test_nobody_listens(self, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        with pytest.raises(MailHopAwayError):
            create_smtp(1).send(mail, before_dot=do_nothing)

    def test_unwelcome_greeting(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        hop.replies["HELLO"] = "554 no service for you"
        with pytest.raises(MailHopAwayError):
            create_smtp(hop.port).send(mail, before_dot=do_nothing)

    def test_credentials_wanted(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        """The operator's to mend: the mail itself is well."""
        hop.replies["MAIL"] = "530 5.7.0 authenticate first"
        with pytest.raises(MailDeferredError):
            create_smtp(hop.port).send(mail, before_dot=do_nothing)

    @pytest.mark.parametrize("words", [CUT, "what? no code", "199 what?"])
    def test_cut_after_the_dot(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail, words: str) -> None:
        hop.replies["."] = words
        smtp = create_smtp(hop.port)
        with pytest.raises(MailAmbiguousError):
            smtp.send(mail, before_dot=do_nothing)
        hop.replies.clear()
        smtp.send(mail, before_dot=do_nothing)
        assert hop.connections == 2

    def test_silent_after_the_dot(self, mail_hop: Any, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        mail_hop.behave("hang")
        with pytest.raises(MailAmbiguousError):
            create_smtp(mail_hop.port, dot_timeout=0.2).send(mail, before_dot=do_nothing)

    def test_address_outside_ascii(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        foreign = OutgoingMail(mail.sender, "zoë@example.org", mail.content, needs_utf8=True)
        with pytest.raises(MailRejectedError):
            create_smtp(hop.port).send(foreign, before_dot=do_nothing)

    def test_address_outside_ascii_at_a_hop_that_takes_it(
        self, mail_hop: Any, create_smtp: CreateSmtp, mail: OutgoingMail
    ) -> None:
        smtp = create_smtp(mail_hop.port)
        smtp.send(OutgoingMail(mail.sender, "zoë@example.org", mail.content, needs_utf8=True), before_dot=do_nothing)
        smtp.send(mail, before_dot=do_nothing)
        assert [message.recipients for message in mail_hop.list_messages()] == [
            ["reader@example.org"],
            ["zoë@example.org"],
        ]


class TestConnection:
    def test_kept_between_mails(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        smtp = create_smtp(hop.port)
        for _ in range(3):
            smtp.send(mail, before_dot=do_nothing)
        assert (hop.connections, len(hop.mails)) == (1, 3)

    @pytest.mark.parametrize("words", [CUT, "421 4.4.2 idle too long"])
    def test_dead_one_replaced(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail, words: str) -> None:
        smtp = create_smtp(hop.port)
        smtp.send(mail, before_dot=do_nothing)
        hop.replies["MAIL"] = words
        smtp_error: list[Exception] = []
        # The reply is the script's for both connections: the second one says it too, which proves the second try.
        with pytest.raises((MailHopAwayError, MailDeferredError)):
            smtp.send(mail, before_dot=lambda: smtp_error.append(ValueError()))
        assert hop.connections == 2
        assert not smtp_error

    def test_idle_one_replaced(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        smtp = create_smtp(hop.port, idle_seconds=0.0)
        smtp.send(mail, before_dot=do_nothing)
        smtp.send(mail, before_dot=do_nothing)
        assert hop.connections == 2
        assert "QUIT" in hop.verbs

    def test_login(self, hop: Hop, create_smtp: CreateSmtp, mail: OutgoingMail) -> None:
        hop.replies["EHLO"] = "250-hop\r\n250 AUTH PLAIN"
        hop.replies["AUTH"] = "535 5.7.8 wrong"
        smtp = create_smtp(hop.port, username="broadsheet", password=SecretStr("secret"))
        with pytest.raises(MailHopAwayError) as caught:
            smtp.send(mail, before_dot=do_nothing)
        assert isinstance(caught.value.__cause__, smtplib.SMTPAuthenticationError)
        hop.replies["AUTH"] = "235 welcome"
        smtp.send(mail, before_dot=do_nothing)
        assert any(command.upper().startswith("AUTH PLAIN") for command in hop.commands)


class TestQuoteDots:
    @pytest.mark.parametrize(
        ("content", "quoted"),
        [(b".\r\na", b"..\r\na\r\n"), (b"a\r\n.b\r\n", b"a\r\n..b\r\n"), (b"..\r\n", b"...\r\n"), (b"", b"\r\n")],
    )
    def test_valid(self, content: bytes, quoted: bytes) -> None:
        assert quote_dots(content) == quoted
