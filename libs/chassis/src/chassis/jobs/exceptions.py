"""Refusals of the job steps.

ProblemError
├── JobNotFoundError       404
├── JobNotClaimableError   409: another worker has it, it is finished, or its time has not come
└── StaleFenceError        409: the lease went to somebody else; the result is not taken
"""

from chassis.problems import ConflictError, NotFoundError


class JobNotFoundError(NotFoundError):
    code = "job_not_found"
    title = "There is no such job"


class JobNotClaimableError(ConflictError):
    code = "job_not_claimable"
    title = "The job cannot be claimed now"


class StaleFenceError(ConflictError):
    code = "stale_fence"
    title = "The job's lease is over and another has it"
