"""What an operator watches of the jobs."""

from prometheus_client import Counter, Gauge

JOB_HINTS = Counter("job_hints_total", "Hints handed to the broker, or not.", ("task", "outcome"))
JOB_OLDEST_DUE_SECONDS = Gauge("job_oldest_due_seconds", "How long the longest waiting job has been due.", ("task",))
JOBS_BURIED = Counter("jobs_buried_total", "Jobs that died because their last worker never came back.", ("task",))
