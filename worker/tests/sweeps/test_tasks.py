from pathlib import Path
from typing import Any

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

    @pytest.mark.parametrize("queue", ["../elsewhere", "none", "beat", ["cpu"], None])
    def test_queue_that_is_none_of_ours(self, settings: dict[str, str], queue: Any) -> None:
        """Whoever reaches the broker may write anything; it must not become the name of a file."""
        assert touch_canary.apply(routing_key=queue).get() == Outcome.DONE
        state = Path(settings["WORKER_STATE_DIR"])
        assert not state.exists()
        assert list(state.parent.iterdir()) == []


@pytest.mark.usefixtures("settings")
class TestResendHints:
    def test_run_twice(self) -> None:
        """Nothing is due, so no broker is needed."""
        assert [resend_hints.apply().get() for _ in range(2)] == [Outcome.DONE, Outcome.DONE]
