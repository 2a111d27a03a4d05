"""Several pods that train together: how they find each other, who has the run, and what their start is said to be."""

import subprocess
from typing import Any

import pytest

from builders import INDEX, TRAINING_UID, TrainingJobBuilder, make_context, make_pod, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core import metadata
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import distributed
from modelyard.core.training_job.job import build_job

BY_INDEX = {"fieldRef": {"fieldPath": f"metadata.annotations['{INDEX}']"}}


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def job_of(builder: TrainingJobBuilder, attempt: int = 1) -> dict[str, Any]:
    identity = AttemptIdentity("cluster-uid", TRAINING_UID, attempt)
    return build_job(builder.build(), spec_of(builder), identity, Run("run-1", "7"), make_context())


def pod_of(builder: TrainingJobBuilder) -> dict[str, Any]:
    found: dict[str, Any] = job_of(builder)["spec"]["template"]["spec"]
    return found


def environment_of(builder: TrainingJobBuilder, attempt: int = 1) -> dict[str, Any]:
    items = job_of(builder, attempt)["spec"]["template"]["spec"]["containers"][0]["env"]
    return {item["name"]: item.get("value", item.get("valueFrom")) for item in items}


def test_several_pods_are_one_indexed_job() -> None:
    job = job_of(make_training_job().with_nodes(3))["spec"]
    assert (job["completions"], job["parallelism"], job["completionMode"]) == (3, 3, "Indexed")
    assert job["backoffLimit"] == 0, "one pod that fails fails them all"


def test_one_pod_is_a_job_as_ever() -> None:
    builder = make_training_job()
    assert "completionMode" not in job_of(builder)["spec"]
    assert "subdomain" not in pod_of(builder)
    assert not set(environment_of(builder)) & {"RANK", "WORLD_SIZE", "MASTER_ADDR", "PET_NNODES"}
    assert distributed.missing_services(builder.build(), spec_of(builder), []) == []


def test_pods_have_names_that_their_service_gives_them() -> None:
    builder = make_training_job().with_nodes(2)
    (service,) = distributed.missing_services(builder.build(), spec_of(builder), [])
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert pod_of(builder)["subdomain"] == service["metadata"]["name"]
    labels = job_of(builder)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert service["metadata"]["ownerReferences"][0]["uid"] == TRAINING_UID
    assert distributed.missing_services(builder.build(), spec_of(builder), [service]) == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_all_are_told_the_first_pods_name(attempt: int) -> None:
    builder = make_training_job().with_nodes(2)
    told, job = environment_of(builder, attempt), job_of(builder, attempt)
    assert told["MASTER_ADDR"] == f"{job['metadata']['name']}-0.{pod_of(builder)['subdomain']}"
    assert told["MASTER_ADDR"] == told["PET_MASTER_ADDR"]
    assert told["MASTER_PORT"] == told["PET_MASTER_PORT"] == "29500"


def test_scripts_and_torchrun_are_told_the_same() -> None:
    told = environment_of(make_training_job().with_nodes(2, processes=4))
    assert (told["NNODES"], told["NPROC_PER_NODE"], told["WORLD_SIZE"]) == ("2", "4", "8")
    assert (told["PET_NNODES"], told["PET_NPROC_PER_NODE"]) == ("2", "4")
    assert told["NODE_RANK"] == told["GROUP_RANK"] == told["PET_NODE_RANK"] == BY_INDEX
    assert "RANK" not in told, "each of four processes has another one, which torchrun tells them"


def test_a_script_that_is_the_only_process_of_its_pod_is_told_its_rank() -> None:
    told = environment_of(make_training_job().with_nodes(2))
    assert told["RANK"] == BY_INDEX
    assert (told["LOCAL_RANK"], told["WORLD_SIZE"]) == ("0", "2")


def test_several_processes_in_one_pod_need_no_service() -> None:
    builder = make_training_job().with_nodes(1, processes=2)
    told = environment_of(builder)
    assert (told["MASTER_ADDR"], told["NODE_RANK"], told["PET_NPROC_PER_NODE"]) == ("127.0.0.1", "0", "2")
    assert "completionMode" not in job_of(builder)["spec"]
    assert pod_of(builder)["containers"][0]["command"] == ["python", "train.py"]
    assert distributed.missing_services(builder.build(), spec_of(builder), []) == []


@pytest.mark.parametrize(("rank", "told"), [("0", "run-1"), ("1", "none")])
def test_only_the_first_pod_has_the_run(rank: str, told: str) -> None:
    script = 'echo "${MLFLOW_RUN_ID:-none} $1 $2"'
    builder = make_training_job().with_nodes(2).with_trainer(command=["sh", "-c", script, "x"], args=["a b", "$HOME"])
    trainer = pod_of(builder)["containers"][0]
    given = {"NODE_RANK": rank, "MLFLOW_RUN_ID": "run-1", "PATH": "/usr/bin:/bin"}
    command = [*trainer["command"], *trainer["args"]]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert done.stdout == f"{told} a b $HOME\n"


def test_the_longest_name_leaves_room_for_the_pods_names() -> None:
    resource = make_training_job("x" * 44).build()
    assert len(f"{metadata.job_name(resource, 9999)}-255") <= 63
    assert len(metadata.nodes_service_name(resource)) <= 63


@pytest.mark.parametrize(
    ("nodes", "running", "told"),
    [
        (1, 0, ""),
        (3, 0, " (0 of 3 pods run)"),
        (3, 2, " (2 of 3 pods run)"),
        (4, 3, " (3 of 4 pods run)"),
        (256, 63, " (at least 0 of 256 pods run)"),
        (256, 130, " (at least 128 of 256 pods run)"),
    ],
)
def test_a_start_is_told_in_a_few_steps(nodes: int, running: int, told: str) -> None:
    resource = make_training_job().with_nodes(nodes).build()
    started = [make_pod(resource, 1, index).running().build() for index in range(running)]
    assert distributed.how_many_run(started, nodes) == told


def test_what_would_keep_pods_from_finding_each_other_is_named() -> None:
    env = [{"name": "MASTER_ADDR", "value": "x"}, {"name": "RANK", "value": "0"}, {"name": "OWN", "value": "1"}]
    builder = make_training_job().with_trainer(env=env).with_pod_template(spec={"hostname": "a", "subdomain": "b"})
    assert list(distributed.problems_of(spec_of(builder))) == []
    assert list(distributed.problems_of(spec_of(builder.with_nodes(2)))) == [
        "spec.trainer.env: MASTER_ADDR is set by spec.nodes and spec.processesPerNode; remove it",
        "spec.trainer.env: RANK is set by spec.nodes and spec.processesPerNode; remove it",
        "spec.podTemplate.spec.hostname is set by the operator where spec.nodes is above 1; remove it",
        "spec.podTemplate.spec.subdomain is set by the operator where spec.nodes is above 1; remove it",
    ]
    assert len(list(distributed.problems_of(spec_of(builder.with_nodes(1, processes=2))))) == 1


@pytest.mark.parametrize("text", ["", "x", "-1"])
def test_a_spoiled_index_is_the_first(text: str) -> None:
    pod = make_pod(make_training_job().build(), 1, 1).changed("metadata", "annotations", to={INDEX: text}).build()
    assert distributed.index_of(pod) == 0
