"""The hash of a link: over a form of its entry that is the same on every machine, and the hash before."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def compute_link(previous: bytes, entry: "CanonicalEntry") -> bytes:
    return hashlib.sha256(previous + entry.to_bytes()).digest()


class CanonicalEntry:
    """An entry as it is hashed: JSON with sorted names and no spaces."""

    def __init__(
        self,
        *,
        entry_id: UUID,
        action: str,
        subject_id: UUID | None,
        actor_id: UUID | None,
        address: str | None,
        details: dict[str, Any],
        created_at: datetime,
    ) -> None:
        self._members: dict[str, Any] = {
            "id": str(entry_id),
            "action": action,
            "subject_id": None if subject_id is None else str(subject_id),
            "actor_id": None if actor_id is None else str(actor_id),
            "address": address,
            "details": details,
            "created_at": created_at.astimezone(UTC).isoformat(timespec="microseconds"),
        }

    def to_bytes(self) -> bytes:
        return json.dumps(self._members, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
