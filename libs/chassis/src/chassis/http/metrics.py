"""Counted by target and outcome; never by path, whose ids would make a series each."""

from prometheus_client import Counter, Gauge, Histogram

UPSTREAM_SECONDS = Histogram(
    "upstream_call_duration_seconds",
    "Calls to other services, retries included, by how they ended.",
    ("target", "outcome"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
UPSTREAM_RETRIES = Counter("upstream_retries_total", "Second and third attempts.", ("target",))
UPSTREAM_BREAKER = Gauge("upstream_breaker_state", "0 closed, 1 open, 2 half-open: a probe is under way.", ("target",))
