"""/livez says that the process turns; /readyz checks what it needs to answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from chassis.logs import get_logger

CHECK_SECONDS = 0.5

ReadinessCheck = Callable[[], Awaitable[None]]
"""Returns when what it looks at is well, raises when it is not."""

logger = get_logger(__name__)


async def read_livez(_: Request) -> Response:
    return Response('{"status":"ok"}', media_type="application/json")


class Readiness:
    """Runs the checks of a service; a failing one is named, its error goes to the log only."""

    def __init__(self, checks: Mapping[str, ReadinessCheck]) -> None:
        self._checks = checks

    async def read_readyz(self, _: Request) -> Response:
        names = list(self._checks)
        results = await asyncio.gather(*(self._run_check(self._checks[name]) for name in names))
        failing = [name for name, well in zip(names, results, strict=True) if not well]
        body = {"status": "unavailable", "failing": failing} if failing else {"status": "ok"}
        return Response(json.dumps(body), 503 if failing else 200, media_type="application/json")

    async def _run_check(self, check: ReadinessCheck) -> bool:
        try:
            await asyncio.wait_for(check(), CHECK_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the service is not ready
            logger.warning("readiness_check_failed", reason=repr(error))
            return False
        return True
