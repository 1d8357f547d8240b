"""What the mailbox keeps, and what it keeps through a restart."""

from pathlib import Path

from devmailbox.messages import with_envelope
from devmailbox.store import MessageStore


def build_raw(subject: str) -> bytes:
    content = f"Subject: {subject}\r\nMessage-ID: <{subject}@x>\r\n\r\nHello\r\n".encode()
    return with_envelope(content, sender="a@x", recipients=["b@x", "c@x"])


def list_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestCreateMessage:
    async def test_oldest_makes_room(self, tmp_path: Path) -> None:
        store = MessageStore(keep=2, folder=tmp_path)

        for subject in ("one", "two", "three"):
            await store.create_message(build_raw(subject))

        assert [message.subject for message in store.list_messages()] == ["three", "two"]
        assert len(list_files(tmp_path)) == 2

    async def test_survives_a_restart(self, tmp_path: Path) -> None:
        kept = await MessageStore(keep=9, folder=tmp_path).create_message(build_raw("one"))

        (read,) = MessageStore(keep=9, folder=tmp_path).list_messages()

        assert read == kept
        assert read.to_json() == kept.to_json()
        assert read.recipients == ["b@x", "c@x"]

    async def test_half_written_mail_is_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "20261122T080000000000Z-abc.part").write_bytes(b"Subj")

        assert MessageStore(keep=9, folder=tmp_path).list_messages() == []

    async def test_mail_without_headers(self) -> None:
        store = MessageStore(keep=1)

        message = await store.create_message(with_envelope(b"", sender="", recipients=["b@x"]))

        assert message.to_json()["subject"] == ""
        assert message.sender == "<>"
        assert message.html is None


class TestDeleteMessages:
    async def test_folder_too(self, tmp_path: Path) -> None:
        store = MessageStore(keep=9, folder=tmp_path / "made")
        await store.create_message(build_raw("one"))

        assert store.delete_messages() == 1

        assert store.list_messages() == []
        assert list_files(tmp_path / "made") == []
