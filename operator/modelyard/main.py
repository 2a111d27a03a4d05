"""Starts the operator: the one list of what is watched and who decides about it."""

import asyncio
import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import uvloop

from modelyard.adapters import mlflow_webhook
from modelyard.adapters.mlflow_gateway import MlflowConfig, MlflowGateway
from modelyard.adapters.model_server import HttpModelServers
from modelyard.adapters.traffic.answers import PodAnswers
from modelyard.adapters.traffic.pods import PodTraffic
from modelyard.adapters.traffic.prometheus import Prometheus, PrometheusConfig
from modelyard.api.names import LABEL_OWNER_KIND
from modelyard.core.plan import Manifest
from modelyard.engine.cache import Cache
from modelyard.engine.logs import set_up_logging
from modelyard.engine.metrics import Metrics
from modelyard.engine.reconcile import Reconciler
from modelyard.engine.runtime import Engine
from modelyard.engine.source import Source
from modelyard.engine.workers import Reconcile
from modelyard.handlers import followers, keys, model_deployment, promotion, training_job
from modelyard.handlers.context import context_of
from modelyard.handlers.questions import Answerer
from modelyard.kube.client import KubeClient
from modelyard.kube.errors import ApiError
from modelyard.kube.gateways import GatewayReader
from modelyard.kube.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    HTTP_ROUTES,
    JOBS,
    MODEL_DEPLOYMENTS,
    PODS,
    PROMOTION_POLICIES,
    PROMOTIONS,
    SELDON_DEPLOYMENTS,
    SERVICES,
    TRAINING_JOBS,
    Resource,
)
from modelyard.settings import Settings

log = logging.getLogger(__name__)

_RETRY_SECONDS = 5.0

SOURCES = (
    Source(TRAINING_JOBS, None, keys.own_and_deleted),
    Source(PROMOTION_POLICIES, None, keys.own),
    Source(PROMOTIONS, None, keys.own_and_policy, is_told_to=keys.policy),
    Source(MODEL_DEPLOYMENTS, None, keys.own),
    Source(JOBS, LABEL_OWNER_KIND, keys.owner),
    Source(PODS, LABEL_OWNER_KIND, keys.owner),
    Source(DEPLOYMENTS, LABEL_OWNER_KIND, keys.owner),
    Source(SERVICES, LABEL_OWNER_KIND, keys.owner),
    Source(AUTOSCALERS, LABEL_OWNER_KIND, keys.owner),
    Source(DISRUPTION_BUDGETS, LABEL_OWNER_KIND, keys.owner),
    Source(SELDON_DEPLOYMENTS, LABEL_OWNER_KIND, keys.owner, is_optional=True),
    Source(HTTP_ROUTES, LABEL_OWNER_KIND, keys.owner, is_optional=True),
)
"""What is watched. A new kind is a line here and one in `_engine`."""

_MLFLOW_CLIENT = "modelyard.adapters.mlflow.questions"


def main() -> NoReturn:
    """Run until told to stop, and end then: threads that wait for an MLflow that hangs have nothing more to tell."""
    exit_code = _run_to_the_end()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


def _run_to_the_end() -> int:
    """The exit code, which says whether the end was wanted."""
    try:
        settings = Settings.from_environment(os.environ)
        set_up_logging(settings.log_level)
    except ValueError as error:
        print(f"modelyard: {error}", file=sys.stderr)
        return 2
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_run(settings))
        except Exception:  # whatever it is, the process ends with one line that says so; a new one starts clean
            log.critical("the operator ends because a part of it failed", exc_info=True)
            return 1
    return 0


async def _run(settings: Settings) -> None:
    """Connect everything and run it until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics()
    client = await KubeClient.open(settings.identity, metrics.request_done)
    tracking = MlflowGateway(_mlflow_config(settings))
    # Importing it takes seconds, and a replica that comes to lead has none: it is not ready before.
    await asyncio.to_thread(importlib.import_module, _MLFLOW_CLIENT)
    # A kept connection through a Service stays on one pod: each question goes to the Service anew.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        try:
            ask = _answerer(settings, client, tracking, session)
            starting = _engine(settings, client, metrics, tracking, ask)
            engine = await _unless_told(stop, starting)
            if engine is not None:
                async with _webhooks(settings, engine, tracking, metrics, session):
                    await engine.run(stop)
        finally:
            await tracking.close()
            await client.close()


def _answerer(
    settings: Settings, client: KubeClient, tracking: MlflowGateway, session: aiohttp.ClientSession
) -> Answerer:
    """Everybody who is asked; traffic is known to a Prometheus where there is one, else to the pods."""
    prometheus = Prometheus(session, _prometheus_config(settings))
    traffic = prometheus if settings.prometheus_url else PodTraffic(session, settings.pod_url)
    gateways = GatewayReader(client, time.monotonic)
    servers, workspaces = HttpModelServers(session), settings.tracking_workspaces
    answers = PodAnswers(session, settings.pod_url)
    return Answerer(tracking, servers, client, gateways, traffic, prometheus, answers, workspaces)


async def _engine(
    settings: Settings, client: KubeClient, metrics: Metrics, tracking: MlflowGateway, ask: Answerer
) -> Engine:
    """The engine with all kinds wired to it."""
    context = context_of(settings, settings.cluster_id or await _cluster_id(client))

    # The kinds read the engine's caches, and the engine calls the kinds: one of them has to come later.
    def caches(resource: Resource) -> Cache:
        return engine.cache(resource)

    def remember(manifest: Manifest) -> None:
        engine.upsert(manifest)

    def is_served(resource: Resource) -> bool:
        return engine.is_served(resource)

    jobs = training_job.wiring(caches, remember, context)
    deployments = model_deployment.wiring(caches, is_served, remember, context)
    promotions = promotion.wiring(caches, remember, context)
    policies = promotion.policy_wiring(caches, remember, context)
    deleted = training_job.DeletedTrainingJobs(caches, context, ask, settings.namespaces)
    reconcilers: dict[str, Reconcile] = {
        "TrainingJob": Reconciler(jobs, client, ask, client.now),
        "PromotionPolicy": Reconciler(policies, client, ask, client.now),
        "Promotion": Reconciler(promotions, client, ask, client.now),
        "ModelDeployment": Reconciler(deployments, client, ask, client.now),
        keys.DELETED_TRAINING_JOB: deleted,
    }
    engine = Engine(settings, client, SOURCES, reconcilers, metrics, [deleted.sweep])
    tracking.tell_of_moves(lambda moved: engine.wake(followers.of_alias(caches, context.workspaces, moved)))
    return engine


@asynccontextmanager
async def _webhooks(
    settings: Settings, engine: Engine, tracking: MlflowGateway, metrics: Metrics, session: aiohttp.ClientSession
) -> AsyncIterator[None]:
    """Receive MLflow's webhooks while the block runs, where the settings say so."""
    if not settings.webhook_port:
        yield
        return
    receiver = mlflow_webhook.Receiver(
        Path(settings.webhook_secret_file),
        engine,
        tracking.take_hint,
        lambda result: metrics.webhooks.labels(result).inc(),
        session,
    )
    async with mlflow_webhook.served(settings.probe_host, settings.webhook_port, receiver):
        yield


async def _unless_told(stop: asyncio.Event, starting: Coroutine[Any, Any, Engine]) -> Engine | None:
    """The engine, or None when the operator is told to stop while the API server lets it wait."""
    start, told = asyncio.ensure_future(starting), asyncio.ensure_future(stop.wait())
    await asyncio.wait([start, told], return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if start.done():
        return start.result()
    start.cancel()
    return None


async def _cluster_id(client: KubeClient) -> str:
    """The cluster's name in MLflow, however long the API server lets us wait for it."""
    while True:
        try:
            return await client.cluster_id()
        except ApiError as error:
            log.warning("the cluster's identity cannot be read, to be tried again in %.0f s: %s", _RETRY_SECONDS, error)
            await asyncio.sleep(_RETRY_SECONDS)


def _mlflow_config(settings: Settings) -> MlflowConfig:
    """How MLflow is reached."""
    folder = settings.tracking_credentials_dir
    return MlflowConfig(
        uri=settings.tracking_uri,
        timeout_seconds=settings.tracking_timeout_seconds,
        threads=settings.tracking_threads,
        alias_poll_seconds=settings.alias_poll_seconds,
        credentials_dir=Path(folder) if folder else None,
    )


def _prometheus_config(settings: Settings) -> PrometheusConfig:
    """How a Prometheus is reached."""
    folder, authorities = settings.prometheus_credentials_dir, settings.prometheus_ca_file
    return PrometheusConfig(
        url=settings.prometheus_url,
        scrape_seconds=settings.prometheus_scrape_seconds,
        credentials_dir=Path(folder) if folder else None,
        ca_file=Path(authorities) if authorities else None,
    )


if __name__ == "__main__":
    main()
