"""One call as a plan: a generator that says what to do next and is told what came of it.

It holds every decision (deadline, breaker, retries, token) and does no I/O. client.py and sync.py carry out its
steps, so that the worker's synchronous client behaves exactly like the others.
"""

import math
import re
import time
from collections.abc import Generator
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from chassis.context import (
    create_child_traceparent,
    create_request_id,
    get_request_id,
    get_traceparent,
    remaining_seconds,
)
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.messages import UpstreamRequest, UpstreamResponse
from chassis.http.metrics import UPSTREAM_BREAKER, UPSTREAM_RETRIES, UPSTREAM_SECONDS
from chassis.http.policy import BreakerState, CircuitBreaker, ClientPolicy, RetryBudget, compute_backoff
from chassis.logs import get_logger

DEADLINE_MARGIN = 0.02
"""Seconds kept for our own answer: the caller must hear of a timeout before it stops listening."""
MIN_ATTEMPT_SECONDS = 0.02
MIN_COUNTED_SECONDS = 1.0
"""A timeout counts against a service only if it had this long: a hurried caller must not open the breaker for all."""
COUNTED = frozenset(
    {FailureReason.CONNECT, FailureReason.DISCONNECT, FailureReason.TIMEOUT, FailureReason.SERVER_ERROR}
)
# Without 500: that is most likely a bug, which a second try only runs into again.
RETRYABLE_STATUSES = frozenset({None, 502, 503, 504})

RETRY_AFTER = re.compile("[0-9]{1,5}")

logger = get_logger(__name__)


class Send(NamedTuple):
    request: UpstreamRequest
    timeout: float


class Pause(NamedTuple):
    seconds: float


class FetchToken(NamedTuple):
    stale: str | None
    """A token that was refused just now and must not come again, if it can be helped."""


Step = Send | Pause | FetchToken
CallFlow = Generator[Step, Any, UpstreamResponse]


class CallPlanner:
    """Plans the calls to one target and remembers how the last ones went."""

    def __init__(self, target: str, policy: ClientPolicy, *, needs_token: bool) -> None:
        self._target = target
        self._policy = policy
        self._needs_token = needs_token
        self._budget = RetryBudget(policy.retry_ratio)
        self._breaker = CircuitBreaker(policy.failure_threshold, policy.recovery_seconds, policy.clock)

    def plan_call(self, request: UpstreamRequest) -> CallFlow:
        """Raises UpstreamUnavailableError or UpstreamRejectedError; returns 2xx and 304 only."""
        started_at, outcome = time.perf_counter(), "cancelled"
        try:
            response = yield from self._repeat(request)
        except UpstreamUnavailableError as error:
            outcome = str(error.reason) if error.target == self._target else "no_token"
            raise
        except UpstreamRejectedError:
            outcome = "rejected"
            raise
        else:
            outcome = "ok"
            return response
        finally:
            UPSTREAM_SECONDS.labels(self._target, outcome).observe(time.perf_counter() - started_at)

    def _repeat(self, request: UpstreamRequest) -> CallFlow:
        self._budget.record_call()
        token: str | None = (yield FetchToken(stale=None)) if self._needs_token else None
        retries, refreshed = 0, False
        while True:
            try:
                return (yield from self._try_once(request, token))
            except UpstreamRejectedError as error:
                if error.status != HTTPStatus.UNAUTHORIZED or token is None or refreshed:
                    raise
                refused, refreshed = token, True
                token = yield FetchToken(stale=refused)
                if token == refused:
                    raise
            except UpstreamUnavailableError as error:
                pause = self._choose_pause(request, error, retries)
                if pause is None:
                    raise
                retries += 1
                yield Pause(pause)

    def _try_once(self, request: UpstreamRequest, token: str | None) -> CallFlow:
        timeout = self._compute_timeout(request)
        if not self._breaker.allow():
            wait = math.ceil(self._breaker.seconds_until_probe())
            raise UpstreamUnavailableError(self._target, FailureReason.BREAKER_OPEN, retry_after=max(1, wait))
        try:
            response: UpstreamResponse = yield Send(self._add_headers(request, token, timeout), timeout)
            response = raise_for_status(response)
        except UpstreamUnavailableError as error:
            self._record_failure(error, timeout, self._own_timeout(request))
            raise
        except UpstreamRejectedError:
            self._record_success()
            raise
        self._record_success()
        return response

    def _own_timeout(self, request: UpstreamRequest) -> float:
        return self._policy.timeout if request.timeout is None else request.timeout

    def _compute_timeout(self, request: UpstreamRequest) -> float:
        own, remaining = self._own_timeout(request), remaining_seconds()
        timeout = own if remaining is None else min(own, remaining - DEADLINE_MARGIN)
        if timeout < min(own, MIN_ATTEMPT_SECONDS):
            raise UpstreamUnavailableError(self._target, FailureReason.DEADLINE)
        return timeout

    def _add_headers(self, request: UpstreamRequest, token: str | None, timeout: float) -> UpstreamRequest:
        headers = {
            "X-Request-ID": get_request_id() or create_request_id(),
            "traceparent": create_child_traceparent(get_traceparent()),
            "X-Deadline-Ms": str(int(timeout * 1000)),
            **request.headers,
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return replace(request, headers=headers)

    def _choose_pause(self, request: UpstreamRequest, error: UpstreamUnavailableError, retries: int) -> float | None:
        """Seconds to wait before the next attempt; None when there must be none."""
        if not request.idempotent or retries >= self._policy.max_retries:
            return None
        if error.reason not in COUNTED or error.upstream_status not in RETRYABLE_STATUSES:
            return None
        pause = max(compute_backoff(self._policy, retries), error.retry_after or 0)
        remaining = remaining_seconds()
        has_room = remaining is None or remaining - pause > DEADLINE_MARGIN + MIN_ATTEMPT_SECONDS
        if pause > self._policy.max_pause or not has_room or self._breaker.state is not BreakerState.CLOSED:
            return None
        if not self._budget.spend():
            return None
        UPSTREAM_RETRIES.labels(self._target).inc()
        return pause

    def _record_success(self) -> None:
        if self._breaker.state is not BreakerState.CLOSED:
            logger.info("upstream_breaker_closed", target=self._target)
        self._breaker.record_success()
        UPSTREAM_BREAKER.labels(self._target).set(self._breaker.state)

    def _record_failure(self, error: UpstreamUnavailableError, timeout: float, own_timeout: float) -> None:
        hurried = error.reason is FailureReason.TIMEOUT and timeout < min(own_timeout, MIN_COUNTED_SECONDS)
        if error.reason not in COUNTED or hurried:
            return
        was_closed = self._breaker.state is BreakerState.CLOSED
        self._breaker.record_failure()
        if was_closed and self._breaker.state is BreakerState.OPEN:
            logger.warning("upstream_breaker_opened", target=self._target, reason=str(error.reason))
        UPSTREAM_BREAKER.labels(self._target).set(self._breaker.state)


def raise_for_status(response: UpstreamResponse) -> UpstreamResponse:
    status = response.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = _read_retry_after(response)
        raise UpstreamUnavailableError(response.target, FailureReason.SERVER_ERROR, status=status, retry_after=wait)
    if status >= HTTPStatus.BAD_REQUEST:
        raise UpstreamRejectedError(response.target, status, _read_problem(response))
    if status >= HTTPStatus.MULTIPLE_CHOICES and status != HTTPStatus.NOT_MODIFIED:
        # Redirects are not followed: none of ours sends any, and they would carry the token along.
        raise UpstreamUnavailableError(response.target, FailureReason.MALFORMED, status=status)
    return response


def _read_retry_after(response: UpstreamResponse) -> int | None:
    """Seconds; the form with a date is of no use between services."""
    value = response.headers.get("retry-after", "")
    return int(value) if RETRY_AFTER.fullmatch(value) else None


def _read_problem(response: UpstreamResponse) -> dict[str, Any]:
    try:
        body = response.json()
    except UpstreamUnavailableError:
        return {}
    return body if isinstance(body, dict) else {}
