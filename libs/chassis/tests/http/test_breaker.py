"""The circuit breaker of a client; its arithmetic stands in test_policy."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.policy import ClientPolicy
from chassis.testing.clock import HeldClock
from chassis.testing.upstreams import ScriptedUpstream


async def fail(client: ServiceClient, times: int = 1) -> UpstreamUnavailableError:
    errors = []
    for _ in range(times):
        with pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("POST", "/ships")
        errors.append(caught.value)
    return errors[-1]


class TestBreaker:
    @pytest.fixture
    async def client(self, upstream: ScriptedUpstream, clock: HeldClock) -> AsyncIterator[ServiceClient]:
        policy = ClientPolicy(backoff_base=0.0, failure_threshold=3, recovery_seconds=5.0, clock=clock)
        async with ServiceClient("harbours", "http://harbours", policy=policy, backend=upstream.backend) as client:
            yield client

    async def test_opens(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(500)
        await fail(client, times=3)

        error = await fail(client)

        assert error.reason is FailureReason.BREAKER_OPEN
        assert error.headers == {"Retry-After": "5"}
        assert len(upstream.requests) == 3
        assert REGISTRY.get_sample_value("upstream_breaker_state", {"target": "harbours"}) == 1

    async def test_retries_stop_when_it_opens(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.fail()
        await fail(client, times=2)

        with pytest.raises(UpstreamUnavailableError) as caught:
            await client.request("GET", "/ships")

        assert caught.value.reason is FailureReason.CONNECT
        assert len(upstream.requests) == 3

    async def test_probe_closes_it(self, client: ServiceClient, upstream: ScriptedUpstream, clock: HeldClock) -> None:
        upstream.answer(500)
        await fail(client, times=3)
        upstream.clear().answer(200)
        clock.advance(5.0)

        for _ in range(5):
            await client.request("GET", "/ships")

        assert len(upstream.requests) == 5
        assert REGISTRY.get_sample_value("upstream_breaker_state", {"target": "harbours"}) == 0

    async def test_probe_fails(self, client: ServiceClient, upstream: ScriptedUpstream, clock: HeldClock) -> None:
        upstream.answer(500)
        await fail(client, times=3)
        clock.advance(5.0)

        assert (await fail(client)).reason is FailureReason.SERVER_ERROR
        assert (await fail(client)).reason is FailureReason.BREAKER_OPEN
        assert len(upstream.requests) == 4

    async def test_rejections_are_answers(self, client: ServiceClient, upstream: ScriptedUpstream) -> None:
        upstream.answer(404)

        for _ in range(20):
            with pytest.raises(UpstreamRejectedError):
                await client.request("GET", "/ships/1")

        assert len(upstream.requests) == 20
