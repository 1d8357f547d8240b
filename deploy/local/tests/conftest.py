import asyncio
from collections.abc import Callable

import pytest

from chassis.testing.polling import wait_until

WaitFor = Callable[[Callable[[], object]], None]


@pytest.fixture
def wait_for() -> WaitFor:
    """Poll until the check holds, or fail: `wait_for(check)`."""

    def wait(check: Callable[[], object]) -> None:
        async def read() -> object:
            return check()

        asyncio.run(wait_until(read))

    return wait
