"""What the server counts, for Prometheus."""

import functools

from prometheus_client import Counter, Gauge, Histogram

SOCKETS = Gauge("hmsroom_sockets", "WebSockets of this process")
PEERS = Gauge("hmsroom_peers", "Peers whose socket is in this process")
ROOMS = Gauge("hmsroom_rooms", "Rooms with a socket in this process")
EVENTS = Counter("hmsroom_events", "Events delivered to the sockets of this process")
GAP_REPAIRS = Counter("hmsroom_gap_repairs", "Times that missed events were read from the journal")
RESYNCS = Counter("hmsroom_resyncs", "Sockets closed because their place in the journal was lost")
OUTBOX_CLOSES = Counter("hmsroom_outbox_closes", "Sockets closed because they did not read", ["limit"])
DOORBELL_FAILURES = Counter("hmsroom_doorbell_failures", "Publications that the channel layer did not take")
DATABASE_FAILURES = Counter("hmsroom_database_failures", "Transactions that failed because the database was away")
LEASE_AGE = Gauge("hmsroom_lease_age_seconds", "Time since this process renewed its lease")
REFUSALS = Counter("hmsroom_refusals", "Requests, sockets and handshakes refused", ["code"])
REAPED = Counter("hmsroom_reaped_peers", "Peers removed because they did not come back")
OPERATION_SECONDS = Histogram(
    "hmsroom_operation_seconds",
    "Time from a request until its answer, by operation",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)


@functools.cache
def operation_seconds(operation: str) -> Histogram:
    """OPERATION_SECONDS of one operation; looking a label up takes longer than counting."""
    return OPERATION_SECONDS.labels(operation)
