"""The worker's half of a job: claim it, do it, report by its fence.

The row in the owner's database is the truth. Whatever happens here, the job is done, handed back, or its lease ends.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import Field

from chassis.context import remaining_seconds
from chassis.http.exceptions import UpstreamError, UpstreamRejectedError, UpstreamUnavailableError
from chassis.http.sync import SyncServiceClient
from chassis.logs import get_logger, log_context
from chassis.schemas import CustomModel
from worker.exceptions import JobAmbiguousError, JobError, JobRefusedError, describe_error

TAKEN_CODES = frozenset({"job_not_claimable", "stale_fence"})
# Not 422: that two releases do not understand one another is worth another try, with the next one.
FINAL_STATUSES = frozenset({HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
REPORT_PAUSE_SECONDS = 0.5
REPORT_RESERVE_SECONDS = 2.0

logger = get_logger(__name__)


class JobClaim(CustomModel):
    """What every claim answers: the fence that our reports carry."""

    fence: int = Field(ge=1)


ClaimT = TypeVar("ClaimT", bound=JobClaim)


class Job(Generic[ClaimT]):
    """A job that is ours until its lease is over. `path` is where its owner takes reports."""

    def __init__(self, owner: SyncServiceClient, path: str, fence: int, claim: ClaimT) -> None:
        self.claim = claim
        self.is_past_return = False
        self._owner = owner
        self._path = path
        self._fence = fence

    def get_input(self, name: str) -> Any:
        """More of the job's input. Raises UpstreamError, with `stale_fence` when the job is not ours any more."""
        return self._owner.get_json(f"{self._path}/{name}", params={"fence": self._fence})

    def report_point_of_no_return(self) -> None:
        """The next step cannot be taken back. Raises when the owner does not let us take it."""
        self._report("dot")
        self.is_past_return = True

    def report_chunk(self, **chunk: object) -> None:
        """A piece of a result that is too large for one report. Sent twice, it is stored once."""
        self._report("chunks", **chunk)

    def report_result(self, **result: object) -> None:
        """Tell the owner that it is done, until it hears or our time is over.

        An owner that restarts just now must not cost the work, or a second mail.
        """
        while True:
            try:
                self._report("result", **result)
            except UpstreamUnavailableError as error:
                remaining = remaining_seconds()
                if remaining is None or remaining < REPORT_RESERVE_SECONDS:
                    raise
                logger.warning("result_not_heard", reason=str(error))
                time.sleep(REPORT_PAUSE_SECONDS)
            else:
                return

    def report_failure(self, error: Exception) -> None:
        """Hand the job back; an owner that does not hear it waits for the end of the lease."""
        try:
            self._report("failure", **describe_failure(error))
        except UpstreamError as unheard:
            logger.warning("failure_not_heard", reason=str(unheard))

    def _report(self, step: str, **facts: object) -> None:
        # Safe to repeat: the owner knows a report by its fence.
        self._owner.request("POST", f"{self._path}/{step}", json={"fence": self._fence, **facts}, idempotent=True)


@contextmanager
def claim_job(owner: SyncServiceClient, collection: str, job_id: UUID, schema: type[ClaimT]) -> Iterator[Job[ClaimT]]:
    """Claim a job for the length of the `with`; an error inside hands it back, unless it may be done.

    Raises UpstreamRejectedError with one of TAKEN_CODES when the job is not to be had.
    """
    path = f"/internal/{collection}/{job_id}"
    answer = owner.post_json(f"{path}/claim")
    fence = JobClaim.model_validate(answer).fence
    job: Job[Any] = Job(owner, path, fence, None)
    with log_context(fence=fence):
        try:
            # In here: an input that we cannot read is the job's failure, and counts as an attempt.
            job.claim = schema.model_validate(answer)
            yield job
        except Exception as error:
            failure = judge_refusal(job, error)
            if not may_be_done(job, failure) and not is_taken(failure):
                job.report_failure(failure)
            if failure is error:
                raise
            raise failure from error


def judge_refusal(job: Job[Any], error: Exception) -> Exception:
    """A refusal that each further try would meet again, as such. One after the point of no return stays what it is."""
    if not isinstance(error, UpstreamRejectedError) or is_taken(error) or job.is_past_return:
        return error
    return JobRefusedError(str(error)) if error.status in FINAL_STATUSES else error


def may_be_done(job: Job[Any], error: Exception) -> bool:
    """Past the point of no return only an explicit refusal says that nothing was done."""
    return isinstance(error, JobAmbiguousError) or (job.is_past_return and not isinstance(error, JobError))


def is_taken(error: Exception) -> bool:
    """The job is somebody else's, done, or gone: nothing to do, nothing to report."""
    if not isinstance(error, UpstreamRejectedError):
        return False
    return error.code in TAKEN_CODES or error.status == HTTPStatus.NOT_FOUND


def describe_failure(error: Exception) -> dict[str, object]:
    """The facts of a failed try, as its owner takes them."""
    facts = {"error": describe_error(error), "permanent": isinstance(error, JobError) and error.permanent}
    code = error.code if isinstance(error, JobError) else None
    return facts if code is None else facts | {"code": code}
