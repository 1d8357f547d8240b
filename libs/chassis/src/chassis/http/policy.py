"""When to try, to try again, and to leave a service alone. No I/O and no await: async and sync clients share it."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """The numbers of one client, seconds everywhere. Clock and random are here so that a test can hold them."""

    timeout: float = 2.0
    connect_timeout: float = 0.5
    max_retries: int = 2
    retry_ratio: float = 0.1
    backoff_base: float = 0.05
    backoff_cap: float = 1.0
    max_pause: float = 2.0
    failure_threshold: int = 5
    recovery_seconds: float = 2.0
    max_connections: int = 50
    clock: Clock = time.monotonic
    random: Callable[[], float] = random.random


def compute_backoff(policy: ClientPolicy, retries: int) -> float:
    """Full jitter: anything up to the exponential bound, so that callers who failed together come back apart."""
    return min(policy.backoff_cap, policy.backoff_base * 2.0**retries) * policy.random()


class RetryBudget:
    """A token bucket fed by calls: retries stay a fixed share of them, so that they cannot become the storm."""

    CAPACITY = 10.0
    INITIAL = 2.0

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._tokens = self.INITIAL

    def record_call(self) -> None:
        self._tokens = min(self.CAPACITY, self._tokens + self._ratio)

    def spend(self) -> bool:
        # A hair of slack: ten times 0.1 is 0.999… in floats, and would cost every eleventh retry.
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True


class BreakerState(IntEnum):
    CLOSED = 0
    OPEN = 1
    HALF_OPEN = 2


class CircuitBreaker:
    """Opens after so many failures in a row; from then on lets one probe through every `recovery_seconds`.

    A probe is a lease, not a lock: one that never reports (its caller went away) is followed by the next.
    """

    def __init__(self, failure_threshold: int, recovery_seconds: float, clock: Clock = time.monotonic) -> None:
        self._threshold = failure_threshold
        self._recovery_seconds = recovery_seconds
        self._clock = clock
        self._failures = 0
        self._probe_at = 0.0
        self.state = BreakerState.CLOSED

    def allow(self) -> bool:
        if self.state is BreakerState.CLOSED:
            return True
        if self._clock() < self._probe_at:
            return False
        self.state = BreakerState.HALF_OPEN
        self._probe_at = self._clock() + self._recovery_seconds
        return True

    def record_success(self) -> None:
        self._failures = 0
        self.state = BreakerState.CLOSED

    def record_failure(self) -> None:
        self._failures += 1
        if self._failures >= self._threshold:
            self.state = BreakerState.OPEN
            self._probe_at = self._clock() + self._recovery_seconds

    def seconds_until_probe(self) -> float:
        return max(0.0, self._probe_at - self._clock())
