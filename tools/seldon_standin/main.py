"""The process: Kopf watches and wakes, the worker does. Start it with `python3 -m tools.seldon_standin.main`."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
from typing import Any

import kopf

from tools.seldon_standin.cluster import ApiError, KubeCluster, connect
from tools.seldon_standin.render import KIND, LABEL_MANAGED_BY, MANAGED_BY
from tools.seldon_standin.worker import Worker, worker_for

log = logging.getLogger(__name__)
RESYNC_SECONDS = 300
ABOUT = (
    "This is not Seldon: a stand-in for the Seldon Core 1.17.1 manager, for tests and demonstrations. "
    "It serves single-node graphs without an executor. For anything else install Seldon itself."
)


def main() -> None:
    """Reads the arguments and runs until SIGTERM."""
    parser = argparse.ArgumentParser(description=ABOUT)
    parser.add_argument("--lag-seconds", type=float, default=0.4, help="how long the old status outlives a change")
    parser.add_argument(
        "--liveness", metavar="URL", help="where to answer liveness probes, like http://0.0.0.0:8080/healthz"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("kopf.objects", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    log.info(ABOUT)
    asyncio.run(_run(arguments.lag_seconds, arguments.liveness))


async def _run(lag_seconds: float, liveness: str | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await connect() as api:
        cluster = KubeCluster(api)
        await _until_served(cluster, stop)
        worker = worker_for(cluster, lag_seconds)
        resync = asyncio.create_task(_resync_forever(cluster, worker))
        try:
            await kopf.operator(
                registry=_registry(worker),
                settings=_settings(),
                clusterwide=True,
                standalone=True,
                liveness_endpoint=liveness,
                stop_flag=stop,
            )
        finally:
            resync.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await resync
            await worker.stop()


async def _until_served(cluster: KubeCluster, stop: asyncio.Event) -> None:
    """Waits for the CRD: Kopf would look for it only once."""
    while not stop.is_set():
        try:
            await cluster.list_keys()
        except ApiError as error:
            log.info("waiting for SeldonDeployments to be served: %s", error)
            await asyncio.sleep(1)
        else:
            return


async def _resync_forever(cluster: KubeCluster, worker: Worker) -> None:
    """Wakes every object now and then: what a broken watch did not tell is healed."""
    while True:
        await asyncio.sleep(RESYNC_SECONDS)
        try:
            for key in await cluster.list_keys():
                worker.wake(key)
        except ApiError as error:
            log.warning("cannot list SeldonDeployments: %s", error)


def _registry(worker: Worker) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    async def wake_itself(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401 - Kopf's arguments are of many types
        worker.wake((str(body["metadata"]["namespace"]), str(body["metadata"]["name"])))

    async def wake_owner(body: kopf.Body, **_: Any) -> None:  # noqa: ANN401 - as above
        for owner in body["metadata"].get("ownerReferences", []):
            if owner.get("controller") and owner["kind"] == KIND:
                worker.wake((str(body["metadata"]["namespace"]), str(owner["name"])))

    kopf.on.event("machinelearning.seldon.io", "v1", "seldondeployments", registry=registry)(wake_itself)
    kopf.on.event("apps", "v1", "deployments", id="deployment", registry=registry)(wake_owner)
    kopf.on.event("", "v1", "services", id="service", registry=registry)(wake_owner)
    login = kopf.login_with_kubeconfig if os.environ.get("KUBECONFIG") else kopf.login_with_service_account
    kopf.on.login(registry=registry)(login)
    return registry


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.queueing.idle_timeout = 0.5
    settings.watching.server_timeout = 600
    settings.networking.enforce_retry_after = True
    settings.networking.request_timeout = 30
    for group, plural in (("apps", "deployments"), ("", "services")):
        settings.watching.label_selectors[group, "v1", plural] = f"{LABEL_MANAGED_BY}={MANAGED_BY}"
    return settings


if __name__ == "__main__":
    main()
