"""Counts answers as MLServer does, by the same names, so that whoever reads model servers reads both alike."""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

_LABELS = ("method", "path", "status_code", "app_name")
_APP = "seldon-core"


def count_answers(app: Flask, registry: CollectorRegistry) -> None:
    """Have every answer of the application counted and timed; by its route, or there would be series without end."""
    requests = Counter("rest_server_requests", "Answered HTTP requests", _LABELS, registry=registry)
    durations = Histogram("rest_server_request_duration_seconds", "Time until the answer", _LABELS, registry=registry)

    def begin() -> None:
        g.began = time.perf_counter()

    def end(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        labels = (request.method, route, str(response.status_code), _APP)
        requests.labels(*labels).inc()
        durations.labels(*labels).observe(time.perf_counter() - g.began)
        return response

    app.before_request(begin)
    app.after_request(end)
