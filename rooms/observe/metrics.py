"""What the server counts, for Prometheus."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge, Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

SOCKETS = Gauge("hmsroom_sockets", "WebSockets of this process")
PEERS = Gauge("hmsroom_peers", "Peers whose socket is in this process")
ROOMS = Gauge("hmsroom_rooms", "Rooms with a socket in this process")
GAP_REPAIRS = Counter("hmsroom_gap_repairs", "Times that missed events were read from the journal")
RESYNCS = Counter("hmsroom_resyncs", "Sockets closed because their place in the journal was lost")
OUTBOX_CLOSES = Counter("hmsroom_outbox_closes", "Sockets closed because they did not read", ["limit"])
DOORBELL_FAILURES = Counter("hmsroom_doorbell_failures", "Publications that the channel layer did not take")
DATABASE_FAILURES = Counter("hmsroom_database_failures", "Transactions that failed because the database was away")
LEASE_AGE = Gauge("hmsroom_lease_age_seconds", "Time since this process renewed its lease")
REFUSALS = Counter("hmsroom_refusals", "Requests, sockets and handshakes refused", ["code"])
REAPED = Counter("hmsroom_reaped_peers", "Peers removed because they did not come back")
WEBHOOKS_DELIVERED = Counter("hmsroom_webhooks_delivered", "Webhooks that were taken")
WEBHOOK_FAILURES = Counter("hmsroom_webhook_failures", "Tries of webhooks that were not taken")
WEBHOOKS_DEAD = Counter("hmsroom_webhooks_dead", "Webhooks that were given up")
WEBHOOK_BACKLOG = Gauge("hmsroom_webhook_backlog", "Webhooks that wait, those of other processes included")
WEBHOOK_AGE = Gauge("hmsroom_webhook_age_seconds", "Age of the oldest webhook that waits")


class Events(Collector):
    """Events of the rooms that have sockets in this process. Counted on the event loop alone, so without locks."""

    count = 0

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("hmsroom_events", "Events of the rooms that have sockets here", value=self.count)


# The library's own histogram takes locks: eight calls for one here, in every request.
class OperationSeconds(Collector):
    """Time from a request until its answer, by operation. Counted on the event loop alone, so without locks."""

    BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}

    def observe(self, operation: str, seconds: float) -> None:
        counts = self._counts.get(operation)
        if counts is None:
            counts = self._counts[operation] = [0] * (len(self.BOUNDS) + 1)
            self._sums[operation] = 0.0
        counts[bisect_left(self.BOUNDS, seconds)] += 1
        self._sums[operation] += seconds

    def collect(self) -> Iterator[Metric]:
        told = "Time from a request until its answer, by operation"
        family = HistogramMetricFamily("hmsroom_operation_seconds", told, labels=["operation"])
        bounds = [*map(str, self.BOUNDS), "+Inf"]
        for operation, counts in list(self._counts.items()):
            family.add_metric(
                [operation], list(zip(bounds, accumulate(counts), strict=True)), sum_value=self._sums[operation]
            )
        yield family


OPERATION_SECONDS = OperationSeconds()
EVENTS = Events()
for _collector in (OPERATION_SECONDS, EVENTS):
    REGISTRY.register(_collector)
