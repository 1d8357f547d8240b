from prometheus_client import Gauge, Histogram

REVOCATION_CONNECTED = Gauge("revocation_feed_connected", "Whether this process hears which sessions end")
REVOCATION_LAG_SECONDS = Histogram(
    "revocation_lag_seconds",
    "From the end of a session to this process knowing it",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30),
)
