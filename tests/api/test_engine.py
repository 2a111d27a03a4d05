"""The engine as processes against a real API server: who leads, what a write costs, what comes and goes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from api import engine_program
from api.fault_proxy import FaultProxy
from modelyard.core.plan import Event, Manifest, ObjectRef
from modelyard.kube.client import KubeClient
from modelyard.kube.errors import Conflict, Invalid, NotFound
from modelyard.kube.resources import EVENTS, JOBS
from tools.localcluster.controlplane import ControlPlane
from tools.localcluster.ports import free_ports

pytestmark = pytest.mark.api

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0


class Replica:
    """One engine process."""

    def __init__(self, name: str, namespace: str, kubeconfig: Path, log: Path) -> None:
        self.name, self.log = name, log
        self.probe_port, self.metrics_port = free_ports(2)
        environment = {
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("operator", ".", "tests")),
            "MODELYARD_IDENTITY": name,
            "MODELYARD_OPERATOR_NAMESPACE": namespace,
            "MODELYARD_NAMESPACES": namespace,
            "MODELYARD_PROBE_HOST": "127.0.0.1",
            "MODELYARD_PROBE_PORT": str(self.probe_port),
            "MODELYARD_METRICS_PORT": str(self.metrics_port),
        }
        with log.open("ab") as output:
            command = [sys.executable, "-m", "api.engine_program"]
            self.process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    async def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return await self._get(self.probe_port, "/readyz") == "ok"

    async def leads(self) -> bool:
        return 'leader_election_master_status{name="modelyard"} 1.0' in await self._get(self.metrics_port, "/metrics")

    async def ended(self) -> bool:
        return self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def _get(self, port: int, path: str) -> str:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
                return await response.text()
        except aiohttp.ClientError:
            return ""


class World:
    """One namespace, with a client of the test's own."""

    def __init__(self, client: KubeClient, namespace: str, kubeconfig: Path, folder: Path) -> None:
        self.client, self.namespace, self.kubeconfig, self._folder = client, namespace, kubeconfig, folder
        self.replicas: list[Replica] = []

    async def start(self, name: str, kubeconfig: Path | None = None) -> Replica:
        replica = Replica(name, self.namespace, kubeconfig or self.kubeconfig, self._folder / f"{name}.log")
        self.replicas.append(replica)
        await until(replica.is_ready, START_SECONDS)
        return replica

    async def start_leader(self, name: str, kubeconfig: Path | None = None) -> Replica:
        replica = await self.start(name, kubeconfig)
        await until(replica.leads, START_SECONDS)
        return replica

    def job(self, name: str) -> Manifest:
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"signs": "wanted"}},
            "spec": {"suspend": True, "template": {"spec": pod}},
        }

    def ref(self, name: str, uid: str | None = None) -> ObjectRef:
        return ObjectRef("batch/v1", "Job", self.namespace, name, uid)

    async def annotations(self, name: str) -> dict[str, str]:
        found = await self.client.get(self.ref(name))
        assert found is not None
        return found["metadata"].get("annotations") or {}

    async def is_signed(self, name: str) -> bool:
        return engine_program.SIGNED_BY in await self.annotations(name)

    async def new_job_is_signed_within(self, seconds: float) -> float:
        name = f"job-{uuid.uuid4().hex[:6]}"
        await self.client.create(self.job(name))
        return await until(lambda: self.is_signed(name), seconds)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> float:
    """Wait for it; the seconds that it took."""
    started = time.monotonic()
    while not await condition():
        assert time.monotonic() - started < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - started


async def is_watched(proxy: FaultProxy) -> bool:
    return any("/jobs?" in path and "watch=true" in path for _, path in proxy.requests)


@pytest.fixture
def kubeconfig(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBECONFIG", str(control_plane.kubeconfig))
    return control_plane.kubeconfig


@pytest.fixture
async def world(kubeconfig: Path, tmp_path: Path) -> AsyncIterator[World]:
    client = await KubeClient.open()
    namespace = f"engine-{uuid.uuid4().hex[:8]}"
    await client.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    world = World(client, namespace, kubeconfig, tmp_path)
    yield world
    for replica in world.replicas:
        replica.kill()
    await client.close()


@pytest.fixture
async def proxy(world: World, tmp_path: Path) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(await world.client.credentials())
    await proxy.start(tmp_path)
    yield proxy
    await proxy.stop()


@pytest.fixture
def seldon_crd(control_plane: ControlPlane, kubeconfig: Path) -> Iterator[Callable[[str], None]]:
    crd = ROOT / "tools/seldon_standin/crd.yaml"

    def kubectl(verb: str) -> None:
        command = [control_plane.kubectl, "--kubeconfig", kubeconfig, verb, "--filename", crd]
        subprocess.run(command, check=verb == "create", capture_output=True)

    yield kubectl
    kubectl("delete")


async def test_an_object_costs_one_write_and_one_event_and_no_reading(world: World, proxy: FaultProxy) -> None:
    await world.start_leader("a", proxy.kubeconfig)
    await until(lambda: is_watched(proxy), START_SECONDS)
    proxy.requests.clear()
    await world.new_job_is_signed_within(20)
    await asyncio.sleep(1)
    about_jobs = [(method, path) for method, path in proxy.requests if "/leases/" not in path]
    assert [method for method, _ in about_jobs] == ["PATCH", "POST"]
    assert "/events.k8s.io/" in about_jobs[1][1]


async def test_another_replica_works_within_20_seconds_of_the_leaders_death(world: World) -> None:
    leader, follower = await world.start_leader("a"), await world.start("b")
    assert not await follower.leads()
    await asyncio.sleep(2)
    leader.kill()
    seconds = await world.new_job_is_signed_within(20)
    print(f"work went on {seconds:.1f} s after SIGKILL")
    assert seconds > 5, "the Lease was not waited for"


async def test_another_replica_works_within_3_seconds_of_a_leader_told_to_stop(world: World) -> None:
    leader = await world.start_leader("a")
    await world.start("b")
    leader.process.send_signal(signal.SIGTERM)
    print(f"work went on {await world.new_job_is_signed_within(3):.1f} s after SIGTERM")
    await until(leader.ended, 25)
    assert leader.process.returncode == 0, leader.log.read_text()


async def test_a_leader_that_is_cut_off_ends_before_another_works(world: World, proxy: FaultProxy) -> None:
    leader = await world.start_leader("a", proxy.kubeconfig)
    follower = await world.start("b")
    proxy.fault = lambda _: web.Response(status=503)
    await until(leader.ended, 15)
    assert leader.process.returncode != 0
    assert not await follower.leads()
    await until(follower.leads, 20)


async def test_a_server_that_asks_for_quiet_gets_it(world: World, proxy: FaultProxy) -> None:
    refused: list[float] = []

    def refuse_twice(request: web.Request) -> web.Response | None:
        if request.method != "PATCH" or "/jobs/" not in request.path or len(refused) == 2:
            return None  # the lease is renewed meanwhile, and is not asked for quiet
        refused.append(time.monotonic())
        return web.json_response({"reason": "TooManyRequests"}, status=429, headers={"Retry-After": "3"})

    await world.start_leader("a", proxy.kubeconfig)
    proxy.fault = refuse_twice
    await world.new_job_is_signed_within(30)
    # From the first refusal on: the engine may know of the job before its creator does.
    assert refused[1] - refused[0] >= 3
    assert time.monotonic() - refused[1] >= 3


async def test_a_kind_that_is_installed_later_is_noticed_and_so_is_its_end(
    world: World, seldon_crd: Callable[[str], None]
) -> None:
    replica = await world.start_leader("a")
    await world.client.create(world.job("job"))

    async def knows(is_served: bool) -> bool:
        return (await world.annotations("job")).get(engine_program.SELDON) == str(is_served)

    await until(lambda: knows(False), 20)
    seldon_crd("create")
    await until(lambda: knows(True), 60)
    seldon_crd("delete")
    await until(lambda: knows(False), 60)
    assert await replica.is_ready()


async def test_apply_creates_then_changes_and_status_means_one_incarnation(world: World) -> None:
    created = await world.client.apply(world.job("job"))
    assert created["metadata"]["uid"]
    metadata = {"name": "job", "namespace": world.namespace, "uid": str(uuid.uuid4())}
    with pytest.raises((Conflict, Invalid)):
        await world.client.apply_status({**world.job("job"), "metadata": metadata, "status": {}})
    with pytest.raises(NotFound):
        await world.client.apply_status({**world.job("other"), "spec": None, "status": {}})


async def test_delete_means_one_incarnation(world: World) -> None:
    created = await world.client.create(world.job("job"))
    await world.client.delete(world.ref("job", str(uuid.uuid4())))
    assert await world.client.get(world.ref("job")) is not None
    await world.client.delete(world.ref("job", created["metadata"]["uid"]))

    async def gone() -> bool:
        return await world.client.get(world.ref("job")) is None

    await until(gone, 10)  # the garbage collector sees to what it owns first


async def test_lists_come_in_pages_of_one_version(world: World) -> None:
    for number in range(5):
        await world.client.create(world.job(f"job-{number}"))
    pages = [page async for page in world.client.list_pages(JOBS, world.namespace, "signs=wanted", limit=2)]
    assert [len(items) for items, _ in pages] == [2, 2, 1]
    assert len({version for _, version in pages}) == 1
    others = [page async for page in world.client.list_pages(JOBS, world.namespace, "signs=other")]
    assert [items for items, _ in others] == [[]]


async def test_an_event_told_twice_is_there_once(world: World) -> None:
    about = await world.client.create(world.job("job"))
    for _ in range(2):
        await world.client.tell(about, [Event("Signed", "it is signed")])
    listed = [page async for page in world.client.list_pages(EVENTS, world.namespace)]
    ours = [item for items, _ in listed for item in items if item["reason"] == "Signed"]
    assert [(item["note"], item["regarding"]["name"]) for item in ours] == [("it is signed", "job")]
