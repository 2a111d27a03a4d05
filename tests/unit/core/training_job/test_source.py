"""Code from a git repository: who fetches it, who sees the Secret, and that attempts run the same commit."""

from typing import Any

import pytest

from builders import TRAINING_UID, PodBuilder, TrainingJobBuilder, make_context, make_pod, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import source
from modelyard.core.training_job.job import build_job

COMMIT = "0123456789abcdef0123456789abcdef01234567"
URL = "https://git.example.com/team/digits.git"


def spec_of(builder: TrainingJobBuilder) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(builder.build()["spec"])


def pod_of(builder: TrainingJobBuilder, commit: str | None = None) -> dict[str, Any]:
    run, identity = Run("run-1", "7"), AttemptIdentity("c", TRAINING_UID, 1)
    spec = source.at_commit(spec_of(builder), commit)
    pod: dict[str, Any] = build_job(builder.build(), spec, identity, run, make_context())["spec"]["template"]["spec"]
    return pod


def test_an_init_container_of_the_releases_image_fetches_it() -> None:
    (fetcher,) = pod_of(make_training_job().with_git(revision="main", path="ml/digits"))["initContainers"]
    assert fetcher["image"] == "modelyard/source-fetcher:test"
    wanted = ["git", f"--url={URL}", "--to=/workspace", "--revision=main", "--path=ml/digits"]
    assert fetcher["args"] == wanted
    assert "env" not in fetcher, "it needs to know nothing of MLflow"


def test_the_kubelet_expands_nothing_in_its_arguments() -> None:
    (fetcher,) = pod_of(make_training_job().with_git(path="$(HOME)"))["initContainers"]
    assert "--path=$$(HOME)" in fetcher["args"]


@pytest.mark.parametrize(
    ("builder", "directory", "mounted"),
    [
        (make_training_job().with_git(), "/workspace", "/workspace"),
        (make_training_job().with_git(path="ml/digits"), "/workspace/ml/digits", "/workspace"),
        (make_training_job().with_git(path="ml").with_trainer(workingDir="/src/"), "/src/ml", "/src/"),
    ],
)
def test_the_code_runs_in_its_folder_of_the_whole_repository(
    builder: TrainingJobBuilder, directory: str, mounted: str
) -> None:
    pod = pod_of(builder.with_preparation())
    (preparation,) = [item for item in pod["initContainers"] if item["name"] == "prepare"]
    for container in (preparation, pod["containers"][0]):
        assert container["workingDir"] == directory
        assert {"name": "modelyard-workspace", "mountPath": mounted} in container["volumeMounts"]


def test_the_secret_is_mounted_where_the_code_is_fetched_and_nowhere_else() -> None:
    pod = pod_of(make_training_job().with_git(secretRef={"name": "login"}).with_preparation())
    holders = [
        container["name"]
        for container in [*pod["initContainers"], *pod["containers"]]
        if any(mount["name"] == "modelyard-credentials" for mount in container["volumeMounts"])
    ]
    assert holders == ["modelyard-source"]
    assert "--credentials=/modelyard/credentials" in pod["initContainers"][0]["args"]
    (volume,) = [item for item in pod["volumes"] if item["name"] == "modelyard-credentials"]
    assert volume["secret"] == {"secretName": "login", "defaultMode": 0o440}


def test_without_a_secret_none_is_mounted() -> None:
    pod = pod_of(make_training_job().with_git())
    assert not [volume for volume in pod["volumes"] if "secret" in volume]
    assert not [text for text in pod["initContainers"][0]["args"] if "credentials" in text]


def test_a_further_attempt_fetches_the_commit_of_the_first() -> None:
    (fetcher,) = pod_of(make_training_job().with_git(revision="main"), COMMIT)["initContainers"]
    assert f"--revision={COMMIT}" in fetcher["args"]


def test_a_commit_changes_nothing_where_there_is_no_repository() -> None:
    builder = make_training_job().with_source("code")
    assert pod_of(builder, COMMIT) == pod_of(builder)


RESOURCE = make_training_job().with_git(revision="main").build()


def noted(pod: PodBuilder | None, before: str | None = None) -> str | None:
    status: dict[str, Any] = {"sourceRevision": before} if before else {}
    pods = [pod.build()] if pod else []
    source.note_commit(status, TrainingJobSpec.model_validate(RESOURCE["spec"]), pods, "trainer")
    return status.get("sourceRevision")


@pytest.mark.parametrize(
    ("pod", "before", "commit"),
    [
        (make_pod(RESOURCE).running().fetched(COMMIT), None, COMMIT),
        (make_pod(RESOURCE).failed(1).fetched(COMMIT), None, COMMIT),
        (make_pod(RESOURCE).starting().fetched(COMMIT), None, None),
        (make_pod(RESOURCE).running().fetched("$(id)"), None, None),
        (make_pod(RESOURCE).running(), None, None),
        (None, COMMIT, COMMIT),
        (make_pod(RESOURCE).running().fetched("ab" * 20), COMMIT, COMMIT),
        (make_pod(RESOURCE).running().fetched(COMMIT), "--upload-pack=id", COMMIT),
        (None, "--upload-pack=id", None),
    ],
    ids=[
        "told with the code's begin",
        "told with the end",
        "not told alone",
        "not a commit",
        "said nothing",
        "known from status",
        "the first counts",
        "an edited status is not believed",
        "nor handed on",
    ],
)
def test_the_commit_is_kept_that_the_first_pod_says(
    pod: PodBuilder | None, before: str | None, commit: str | None
) -> None:
    assert noted(pod, before) == commit


def test_the_run_is_told_under_the_names_that_mlflow_uses() -> None:
    spec = spec_of(make_training_job().with_git(revision="main"))
    assert dict(source.tags(spec, COMMIT)) == {
        "mlflow.source.git.repoURL": URL,
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.commit": COMMIT,
    }
    assert source.tags(spec_of(make_training_job().with_source("code")), None) == ()
