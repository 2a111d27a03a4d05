import socket

import aiohttp

from modelyard.engine.metrics import Metrics
from modelyard.engine.probes import Heartbeat, served
from modelyard.kube.resources import JOBS


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def get(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def test_probes_say_ok_or_what_is_wrong() -> None:
    port = free_port()
    async with served("127.0.0.1", (port, port), Metrics(), lambda: None, lambda: "not yet"):
        assert await get(port, "/healthz") == (200, "ok")
        assert await get(port, "/readyz") == (503, "not yet")


async def test_metrics_have_a_port_of_their_own_and_the_names_of_controller_runtime() -> None:
    probes, port, metrics = free_port(), free_port(), Metrics()
    metrics.request_done("PATCH", JOBS, "201", 0.1)
    metrics.reconciles.labels("TrainingJob", "success").inc()
    async with served("127.0.0.1", (probes, port), metrics, lambda: None, lambda: None):
        status, text = await get(port, "/metrics")
        assert (await get(probes, "/metrics"))[0] == 404
    assert status == 200
    assert 'rest_client_requests_total{code="201",host="apiserver",method="PATCH"} 1.0' in text
    assert 'controller_runtime_reconcile_total{controller="TrainingJob",result="success"} 1.0' in text
    assert 'workqueue_depth{name="modelyard"}' in text


def test_a_loop_that_is_far_behind_is_not_healthy_and_is_again_once_it_caught_up() -> None:
    now = 0.0
    heartbeat = Heartbeat(lambda: now)
    assert heartbeat.complaint() is None
    now = 8.0
    assert heartbeat.complaint() == "the event loop is 7.0 s behind"
    heartbeat.beat()
    assert heartbeat.complaint() is not None
    now = 9.0
    heartbeat.beat()
    assert heartbeat.complaint() is None
