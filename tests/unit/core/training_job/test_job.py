"""The Job of an attempt: one pod, never restarted, with everything that the code is told."""

import json
from typing import Any

import pytest

from builders import TRAINING_UID, TrainingJobBuilder, make_context, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job.job import build_job

CONTEXT = make_context(ca_config_map="mlflow-ca")


def job_of(builder: TrainingJobBuilder, attempt: int = 1) -> dict[str, Any]:
    resource = builder.build()
    spec = TrainingJobSpec.model_validate(resource["spec"])
    identity = AttemptIdentity("cluster-uid", TRAINING_UID, attempt)
    return build_job(resource, spec, identity, Run("run-1", "7"), CONTEXT)


def pod_of(builder: TrainingJobBuilder) -> dict[str, Any]:
    found: dict[str, Any] = job_of(builder)["spec"]["template"]["spec"]
    return found


def trainer_of(builder: TrainingJobBuilder) -> dict[str, Any]:
    found: dict[str, Any] = pod_of(builder)["containers"][0]
    return found


def environment_of(builder: TrainingJobBuilder) -> dict[str, str]:
    return {item["name"]: item["value"] for item in trainer_of(builder)["env"] if "value" in item}


def test_an_attempt_has_one_pod_that_is_never_restarted() -> None:
    job = job_of(make_training_job())
    assert (job["spec"]["backoffLimit"], job["spec"]["completions"], job["spec"]["parallelism"]) == (0, 1, 1)
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_a_job_leads_to_its_run() -> None:
    annotations = job_of(make_training_job())["metadata"]["annotations"]
    assert annotations == {"modelyard.io/run-id": "run-1", "modelyard.io/experiment-id": "7"}


def test_the_code_is_told_its_run_experiment_and_context() -> None:
    environment = environment_of(make_training_job())
    assert (environment["MLFLOW_RUN_ID"], environment["MLFLOW_EXPERIMENT_ID"]) == ("run-1", "7")
    assert environment["MLFLOW_TRACKING_URI"] == CONTEXT.tracking_uri
    assert environment["MODELYARD_ATTEMPT"] == "1"
    context = json.loads(environment["MLFLOW_RUN_CONTEXT"])
    assert context["modelyard.io/trainingjob-uid"] == TRAINING_UID
    assert "modelyard.io/attempt" not in context, "a further run of the code would be taken for the attempt's own"


def test_parameters_arrive_as_variables_and_as_a_file() -> None:
    builder = make_training_job().with_parameters(epochs="3", lr="0.1")
    environment = environment_of(builder)
    assert (environment["PARAM_EPOCHS"], environment["PARAM_LR"]) == ("3", "0.1")
    template = job_of(builder)["spec"]["template"]
    assert json.loads(template["metadata"]["annotations"]["modelyard.io/parameters"]) == {"epochs": "3", "lr": "0.1"}
    [volume] = [item for item in template["spec"]["volumes"] if item["name"] == "modelyard-parameters"]
    assert volume["downwardAPI"]["items"][0]["path"] == "parameters.json"


def test_the_users_variables_are_kept_and_the_operators_win() -> None:
    users = [{"name": "LEVEL", "value": "debug"}, {"name": "MLFLOW_RUN_ID", "value": "theirs"}]
    environment = environment_of(make_training_job().with_trainer(env=users))
    assert (environment["LEVEL"], environment["MLFLOW_RUN_ID"]) == ("debug", "run-1")


@pytest.mark.parametrize(("env", "home"), [([], "/tmp"), ([{"name": "HOME", "value": "/src"}], "/src")])  # noqa: S108
def test_the_home_directory_can_be_written_unless_another_was_chosen(env: list[dict[str, str]], home: str) -> None:
    assert environment_of(make_training_job().with_trainer(env=env))["HOME"] == home


def test_the_image_is_the_releases_unless_another_was_chosen() -> None:
    assert trainer_of(make_training_job())["image"] == CONTEXT.trainer_image
    assert trainer_of(make_training_job().with_trainer(image="mine:1"))["image"] == "mine:1"


def test_a_source_is_copied_to_where_the_code_runs() -> None:
    pod = pod_of(make_training_job().with_source("code"))
    [helper] = pod["initContainers"]
    [trainer] = pod["containers"]
    assert trainer["workingDir"] == "/workspace"
    assert helper["args"][-1] in {mount["mountPath"] for mount in helper["volumeMounts"]}
    assert "/workspace" in {mount["mountPath"] for mount in trainer["volumeMounts"]}
    assert {"name": "modelyard-source", "configMap": {"name": "code"}} in pod["volumes"]


def test_a_source_is_laid_out_in_the_chosen_directory() -> None:
    trainer = trainer_of(make_training_job().with_source("code").with_trainer(workingDir="/src"))
    [mount] = [item for item in trainer["volumeMounts"] if item["name"] == "modelyard-workspace"]
    assert (trainer["workingDir"], mount["mountPath"]) == ("/src", "/src")


def test_without_a_source_nothing_runs_first() -> None:
    assert "initContainers" not in pod_of(make_training_job())


def test_every_mount_has_its_volume_and_every_volume_its_mount() -> None:
    pod = pod_of(make_training_job().with_source("code"))
    containers = [*pod["containers"], *pod["initContainers"]]
    mounted = {mount["name"] for container in containers for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_operators_labels_win_over_the_templates() -> None:
    builder = make_training_job().with_pod_template(metadata={"labels": {"team": "a", "modelyard.io/attempt": "9"}})
    labels = job_of(builder)["spec"]["template"]["metadata"]["labels"]
    assert (labels["team"], labels["modelyard.io/attempt"]) == ("a", "1")


def test_why_the_code_ended_is_read_from_its_log() -> None:
    assert trainer_of(make_training_job())["terminationMessagePolicy"] == "FallbackToLogsOnError"
