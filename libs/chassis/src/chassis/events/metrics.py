"""What an operator watches of the consumers."""

from prometheus_client import Counter, Gauge

_LABELS = ("consumer", "feed")

EVENT_LAG_SECONDS = Gauge(
    "event_lag_seconds", "Age of the last applied event when it was applied; 0 at the end.", _LABELS
)
EVENTS_APPLIED = Counter("events_applied_total", "Events whose handler ran and was committed.", _LABELS)
EVENTS_DEAD = Counter("events_dead_total", "Events parked as dead.", _LABELS)
EVENT_FAILURES = Counter("event_failures_total", "Attempts to apply that failed.", (*_LABELS, "reason"))
EVENT_LEADER = Gauge(
    "event_consumer_leader", "1 in the process that applies the feed, 0 in one that stands by.", _LABELS
)
