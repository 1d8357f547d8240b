"""Limits as they are passed around."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auth.limits.constants import LimitRule


@dataclass(frozen=True, slots=True)
class Window:
    """So many in so many seconds, any such span of time: not by the clock on the wall."""

    rule: LimitRule
    key: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class LimitState:
    """Of several windows the one that leaves least. `reset_seconds`: until there is room for one more than now."""

    rule: LimitRule
    amount: int
    window_seconds: int
    remaining: int
    reset_seconds: float
    is_allowed: bool

    @property
    def retry_after(self) -> int:
        return max(1, math.ceil(self.reset_seconds))

    def to_headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 wants them: structured fields."""
        name = self.rule.value.replace("_", "-")
        return {
            "RateLimit": f'"{name}";r={self.remaining};t={math.ceil(self.reset_seconds)}',
            "RateLimit-Policy": f'"{name}";q={self.amount};w={self.window_seconds}',
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an attempt: whether there was room in all windows, and each one's count and seconds to go."""

    is_allowed: bool
    counts: Sequence[tuple[int, float]]

    def describe(self, windows: Sequence[Window]) -> LimitState:
        states = [
            LimitState(
                window.rule,
                window.amount,
                window.seconds,
                max(0, window.amount - used),
                reset_seconds,
                self.is_allowed or used < window.amount,
            )
            for window, (used, reset_seconds) in zip(windows, self.counts, strict=True)
        ]
        if self.is_allowed:
            return min(states, key=lambda state: state.remaining)
        # Of those without room the one that has none for longest.
        return max((state for state in states if not state.is_allowed), key=lambda state: state.reset_seconds)
