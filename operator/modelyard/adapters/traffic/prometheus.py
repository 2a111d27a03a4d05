"""Asks a Prometheus: for one number, or for what the pods of a predictor answered."""

import asyncio
import json
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from modelyard.adapters.traffic import body
from modelyard.adapters.traffic.counters import DURATIONS, ERROR_CODES, PREDICTIONS, REQUESTS
from modelyard.core.conditions import shorten
from modelyard.core.plan import Failure
from modelyard.core.traffic import MeasureTraffic, QueryPrometheus, Traffic

NOT_CONFIGURED = Failure(
    "PrometheusNotConfigured",
    "the operator was told of no Prometheus: set the chart's prometheus.url, or use builtin metrics only",
    is_transient=False,
)
_ERRORS = f"status_code=~'[{''.join(ERROR_CODES)}]..'"
_LEAST_SCRAPES = 2
"""A window with fewer scrapes in it shows no difference."""


@dataclass(frozen=True)
class PrometheusConfig:
    """Where it is, and how often it reads the model servers."""

    url: str
    """Its base URL, to which /api/v1/query is added; empty: there is none."""
    scrape_seconds: float = 30.0
    timeout_seconds: float = 5.0
    credentials_dir: Path | None = None
    """A mounted Secret with the files username and password, or token."""
    ca_file: Path | None = None
    """The authorities an https Prometheus is checked with; None: the public ones."""


class Prometheus:
    """One Prometheus, asked over its HTTP API."""

    def __init__(self, session: aiohttp.ClientSession, config: PrometheusConfig) -> None:
        self._session = session
        self._config = config
        self._tls = ssl.create_default_context(cafile=config.ca_file) if config.ca_file else True

    async def query(self, question: QueryPrometheus) -> float | Failure | None:
        """The number that the query gives now."""
        if not self._config.url:
            return NOT_CONFIGURED
        try:
            status, answered = await self._post(question.query)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            said = str(error) or type(error).__name__
            return Failure("PrometheusUnreachable", f"Prometheus at {self._config.url} does not answer: {said}")
        return _number(status, answered)

    async def measure(self, question: MeasureTraffic) -> Traffic | Failure:
        """What the pods answered in the window, which has to hold two scrapes at least."""
        window = math.ceil(max(question.window_seconds, _LEAST_SCRAPES * self._config.scrape_seconds))
        if not question.pods:
            return Traffic(0, 0, None, window)
        pods = _selector(question)
        queries = (
            f"sum({_grown(REQUESTS, pods, window)})",
            f"sum({_grown(REQUESTS, [*pods, _ERRORS], window)})",
            f"histogram_quantile(0.95, sum by (le) ({_grown(DURATIONS, pods, window)}))",
        )
        answers = await asyncio.gather(*(self.query(QueryPrometheus(query)) for query in queries))
        failure = next((answer for answer in answers if isinstance(answer, Failure)), None)
        if failure is not None:
            return failure
        requests, errors, latency = (None if isinstance(answer, Failure) else answer for answer in answers)
        is_measured = latency is not None and math.isfinite(latency)
        return Traffic(round(requests or 0), round(errors or 0), latency if is_measured else None, window)

    async def _post(self, query: str) -> tuple[int, bytes]:
        """Status and body of the answer; a query with many pods is too long for a URL."""
        url = self._config.url.rstrip("/") + "/api/v1/query"
        timeout = aiohttp.ClientTimeout(total=self._config.timeout_seconds)
        headers, auth = await asyncio.to_thread(_credentials, self._config.credentials_dir)
        how: dict[str, Any] = {"timeout": timeout, "headers": headers, "auth": auth, "ssl": self._tls}
        async with self._session.post(url, data={"query": query}, allow_redirects=False, **how) as response:
            return response.status, await body.read(response)


def _selector(question: MeasureTraffic) -> list[str]:
    """Matchers of the predictions of these pods; their names hold nothing that a regular expression reads otherwise."""
    names = "|".join(pod.name.replace(".", "[.]") for pod in question.pods)
    paths = "|".join(f".*{ending}" for ending in PREDICTIONS)
    return [f'namespace="{question.pods[0].namespace}"', f'pod=~"{names}"', f'path=~"{paths}"']


def _grown(metric: str, matchers: list[str], window: int) -> str:
    """By how much counters grew, those that are new or began anew from zero.

    increase() would miss what a series holds when it is first seen, which is all that a canary's first errors are.
    """
    series = f"{metric}{{{','.join(matchers)}}}"
    return f"{series} - (({series} offset {window}s <= {series}) or {series} * 0)"


def _credentials(folder: Path | None) -> tuple[Mapping[str, str], aiohttp.BasicAuth | None]:
    """Headers and user of a request, read anew each time so that a rotation needs no restart."""
    if folder is None:
        return {}, None
    read = {name: _read(folder / name) for name in ("username", "password", "token")}
    if read["token"]:
        return {"Authorization": f"Bearer {read['token']}"}, None
    return {}, aiohttp.BasicAuth(read["username"], read["password"]) if read["username"] else None


def _read(path: Path) -> str:
    """A file of a mounted Secret, empty when it is not there."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(status: int, answered: bytes) -> float | Failure | None:
    """What an answer of the HTTP API says."""
    if status in {401, 403}:
        return Failure("AccessDenied", f"Prometheus answered {status}: check the chart's prometheus.existingSecret")
    try:
        answer = json.loads(answered)
        if answer["status"] != "success":
            said = shorten(str(answer.get("error") or status), 300)
            return Failure("QueryFailed", f"Prometheus says: {said}", is_transient=status >= 500)
        return _of_result(answer["data"])
    except (ValueError, KeyError, TypeError, IndexError):
        return Failure("InvalidResponse", f"what answered {status} at prometheus.url is no Prometheus")


def _of_result(data: dict[str, Any]) -> float | Failure | None:
    """The one number of a scalar, or of a vector with one series."""
    result = data["result"]
    if data["resultType"] == "scalar":
        return float(result[1])
    if data["resultType"] != "vector":
        return Failure("QueryFailed", f"the query gives a {data['resultType']}, not a number", is_transient=False)
    if len(result) > 1:
        said = f"the query gives {len(result)} series: make it one number, as with sum(…)"
        return Failure("QueryFailed", said, is_transient=False)
    return float(result[0]["value"][1]) if result else None
