"""An engine with the least there can be to reconcile: it signs Jobs. Run as a process of its own, and killed."""

import asyncio
import os
import signal

import uvloop

from modelyard.core.plan import Event, Key, Manifest
from modelyard.engine.logs import set_up_logging
from modelyard.engine.metrics import Metrics
from modelyard.engine.runtime import Engine
from modelyard.engine.source import Source
from modelyard.kube.client import KubeClient
from modelyard.kube.resources import JOBS, SELDON_DEPLOYMENTS
from modelyard.settings import Settings

SELECTOR = "signs=wanted"
SIGNED_BY = "signed-by"
SELDON = "seldon-is-served"


def own_key(manifest: Manifest) -> list[Key]:
    metadata = manifest["metadata"]
    return [Key("Job", metadata["namespace"], metadata["name"])] if manifest["kind"] == "Job" else []


def wanted(job: Manifest, identity: str, is_seldon_served: bool) -> dict[str, str]:
    before = job["metadata"].get("annotations") or {}
    return {SIGNED_BY: before.get(SIGNED_BY, identity), SELDON: str(is_seldon_served)}


async def run(settings: Settings) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    metrics = Metrics()
    client = await KubeClient.open(settings.identity, metrics.request_done)

    async def sign(key: Key) -> float | None:
        job = engine.cache(JOBS).get(key.namespace, key.name)
        if job is None:
            return None
        annotations = wanted(job, settings.identity, engine.is_served(SELDON_DEPLOYMENTS))
        if annotations.items() <= (job["metadata"].get("annotations") or {}).items():
            return None
        metadata = {"name": key.name, "namespace": key.namespace, "annotations": annotations}
        engine.upsert(await client.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}))
        await client.tell(job, [Event("Signed", "it is signed")])
        return None

    sources = (Source(JOBS, SELECTOR, own_key), Source(SELDON_DEPLOYMENTS, None, own_key, is_optional=True))
    engine = Engine(settings, client, sources, {"Job": sign}, metrics)
    try:
        await engine.run(stop)
    finally:
        await client.close()


if __name__ == "__main__":
    found = Settings.from_environment(os.environ)
    set_up_logging(found.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(found))
