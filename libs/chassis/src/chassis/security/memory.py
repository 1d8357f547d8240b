import hashlib
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from chassis.security.constants import REMEMBERED_SECONDS, REMEMBERED_TOKENS
from chassis.security.schemas import TokenData

DataT = TypeVar("DataT", bound=TokenData)


class TokenMemory(Generic[DataT]):
    """Tokens verified before, by digest, until they expire: 1 µs instead of the 190 of a signature.

    No longer than REMEMBERED_SECONDS, though: then the key that signed it is looked for again. By digest, because a
    token in memory is a token in a core dump. Bounded: the oldest makes room.
    """

    def __init__(self, capacity: int = REMEMBERED_TOKENS, clock: Callable[[], float] = time.time) -> None:
        self._capacity = capacity
        self._clock = clock
        self._entries: dict[bytes, tuple[float, DataT]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def recall(self, token: str) -> DataT | None:
        digest = _compute_digest(token)
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry[0] <= self._clock():
            self._entries.pop(digest, None)
            return None
        return entry[1]

    def remember(self, token: str, data: DataT) -> None:
        now = self._clock()
        expires_at = min(data.expires_at.timestamp(), now + REMEMBERED_SECONDS)
        if expires_at <= now:
            return
        digest = _compute_digest(token)
        if digest not in self._entries and len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[digest] = (expires_at, data)


def _compute_digest(token: str) -> bytes:
    # surrogatepass: a header may hold anything, and hashing is no place to find that out.
    return hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=16).digest()
