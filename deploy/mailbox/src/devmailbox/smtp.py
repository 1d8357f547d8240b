"""The SMTP side: takes every mail for everybody, and sends none on."""

import asyncio

from aiosmtpd.smtp import SMTP, Envelope, Session

from devmailbox.behaviours import Behaviours, Mode
from devmailbox.messages import with_envelope
from devmailbox.store import MessageStore

MAX_MESSAGE_BYTES = 10 * 1024 * 1024


class MailHandler:
    """What aiosmtpd calls when a mail is complete."""

    def __init__(self, store: MessageStore, behaviours: Behaviours) -> None:
        self._store = store
        self._behaviours = behaviours

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keep or refuse a mail as the behaviour for its recipients says."""
        del session
        mode = self._behaviours.take_mode(envelope.rcpt_tos)
        if mode is Mode.REJECT_4XX:
            return "451 4.3.0 Not now, as the test asked"
        if mode is Mode.REJECT_5XX:
            return "550 5.7.1 Never, as the test asked"
        content = envelope.original_content or b""
        raw = with_envelope(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        message = await self._store.create_message(raw)
        if mode is Mode.HANG:
            await self._behaviours.wait_for_change()
        if mode is Mode.DROP_AFTER_DATA:
            _cut_connection(server)
            # aiosmtpd cancels this call once the connection is gone; no answer must be given meanwhile.
            await asyncio.Event().wait()
        return f"250 2.0.0 Kept as {message.id}"


async def start_smtp(handler: MailHandler, *, host: str, port: int) -> asyncio.Server:
    """Listen for mail in the running loop; port 0 takes any free one. Raises OSError where the port is taken."""
    loop = asyncio.get_running_loop()

    def build_protocol() -> SMTP:
        return SMTP(handler, data_size_limit=MAX_MESSAGE_BYTES, enable_SMTPUTF8=True, hostname="mailbox", loop=loop)

    return await loop.create_server(build_protocol, host=host, port=port)


def _cut_connection(server: SMTP) -> None:
    transport = server.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()
