import pytest

from chassis.testing.clock import HeldClock
from chassis.testing.upstreams import ScriptedUpstream


@pytest.fixture
def upstream() -> ScriptedUpstream:
    return ScriptedUpstream()


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()
