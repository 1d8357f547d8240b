"""The mail hop: one SMTP connection, kept between the mails of a process.

smtplib's own `sendmail` cannot stop before the final dot, which is where a mail can no longer be taken back.
"""

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, NoReturn

from chassis.logs import get_logger
from worker.exceptions import clean_text
from worker.mail.config import SmtpConfig, SmtpSecurity
from worker.mail.exceptions import (
    MailAmbiguousError,
    MailDeferredError,
    MailHopAwayError,
    MailRejectedError,
)
from worker.mail.schemas import OutgoingMail

OK: Final = frozenset({250, 251})
GO_AHEAD: Final = 354
# The hop's quarrel with us, not with the mail: worth another try when somebody has set it right.
CREDENTIAL_CODES: Final = frozenset({530, 534, 535, 538})
PERMANENT: Final = range(500, 600)
LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
MAX_MAILS_PER_CONNECTION: Final = 100
AWAY: Final = (OSError, smtplib.SMTPException)

logger = get_logger(__name__)


class SmtpClient:
    """Not for two threads at once; a process makes its own after the fork."""

    def __init__(self, config: SmtpConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._session: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._mails = 0

    def send(self, mail: OutgoingMail, *, before_dot: Callable[[], None]) -> str:
        """The hop's answer. `before_dot` runs when all but the final dot is sent; what it raises takes the mail back.

        Raises MailHopAwayError, MailDeferredError, MailRejectedError, MailAmbiguousError.
        """
        is_clean = False
        try:
            reply = self._transmit(mail, before_dot)
            is_clean = True
        except (MailDeferredError, MailRejectedError):
            is_clean = self._reset()
            raise
        finally:
            # Whatever else ended it, a limit of time too: a connection in mid-mail is of no use to the next mail.
            if not is_clean:
                self._drop()
            self._used_at = self._clock()
            self._mails += 1
        return reply

    def close(self) -> None:
        """Say goodbye."""
        if self._session is not None:
            try:
                self._session.quit()
            except AWAY:
                logger.debug("smtp_quit_unheard")
            self._drop()

    def _transmit(self, mail: OutgoingMail, before_dot: Callable[[], None]) -> str:
        try:
            session = self._begin(mail)
            session.send(quote_dots(mail.content))
        except AWAY as error:
            raise MailHopAwayError(f"the mail hop is away: {describe(error)}") from error
        before_dot()
        return self._finish(session)

    def _finish(self, session: smtplib.SMTP) -> str:
        """The final dot, and what the hop makes of it."""
        try:
            session.send(b".\r\n")
            set_timeout(session, self._config.dot_timeout)
            code, text = session.getreply()
            set_timeout(session, self._config.timeout)
        except AWAY as error:
            raise MailAmbiguousError(f"the connection ended after the final dot: {describe(error)}") from error
        if code < min(OK):
            raise MailAmbiguousError(f"the answer to the mail makes no sense: {code}")
        expect(code, text, OK)
        return clean_text(f"{code} {decode(text)}")

    def _begin(self, mail: OutgoingMail) -> smtplib.SMTP:
        """Envelope and DATA. A kept connection that has died meanwhile is replaced once: nothing was sent by it."""
        if self._is_usable() and self._session is not None:
            try:
                return start_mail(self._session, mail)
            except (*AWAY, MailDeferredError) as error:
                if isinstance(error, MailDeferredError) and self._reset():
                    raise
                logger.debug("smtp_connection_replaced", reason=describe(error))
        self.close()
        self._session = self._connect()
        return start_mail(self._session, mail)

    def _is_usable(self) -> bool:
        idle = self._clock() - self._used_at
        return self._mails < MAX_MAILS_PER_CONNECTION and idle < self._config.idle_seconds

    def _connect(self) -> smtplib.SMTP:
        self._mails = 0
        session = open_session(self._config)
        try:
            if self._config.security is SmtpSecurity.STARTTLS:
                session.starttls(context=ssl.create_default_context())
            if self._config.username and self._config.password is not None:
                session.login(self._config.username, self._config.password.get_secret_value())
            session.ehlo_or_helo_if_needed()
        except BaseException:
            session.close()
            raise
        set_no_delay(session)
        return session

    def _reset(self) -> bool:
        """Whether the connection can take another mail after one that was refused."""
        try:
            return self._session is not None and self._session.rset()[0] in OK
        except AWAY:
            return False

    def _drop(self) -> None:
        # No QUIT: in mid-mail it would be a line of the mail.
        if self._session is not None:
            self._session.close()
            self._session = None


def open_session(config: SmtpConfig) -> smtplib.SMTP:
    # smtplib would look up our own name in the DNS, which takes seconds in a network without one.
    if config.security is SmtpSecurity.TLS:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(config.host, config.port, config.helo_name, timeout=config.timeout, context=context)
    return smtplib.SMTP(config.host, config.port, config.helo_name, timeout=config.timeout)


def start_mail(session: smtplib.SMTP, mail: OutgoingMail) -> smtplib.SMTP:
    session.ehlo_or_helo_if_needed()
    if mail.needs_utf8 and not session.has_extn("smtputf8"):
        refuse(550, "5.6.7 the mail hop does not take addresses outside ASCII")
    options = [f"SIZE={len(mail.content)}"] if session.has_extn("size") else []
    # `mail` sets it for SMTPUTF8 and leaves it so for the mails that follow.
    session.command_encoding = "ascii"
    expect(*session.mail(mail.sender, [*options, *(["SMTPUTF8"] if mail.needs_utf8 else [])]), OK)
    expect(*session.rcpt(mail.recipient), OK)
    expect(*session.docmd("DATA"), {GO_AHEAD})
    return session


def quote_dots(content: bytes) -> bytes:
    """RFC 5321, 4.5.2. The content ends with CR LF, as the final dot stands on a line of its own."""
    return LEADING_DOT.sub(b"..", content if content.endswith(b"\r\n") else content + b"\r\n")


def expect(code: int, text: bytes, accepted: frozenset[int] | set[int]) -> None:
    if code not in accepted:
        refuse(code, decode(text))


def refuse(code: int, text: str) -> NoReturn:
    """The hop's words are for the owner of the mail; they may name the recipient, so the log has the code only."""
    kind = MailRejectedError if code in PERMANENT and code not in CREDENTIAL_CODES else MailDeferredError
    raise kind(f"the mail hop answered {code}", report=f"{code} {text}")


def decode(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def describe(error: Exception) -> str:
    """Without the words of an answer, which may name a person."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def set_timeout(session: smtplib.SMTP, seconds: float) -> None:
    if session.sock is not None:
        session.sock.settimeout(seconds)


def set_no_delay(session: smtplib.SMTP) -> None:
    # The final dot is a packet of three bytes that would otherwise wait for the acknowledgement of the mail before it.
    if session.sock is not None:
        session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
