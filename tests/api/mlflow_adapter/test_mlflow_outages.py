"""A server that is away, frozen, or does not want to be called so."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.mlflow_adapter.support import ALIAS, TIMEOUT_SECONDS, make_run_question
from api.mlflow_server import MlflowServer
from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    FindOpenRuns,
    ReadAlias,
)

pytestmark = pytest.mark.api


async def test_a_name_that_mlflow_does_not_allow_is_told_with_the_setting(
    mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def at_home(host: str, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == "mlflow.mlops.svc" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    gateway = MlflowGateway(MlflowConfig(uri=mlflow_server.uri.replace("127.0.0.1", "mlflow.mlops.svc")))
    failure = await gateway.ask(ALIAS)
    assert failure.reason == "HostRejected"
    assert "'mlflow.mlops.svc,mlflow.mlops.svc:*' to MLFLOW_SERVER_ALLOWED_HOSTS" in failure.message
    await gateway.close()


async def until_answered(ask: Callable[[], Awaitable[Any]]) -> float:
    """Seconds until an answer is no failure."""
    started = time.monotonic()
    while time.monotonic() - started < 60:
        if not isinstance(await ask(), Failure):
            return time.monotonic() - started
        await asyncio.sleep(0.2)
    pytest.fail("no answer within a minute")


async def test_a_frozen_server_costs_a_time_out_and_then_nothing(mortal_server: MlflowServer) -> None:
    gateway = MlflowGateway(MlflowConfig(uri=mortal_server.uri, timeout_seconds=TIMEOUT_SECONDS))
    run_question = make_run_question()
    await gateway.ask(ALIAS)
    mortal_server.signal(signal.SIGSTOP)
    started = time.monotonic()
    first = await asyncio.gather(gateway.ask(run_question), *(gateway.ask(ReadAlias("m", str(n))) for n in range(40)))
    took_seconds = time.monotonic() - started
    assert {failure.reason for failure in first} == {"TrackingUnavailable"}
    assert took_seconds < 3 * TIMEOUT_SECONDS + 2.0
    started = time.monotonic()
    assert (await gateway.ask(ALIAS)).reason == "TrackingUnavailable"
    assert time.monotonic() - started < 0.1
    mortal_server.signal(signal.SIGCONT)
    assert await until_answered(lambda: gateway.ask(ALIAS)) < 20
    # The frozen server carries out what it had been sent: still there is one run.
    run = await gateway.ask(run_question)
    open_runs = await gateway.ask(FindOpenRuns(run_question.identity.cluster))
    assert [found.run_id for found in open_runs] == [run.run_id]
    await gateway.close()


async def test_work_goes_on_soon_after_a_killed_server_is_back(
    mortal_server: MlflowServer, mlflow_server: MlflowServer
) -> None:
    gateway = MlflowGateway(MlflowConfig(uri=mortal_server.uri, timeout_seconds=TIMEOUT_SECONDS))
    other = MlflowGateway(MlflowConfig(uri=mlflow_server.uri, timeout_seconds=30.0))
    await gateway.ask(ALIAS)
    mortal_server.kill()
    for _ in range(5):
        assert (await gateway.ask(ALIAS)).reason == "TrackingUnavailable"
    started = time.monotonic()
    while time.monotonic() - started < 8.0:
        assert isinstance(await gateway.ask(ALIAS), Failure)
        assert await other.ask(ALIAS) is None
        await asyncio.sleep(0.2)
    await asyncio.to_thread(mortal_server.start)
    seconds = await until_answered(lambda: gateway.ask(ALIAS))
    print(f"answered {seconds:.1f} s after MLflow was back")
    assert seconds < 30
    await gateway.close()
    await other.close()
