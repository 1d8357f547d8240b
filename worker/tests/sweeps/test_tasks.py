from pathlib import Path

import pytest

from worker.canary import is_fresh
from worker.constants import Outcome
from worker.sweeps.tasks import resend_hints, touch_canary


class TestTouchCanary:
    def test_run_twice(self, settings: dict[str, str]) -> None:
        assert settings
        for _ in range(2):
            assert touch_canary.apply(routing_key="cpu").get() == Outcome.DONE
            assert is_fresh("cpu")
            (Path(settings["WORKER_STATE_DIR"]) / "cpu").unlink()


@pytest.mark.usefixtures("settings")
class TestResendHints:
    def test_run_twice(self) -> None:
        """Nothing is due, so no broker is needed."""
        assert [resend_hints.apply().get() for _ in range(2)] == [Outcome.DONE, Outcome.DONE]
