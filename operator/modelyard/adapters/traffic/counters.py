"""What a model server counts: its metrics read, compared over time and put together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

REQUESTS = "rest_server_requests_total"
DURATIONS = "rest_server_request_duration_seconds_bucket"
PREDICTIONS = ("/infer", "/infer_stream", "/generate", "/generate_stream", "/invocations", "/predictions", "/predict")
"""How the paths of predictions end; probes, metadata and metrics have paths of their own."""

ERROR_CODES = ("4", "5")
"""How codes of answers begin that are no predictions: a model that raises is a 500 at /infer, a 400 at /invocations."""

_PREFIX = "rest_server_request"


@dataclass(frozen=True)
class Counts:
    """Predictions, those answered 4xx or 5xx, and how many took no longer than each bound in seconds."""

    requests: float = 0
    errors: float = 0
    buckets: Mapping[float, float] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        bounds = {*self.buckets, *other.buckets}
        both = {bound: self.buckets.get(bound, 0) + other.buckets.get(bound, 0) for bound in bounds}
        return Counts(self.requests + other.requests, self.errors + other.errors, both)

    def since(self, earlier: "Counts") -> "Counts":
        """What came in between. A server that counts less than before has begun anew: all it counts is new."""
        if self.requests < earlier.requests or self.errors < earlier.errors:
            return self
        grown = {bound: max(0, count - earlier.buckets.get(bound, 0)) for bound, count in self.buckets.items()}
        return Counts(self.requests - earlier.requests, self.errors - earlier.errors, grown)


@dataclass(frozen=True)
class Reading:
    """What one pod had counted at one moment of the reader's clock."""

    at: float
    counts: Counts


def parse(text: str) -> Counts:
    """The counts in a server's metrics, in Prometheus' text format.

    Raises:
        ValueError: it is not that format.
    """
    requests = errors = 0.0
    buckets: dict[float, float] = {}
    # A server tells much that is of no interest here, and the parser is written in Python.
    concerned = "\n".join(line for line in text.splitlines() if line.startswith(_PREFIX)) + "\n"
    for family in text_string_to_metric_families(concerned):
        for name, labels, value, *_ in family.samples:
            if not labels.get("path", "").endswith(PREDICTIONS) or not math.isfinite(value):
                continue
            if name == REQUESTS:
                requests += value
                errors += value if labels.get("status_code", "").startswith(ERROR_CODES) else 0
            elif name == DURATIONS:
                bound = float(labels["le"])
                buckets[bound] = buckets.get(bound, 0) + value
    return Counts(requests, errors, buckets)


def increase(readings: Sequence[Reading]) -> Counts:
    """What was counted from the first reading to the last, over any number of restarts in between."""
    return sum((later.counts.since(earlier.counts) for earlier, later in pairwise(readings)), Counts())


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """The time that this share of requests stays under, evenly spread in its bucket: as Prometheus' histogram_quantile.

    None without a request; the highest finite bound for what is beyond it.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0
    if total <= 0:
        return None
    rank = share * total
    position = next(number for number, bound in enumerate(bounds) if buckets[bound] >= rank)
    bound = bounds[position]
    below, counted = (bounds[position - 1], buckets[bounds[position - 1]]) if position else (0.0, 0.0)
    if math.isinf(bound):
        return below
    return below + (bound - below) * (rank - counted) / max(buckets[bound] - counted, 1e-12)


def together(increases: Iterable[Counts]) -> Counts:
    """What several pods counted."""
    return sum(increases, Counts())


def least_age(window_seconds: float) -> float:
    """How old a reading has to be to begin a window: checks come a little early and late."""
    return 0.8 * window_seconds
