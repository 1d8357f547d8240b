"""Whom a limit is for, and the count of a process that has no Redis."""

import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from auth.limits.constants import DIGEST_BYTES, IPV6_KEPT_BITS, KEY_PREFIX, LOCAL_WINDOWS_MAX, LimitRule
from auth.limits.schemas import LimitState, Taken, Window

Clock = Callable[[], float]


def address_key(address: str | None) -> str:
    """One for each IPv4 address and for each IPv6 network that a customer gets."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return f"address:{address}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return f"address:{ipaddress.ip_network((int(parsed), IPV6_KEPT_BITS), strict=False)}"
        parsed = parsed.ipv4_mapped
    return f"address:{parsed}"


def account_key(account: object) -> str:
    """Of an id, or of an e-mail address in its one spelling, whether somebody has it or not."""
    return f"account:{account}"


def confirmation_key(email: str) -> str:
    """Of mails that confirm an address: apart from resets, which strangers must not use up for its owner."""
    return f"confirmation:{email}"


class KeyDigester:
    """What Redis is told of people: enough to count them, too little to know them."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def compute_key(self, rule: LimitRule, key: str, seconds: int) -> str:
        mac = hmac.digest(self._secret, f"{rule.value}:{key}".encode(), hashlib.sha256)
        return f"{KEY_PREFIX}:{rule.value}:{mac[:DIGEST_BYTES].hex()}:{seconds}"


class LocalWindows:
    """The count of one process, of so many keys as fit; of too many, those that were quiet longest go."""

    def __init__(self, clock: Clock = time.monotonic, max_keys: int = LOCAL_WINDOWS_MAX) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._moments)

    def take(self, windows: Sequence[Window]) -> Taken:
        now = self._clock()
        queues = [self._get_moments(window, now) for window in windows]
        is_allowed = all(len(queue) < window.amount for queue, window in zip(queues, windows, strict=True))
        if is_allowed:
            for queue in queues:
                queue.append(now)
        counts = [
            (len(queue), (queue[0] if queue else now) + window.seconds - now)
            for queue, window in zip(queues, windows, strict=True)
        ]
        return Taken(is_allowed, counts)

    def give_back(self, windows: Sequence[Window]) -> None:
        for window in windows:
            queue = self._moments.get(window.key)
            if queue:
                queue.pop()

    def _get_moments(self, window: Window, now: float) -> deque[float]:
        queue = self._moments.setdefault(window.key, deque())
        self._moments.move_to_end(window.key)
        while queue and queue[0] <= now - window.seconds:
            queue.popleft()
        while len(self._moments) > self._max_keys:
            self._moments.popitem(last=False)
        return queue


class Blocks:
    """What was refused a moment ago is refused again without asking."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic, max_keys: int = LOCAL_WINDOWS_MAX) -> None:
        self._seconds = seconds
        self._clock = clock
        self._max_keys = max_keys
        self._blocks: OrderedDict[str, tuple[float, LimitState, float]] = OrderedDict()

    def add(self, key: str, state: LimitState) -> None:
        now = self._clock()
        self._blocks[key] = (now + min(self._seconds, state.reset_seconds), state, now)
        self._blocks.move_to_end(key)
        while len(self._blocks) > self._max_keys:
            self._blocks.popitem(last=False)

    def find(self, key: str) -> LimitState | None:
        """With what is left of its time."""
        until, state, since = self._blocks.get(key, (0.0, None, 0.0))
        now = self._clock()
        if state is None:
            return None
        if until <= now:
            del self._blocks[key]
            return None
        reset_seconds = state.reset_seconds - (now - since)
        return LimitState(
            state.rule, state.amount, state.window_seconds, state.remaining, reset_seconds, is_allowed=False
        )
