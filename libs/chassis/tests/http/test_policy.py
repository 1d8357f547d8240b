import pytest

from chassis.http.policy import BreakerState, CircuitBreaker, ClientPolicy, RetryBudget, compute_backoff
from chassis.testing.clock import HeldClock


class TestRetryBudget:
    def test_starts_with_a_little(self) -> None:
        budget = RetryBudget(0.1)

        assert [budget.spend() for _ in range(3)] == [True, True, False]

    def test_amplification_stays_at_a_tenth(self) -> None:
        budget, retries, calls = RetryBudget(0.1), 0, 1000

        for _ in range(calls):
            budget.record_call()
            retries += sum(budget.spend() for _ in range(2))

        assert calls * 0.1 <= retries <= calls * 0.1 + RetryBudget.INITIAL

    def test_calm_times_save_up_to_the_capacity(self) -> None:
        budget = RetryBudget(0.1)

        for _ in range(10_000):
            budget.record_call()

        assert sum(budget.spend() for _ in range(100)) == RetryBudget.CAPACITY


class TestComputeBackoff:
    @pytest.mark.parametrize(("retries", "bound"), [(0, 0.05), (1, 0.1), (2, 0.2), (10, 1.0)])
    def test_jitter_is_full(self, retries: int, bound: float) -> None:
        assert compute_backoff(ClientPolicy(random=lambda: 0.0), retries) == 0.0
        assert compute_backoff(ClientPolicy(random=lambda: 1.0), retries) == bound


class TestCircuitBreaker:
    @pytest.fixture
    def breaker(self, clock: HeldClock) -> CircuitBreaker:
        return CircuitBreaker(failure_threshold=3, recovery_seconds=2.0, clock=clock)

    def test_opens_after_failures_in_a_row(self, breaker: CircuitBreaker) -> None:
        for _ in range(2):
            breaker.record_failure()
        assert breaker.allow()

        breaker.record_failure()

        assert not breaker.allow()
        assert breaker.state is BreakerState.OPEN
        assert breaker.seconds_until_probe() == 2.0

    def test_a_success_between_starts_the_count_again(self, breaker: CircuitBreaker) -> None:
        for _ in range(10):
            breaker.record_failure()
            breaker.record_failure()
            breaker.record_success()

        assert breaker.state is BreakerState.CLOSED

    def test_one_probe_at_a_time(self, breaker: CircuitBreaker, clock: HeldClock) -> None:
        self.open(breaker)

        clock.advance(2.0)

        assert [breaker.allow() for _ in range(3)] == [True, False, False]
        assert breaker.state is BreakerState.HALF_OPEN

    def test_probe_succeeds(self, breaker: CircuitBreaker, clock: HeldClock) -> None:
        self.open(breaker)
        clock.advance(2.0)
        breaker.allow()

        breaker.record_success()

        assert breaker.state is BreakerState.CLOSED
        assert all(breaker.allow() for _ in range(3))

    def test_probe_fails(self, breaker: CircuitBreaker, clock: HeldClock) -> None:
        self.open(breaker)
        clock.advance(2.0)
        breaker.allow()
        clock.advance(1.0)

        breaker.record_failure()

        assert breaker.state is BreakerState.OPEN
        clock.advance(1.5)
        assert not breaker.allow()
        clock.advance(0.5)
        assert breaker.allow()

    def test_probe_that_never_reports_does_not_block_the_next(self, breaker: CircuitBreaker, clock: HeldClock) -> None:
        self.open(breaker)
        clock.advance(2.0)
        breaker.allow()

        clock.advance(2.0)

        assert breaker.allow()

    def open(self, breaker: CircuitBreaker) -> None:
        for _ in range(3):
            breaker.record_failure()
