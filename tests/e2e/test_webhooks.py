"""MLflow's webhooks through the installed chart: its Secret, its Service, and whichever replica is told."""

import json
import statistics
from collections.abc import Iterator
from typing import Any

import pytest

from support.yard import MLFLOW, Yard
from tools.bench.audit import AuditLog
from tools.demo import webhooks
from tools.demo.place import Site
from tools.demo.screen import Screen
from tools.localcluster.paths import current_state

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAME = "told"
MOVES = 6
REGISTER = """
import sys, mlflow
client, name = mlflow.MlflowClient("http://localhost:5000"), sys.argv[1]
client.create_registered_model(name)
run = client.create_run(client.create_experiment(name)).info
for _ in range(2):
    model = client.create_logged_model(run.experiment_id, name="model", source_run_id=run.run_id).model_id
    client.finalize_logged_model(model, "READY")
    client.create_model_version(name, "models:/" + model, run.run_id, model_id=model)
client.set_registered_model_alias(name, "champion", "1")
client.set_terminated(run.run_id)
"""
MOVE = """
import json, sys, time, mlflow
client, name, moves = mlflow.MlflowClient("http://localhost:5000"), sys.argv[1], []
for move in range(int(sys.argv[2])):
    version = str(2 - move % 2)
    client.set_registered_model_alias(name, "champion", version)
    moves.append((version, time.time()))
    time.sleep(3)
print(json.dumps(moves))
"""


@pytest.fixture
def subscribed(site: Site) -> Iterator[None]:
    """An operator that listens, and an MLflow that tells it."""
    webhooks.listen(site, Screen())
    identity = webhooks.subscribe(site.kubectl)
    yield
    webhooks.unsubscribe(site.kubectl, identity)


@pytest.mark.usefixtures("subscribed")
def test_a_moved_alias_is_seen_within_a_second(yard: Yard) -> None:
    model = yard.namespace
    in_mlflow(yard, REGISTER, model)
    yard.apply(following(model))
    yard.until(lambda: desired(yard) == "1", "the first version is seen", 60)
    log = AuditLog(current_state().audit_log)
    mark = log.mark()

    moves = json.loads(in_mlflow(yard, MOVE, model, str(MOVES)))
    written = log.writes(mark, "modeldeployments", yard.namespace, NAME, "status")
    seen = [(write.written["status"].get("desiredVersion"), write.at) for write in written]
    # Its reply may come later than the delivery, which MLflow sends at the same moment.
    seconds = [
        min(at - moved for version, at in seen if version == wanted and at > moved - 1) for wanted, moved in moves
    ]
    print("seconds from a move to the status that tells of it:", [round(one, 2) for one in seconds])
    # Without being told it takes half of the five seconds between two readings.
    assert statistics.median(seconds) <= 1.0


def following(model: str) -> dict[str, Any]:
    """A ModelDeployment that looks where the alias leads, and starts nothing."""
    return {
        "apiVersion": "modelyard.io/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": NAME},
        "spec": {"model": {"name": model, "alias": "champion"}, "backend": "Deployment", "paused": True},
    }


def in_mlflow(yard: Yard, script: str, *arguments: str) -> str:
    return yard.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", script, *arguments)


def desired(yard: Yard) -> str | None:
    found: str | None = (yard.get("modeldeployment", NAME).get("status") or {}).get("desiredVersion")
    return found
