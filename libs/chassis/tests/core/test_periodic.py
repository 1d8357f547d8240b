import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from chassis import periodic
from chassis.periodic import run_every


class TestRunEvery:
    @pytest.mark.parametrize("failure", [SQLAlchemyError, asyncpg.InterfaceError, OSError])
    async def test_goes_on_after_the_database_was_away(
        self, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
    ) -> None:
        monkeypatch.setattr(periodic, "RETRY_SECONDS", 0.0)
        rounds = asyncio.Semaphore(0)
        failures = [failure("away"), failure("away")]

        async def work() -> None:
            rounds.release()
            if failures:
                raise failures.pop()

        task = asyncio.create_task(run_every(0.001, "test", work))
        for _ in range(3):
            await asyncio.wait_for(rounds.acquire(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_fault_of_ours_is_not_hidden(self) -> None:
        async def work() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await run_every(1, "test", work)
