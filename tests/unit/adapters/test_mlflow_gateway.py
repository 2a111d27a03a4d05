"""The gateway against servers that answer anything but what MLflow would."""

import asyncio
import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.core.model_card import ReadModelCard
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AttemptIdentity,
    EndRun,
    EnsureExperiment,
    EnsureRun,
    FindModels,
    FindOpenRuns,
    FindRuns,
    GetVersion,
    ReadAlias,
    ReadMetrics,
    RegisterVersion,
    ResolveAlias,
    RunStatus,
    TrackingQuestion,
)

RUN_ID = "0123456789abcdef" * 2
ALIAS = ReadAlias("model", "champion")
IDENTITY = AttemptIdentity("cluster", "uid", 1)
EVERY_QUESTION: tuple[TrackingQuestion, ...] = (
    EnsureExperiment("experiment"),
    EnsureRun(IDENTITY, "experiment", "run"),
    FindRuns(IDENTITY),
    EndRun(RUN_ID, RunStatus.FAILED, 1),
    FindModels(RUN_ID, "1"),
    RegisterVersion(IDENTITY, "model", "m-" + RUN_ID, RUN_ID, aliases=("champion",)),
    ReadMetrics(RUN_ID, ("accuracy",)),
    ALIAS,
    ResolveAlias("model", "champion"),
    GetVersion("model", "1"),
    FindOpenRuns("cluster"),
    ReadModelCard("model", "1"),
)


class Impostor(http.server.ThreadingHTTPServer):
    """Answers every request with the same status, headers and body."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 200, {}, b"{}"
        self.requests: list[str] = []
        self.workspaces: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    headers: dict[str, str]

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def say(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers = status, headers or {}
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Impostor

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.workspaces.add(self.headers.get("X-MLFLOW-WORKSPACE"))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET  # noqa: N815 - the base class calls it so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def impostor() -> Iterator[Impostor]:
    server = Impostor()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
async def ask() -> AsyncIterator[Callable[..., Any]]:
    gateways: dict[str, MlflowGateway] = {}

    async def ask(uri: str, question: TrackingQuestion = ALIAS) -> Any:
        gateway = gateways.setdefault(uri, MlflowGateway(MlflowConfig(uri=uri, timeout_seconds=1.0)))
        return await gateway.ask(question)

    yield ask
    for gateway in gateways.values():
        await gateway.close()


def refused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, b"{}", ("TrackingUnavailable", True)),
        (503, b"busy", ("TrackingUnavailable", True)),
        (429, b"slow down", ("TrackingUnavailable", True)),
        (401, b"who are you", ("AccessDenied", True)),
        (403, {"error_code": "PERMISSION_DENIED", "message": "not yours"}, ("AccessDenied", True)),
        (403, b"Invalid Host header - possible DNS rebinding attack detected", ("HostRejected", True)),
        (302, b"", ("InvalidResponse", True)),
        (404, b"<html>nginx</html>", ("InvalidResponse", True)),
        (404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}, ("InvalidResponse", True)),
        (200, b"<html>hello</html>", ("InvalidResponse", True)),
        (200, [1, 2], ("InvalidResponse", True)),
        (200, {"model_version": 5}, ("InvalidResponse", True)),
        (200, {"model_version": {"name": "model", "version": "1; rm"}}, ("InvalidResponse", True)),
        (200, {"model_version": {"name": "other", "version": "1"}}, ("InvalidResponse", True)),
        (200, {"model_version": {"name": "model", "version": "1", "run_id": "../x"}}, ("InvalidResponse", True)),
        (400, {"error_code": {"a": 1}, "message": ["a"]}, ("InvalidResponse", True)),
        (
            400,
            {"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid model name 'a/b'."},
            ("NameInvalid", False),
        ),
        (400, {"error_code": "INVALID_STATE", "message": "no"}, ("InvalidRequest", False)),
    ],
)
async def test_each_kind_of_refusal_has_its_reason(
    impostor: Impostor, ask: Callable[..., Any], status: int, body: object, expected: tuple[str, bool]
) -> None:
    impostor.say(status, body, {"Location": "http://127.0.0.1:1/"} if status == 302 else None)
    failure = await ask(impostor.uri)
    assert (failure.reason, failure.is_transient) == expected


async def test_a_rejected_host_is_told_with_the_setting_and_the_name(
    impostor: Impostor, ask: Callable[..., Any]
) -> None:
    impostor.say(403, b"Invalid Host header - possible DNS rebinding attack detected")
    failure = await ask(impostor.uri)
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" in failure.message
    assert "'127.0.0.1,127.0.0.1:*'" in failure.message


async def test_redirects_are_not_followed(impostor: Impostor, ask: Callable[..., Any]) -> None:
    other = Impostor()
    impostor.say(307, b"", {"Location": other.uri})
    await ask(impostor.uri)
    assert other.requests == []
    other.shutdown()
    other.server_close()


async def test_a_refused_connection_is_told_in_the_same_words_each_time(ask: Callable[..., Any]) -> None:
    uri = f"http://127.0.0.1:{refused_port()}"
    expected = Failure("TrackingUnavailable", f"MLflow at {uri} does not answer: connection refused.")
    assert [await ask(uri) for _ in range(5)] == [expected] * 5


async def test_an_unknown_host_is_told(ask: Callable[..., Any]) -> None:
    failure = await ask("http://mlflow.invalid")
    assert failure.message == "MLflow at http://mlflow.invalid does not answer: its host name does not resolve."


async def test_a_server_that_takes_the_request_and_says_nothing_times_out(ask: Callable[..., Any]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        failure = await ask(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert failure.reason == "TrackingUnavailable"
    assert failure.message.endswith("timed out.")


async def test_a_cut_body_counts_as_no_answer(impostor: Impostor, ask: Callable[..., Any]) -> None:
    impostor.say(200, b'{"model_version":', {"Content-Length": "100"})
    assert (await ask(impostor.uri)).reason == "TrackingUnavailable"


@pytest.mark.parametrize("question", EVERY_QUESTION, ids=lambda question: type(question).__name__)
@pytest.mark.parametrize(
    "body", [{}, {"run": {}}, {"experiment": {}}, {"experiments": [{}]}, {"runs": [{}]}, {"models": [{}]}, {"x": None}]
)
async def test_no_answer_of_another_shape_raises(
    impostor: Impostor, ask: Callable[..., Any], question: TrackingQuestion, body: object
) -> None:
    impostor.say(200, body)
    answer = await ask(impostor.uri, question)
    reasons = {"InvalidResponse", "ModelUnreadable"}
    assert answer == () or (isinstance(answer, Failure) and answer.reason in reasons)


@pytest.mark.parametrize("field", ["run_id", "version", "model_id"])
async def test_ids_of_a_question_are_checked_before_they_travel(
    impostor: Impostor, ask: Callable[..., Any], field: str
) -> None:
    hostile = "../../api/2.0/mlflow/experiments/delete?x='"
    question = {
        "run_id": EndRun(hostile, RunStatus.FAILED, 1),
        "version": GetVersion("model", hostile),
        "model_id": RegisterVersion(IDENTITY, "model", hostile, RUN_ID),
    }[field]
    failure = await ask(impostor.uri, question)
    assert (failure.reason, failure.is_transient, impostor.requests) == ("NameInvalid", False, [])


async def test_messages_are_one_short_line_without_credentials(
    impostor: Impostor, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "s3cr3t-token")
    echo = f"Authorization: Bearer s3cr3t-token\r\nhttp://ada:{'lovelace'}@proxy/ \x1b[31m" + "x" * 5000
    impostor.say(400, {"error_code": "BAD_REQUEST", "message": echo})
    failure = await ask(impostor.uri.replace("http://", "http://ada:lovelace@"))
    assert len(failure.message) <= 500
    assert failure.message.isprintable()
    assert "s3cr3t" not in failure.message
    assert "lovelace" not in failure.message


async def test_after_three_failures_a_server_is_left_alone(impostor: Impostor, ask: Callable[..., Any]) -> None:
    impostor.say(503, b"")
    failures = [await ask(impostor.uri) for _ in range(20)]
    assert len(impostor.requests) == 3
    assert len(set(failures)) == 1


async def test_a_refusal_does_not_open_the_breaker(impostor: Impostor, ask: Callable[..., Any]) -> None:
    impostor.say(500, b"")
    for _ in range(5):
        await ask(impostor.uri)
    assert len(impostor.requests) == 5


async def test_the_event_loop_goes_on_while_a_server_is_silent(ask: Callable[..., Any]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        asking = asyncio.ensure_future(ask(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        longest, last = 0.0, asyncio.get_running_loop().time()
        while not asking.done():
            await asyncio.sleep(0.01)
            now = asyncio.get_running_loop().time()
            longest, last = max(longest, now - last), now
    assert longest < 0.5


@pytest.mark.parametrize("uri", ["", "sqlite:///x.db", "file:///tmp", "databricks", "/tmp/mlruns", "http://"])  # noqa: S108 - never opened
async def test_without_an_http_server_every_answer_says_so(ask: Callable[..., Any], uri: str) -> None:
    failure = await ask(uri)
    assert (failure.reason, failure.is_transient) == ("TrackingNotConfigured", False)
    assert "MODELYARD_TRACKING_URI" in failure.message


async def test_without_a_workspace_nothing_is_said_of_one(ask: Callable[..., Any], impostor: Impostor) -> None:
    for question in EVERY_QUESTION:
        await ask(impostor.uri, question)
    assert impostor.workspaces == {None}
    assert not [path for path in impostor.requests if "server-info" in path]


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"<html>Not Found</html>"), (200, {"workspaces_enabled": False}), (200, {"store_type": "SqlStore"})],
)
async def test_a_server_that_would_not_look_at_the_workspace_is_asked_nothing(
    impostor: Impostor, status: int, body: object
) -> None:
    impostor.say(status, body)
    gateway = MlflowGateway(MlflowConfig(uri=impostor.uri, timeout_seconds=1.0))
    for question in EVERY_QUESTION:
        answer = await gateway.ask(question, "team-a")
        assert (answer.reason, answer.is_transient) == ("WorkspacesDisabled", True)
        assert "--enable-workspaces" in answer.message
    assert {path.partition("?")[0] for path in impostor.requests} == {"/api/3.0/mlflow/server-info"}
    await gateway.close()


async def test_the_workspace_is_told_with_every_request(impostor: Impostor) -> None:
    impostor.say(200, {"workspaces_enabled": True})
    gateway = MlflowGateway(MlflowConfig(uri=impostor.uri, timeout_seconds=1.0))
    await gateway.ask(FindOpenRuns("cluster"), "team-a")
    impostor.workspaces.clear()
    for question in EVERY_QUESTION:
        await gateway.ask(question, "team-a")
    assert impostor.workspaces == {"team-a"}
    await gateway.close()


def test_importing_the_gateway_does_not_import_mlflow() -> None:
    """The client takes more than a second to import: it is, at the first question, in a thread."""
    check = "import sys; import modelyard.adapters.mlflow_gateway; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": "operator"}, check=False).returncode == 0
