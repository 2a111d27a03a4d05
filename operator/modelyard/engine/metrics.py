"""What can be measured of the operator, under the names that controller-runtime gave them."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from modelyard.__about__ import __version__
from modelyard.kube.resources import Resource

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_QUEUE = "modelyard"


class Metrics:
    """Has a registry of its own, so that tests and several engines in one process do not mix."""

    def __init__(self, host: str = "apiserver") -> None:
        self._host = host
        registry = self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        Gauge("modelyard_info", "The version that runs.", ["version"], registry=registry).labels(__version__).set(1)
        self._reconcile_metrics()
        self._queue_metrics()
        self._watch_metrics()
        requests = ["code", "method", "host"]
        self.requests = Counter("rest_client_requests", "Requests to the API server.", requests, registry=registry)
        self.request_seconds = Histogram(
            "rest_client_request_duration_seconds",
            "How long the API server took to answer.",
            ["verb", "resource"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.is_leader = Gauge(
            "leader_election_master_status", "1 on the replica that leads.", ["name"], registry=registry
        )

        self.webhooks = Counter(
            "modelyard_webhook_deliveries", "What became of deliveries.", ["result"], registry=registry
        )

    def _reconcile_metrics(self) -> None:
        """What workers do."""
        registry = self.registry
        prefix = "controller_runtime_"
        self.reconciles = Counter(
            f"{prefix}reconcile", "Reconciles by result.", ["controller", "result"], registry=registry
        )
        self.reconcile_errors = Counter(
            f"{prefix}reconcile_errors", "Reconciles that failed.", ["controller"], registry=registry
        )
        self.reconcile_seconds = Histogram(
            f"{prefix}reconcile_time_seconds",
            "How long one took.",
            ["controller"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.active_workers = Gauge(
            f"{prefix}active_workers", "Workers that have a key.", ["controller"], registry=registry
        )
        self.most_workers = Gauge(
            f"{prefix}max_concurrent_reconciles", "Workers, shared by all kinds.", ["controller"], registry=registry
        )

    def _queue_metrics(self) -> None:
        """What waits."""
        registry, label = self.registry, ["name"]
        self.depth = Gauge("workqueue_depth", "Keys that wait.", label, registry=registry).labels(_QUEUE)
        self.adds = Counter("workqueue_adds", "Keys that came in.", label, registry=registry).labels(_QUEUE)
        self.retries = Counter("workqueue_retries", "Keys that failed.", label, registry=registry).labels(_QUEUE)
        self.wait_seconds = Histogram(
            "workqueue_queue_duration_seconds", "How long a key waited.", label, buckets=_SECONDS, registry=registry
        ).labels(_QUEUE)
        self.work_seconds = Histogram(
            "workqueue_work_duration_seconds",
            "How long a key was worked on.",
            label,
            buckets=_SECONDS,
            registry=registry,
        ).labels(_QUEUE)

    def _watch_metrics(self) -> None:
        """What is heard of the cluster."""
        registry, label = self.registry, ["resource"]
        self.watch_events = Counter("modelyard_watch_events", "Watch events.", ["resource", "type"], registry=registry)
        self.cache_objects = Gauge("modelyard_cache_objects", "Objects held.", label, registry=registry)
        self.swept = Counter(
            "modelyard_cache_swept",
            "Objects that were gone without an event; more than a few are a fault.",
            label,
            registry=registry,
        )
        self.missed = Counter(
            "modelyard_cache_missed", "Changes that a list told of before any event.", label, registry=registry
        )
        self.resync_time = Gauge(
            "modelyard_last_resync_timestamp_seconds", "When everything was listed last.", registry=registry
        )

    def request_done(self, method: str, resource: Resource, code: str, seconds: float) -> None:
        """Count a request to the API server."""
        self.requests.labels(code, method, self._host).inc()
        self.request_seconds.labels(method, str(resource)).observe(seconds)

    def added(self, depth: int) -> None:
        """Count a key that came into the queue."""
        self.adds.inc()
        self.depth.set(depth)

    def taken(self, depth: int, waited_seconds: float) -> None:
        """Count a key that a worker took."""
        self.depth.set(depth)
        self.wait_seconds.observe(waited_seconds)

    def retried(self) -> None:
        """Count a key that failed."""
        self.retries.inc()

    def render(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
