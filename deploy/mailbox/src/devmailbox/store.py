"""The mails that the mailbox holds: the newest in memory, and in a folder if it was given one."""

import asyncio
import uuid
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from devmailbox.messages import Message

STAMP = "%Y%m%dT%H%M%S%fZ"


class MessageStore:
    """Keeps the last `keep` mails; with a folder, each as a .eml file that a mail program opens too."""

    def __init__(self, *, keep: int, folder: Path | None = None) -> None:
        self._folder = folder
        self._messages: deque[Message] = deque(maxlen=keep)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._messages.extend(_read_message(path) for path in sorted(folder.glob("*.eml")))

    def list_messages(self, recipient: str | None = None) -> list[Message]:
        """All mails, newest first; those for one recipient if it is given."""
        return [message for message in reversed(self._messages) if recipient is None or message.is_for(recipient)]

    def get_message(self, message_id: str) -> Message | None:
        """The mail with this id of ours (not its Message-ID)."""
        return next((message for message in self._messages if message.id == message_id), None)

    async def create_message(self, raw: bytes) -> Message:
        """Keep a mail, on disk before it is shown; the oldest makes room for it."""
        message = Message(id=uuid.uuid4().hex, received_at=datetime.now(UTC), raw=raw)
        if self._folder is not None:
            await asyncio.to_thread(_write_message, self._path(message), raw)
            if len(self._messages) == self._messages.maxlen:
                await asyncio.to_thread(self._path(self._messages[0]).unlink, missing_ok=True)
        self._messages.append(message)
        return message

    def delete_messages(self) -> int:
        """Forget every mail, in the folder too; says how many there were."""
        count = len(self._messages)
        if self._folder is not None:
            for message in self._messages:
                self._path(message).unlink(missing_ok=True)
        self._messages.clear()
        return count

    def _path(self, message: Message) -> Path:
        if self._folder is None:
            reason = "this store has no folder"
            raise ValueError(reason)
        return self._folder / f"{message.received_at.strftime(STAMP)}-{message.id}.eml"


def _write_message(path: Path, raw: bytes) -> None:
    # Renamed into place, so that a kill leaves no half mail for the next start to read.
    part = path.with_suffix(".part")
    part.write_bytes(raw)
    part.rename(path)


def _read_message(path: Path) -> Message:
    stamp, _, message_id = path.stem.partition("-")
    received_at = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
    return Message(id=message_id, received_at=received_at, raw=path.read_bytes())
