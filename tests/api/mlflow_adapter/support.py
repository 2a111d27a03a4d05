"""What the tests put into MLflow."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from modelyard.adapters.mlflow_gateway import MlflowGateway
from modelyard.core.plan import Failure
from modelyard.core.tracking import (
    AttemptIdentity,
    EnsureRun,
    ReadAlias,
    RegisteredVersion,
    RegisterVersion,
    Run,
    TrackingQuestion,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = ReadAlias("no such model", "champion")
TIMEOUT_SECONDS = 2.0


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def some_identity() -> AttemptIdentity:
    return AttemptIdentity(cluster=unique("cluster"), owner_uid=str(uuid.uuid4()), attempt=1)


def make_run_question(**changes: Any) -> EnsureRun:
    question = EnsureRun(
        identity=some_identity(),
        experiment=unique("team/digits"),
        run_name="digits-1",
        tags=(("modelyard.io/namespace", "team"), ("mlflow.source.name", "team/digits"), ("mlflow.user", "ada")),
        parameters=(("C", "1.0"), ("solver", "lbfgs")),
    )
    return replace(question, **changes)


async def persist(gateway: MlflowGateway, question: TrackingQuestion) -> Any:
    """Ask as the operator's queue does: again after a failure that may pass.

    MLflow 3.17 answers some of several simultaneous searches for runs with 500: each of them imports a module anew.
    """
    for _ in range(20):
        answer = await gateway.ask(question)
        if not (isinstance(answer, Failure) and answer.is_transient):
            return answer
        await asyncio.sleep(0.2)
    pytest.fail(f"still failing: {answer}")


def log_model(client: MlflowClient, run: Run, name: str = "model", status: str = "READY") -> str:
    model = client.create_logged_model(run.experiment_id, name=name, source_run_id=run.run_id)
    if status != "PENDING":
        client.finalize_logged_model(model.model_id, status)
    return str(model.model_id)


async def register(
    gateway: MlflowGateway,
    client: MlflowClient,
    **changes: Any,
) -> tuple[RegisterVersion, RegisteredVersion]:
    run_question = make_run_question()
    run = await gateway.ask(run_question)
    question = RegisterVersion(
        identity=run_question.identity,
        name=unique("team.digits"),
        model_id=log_model(client, run),
        run_id=run.run_id,
        tags=(("modelyard.io/trainingjob", "digits"),),
        aliases=("champion",),
    )
    question = replace(question, **changes)
    version = await gateway.ask(question)
    assert isinstance(version, RegisteredVersion)
    return question, version
