"""What is rendered for a version: both backends run the same pod, and only its init container knows credentials."""

from typing import Any

import pytest

from builders import ModelDeploymentBuilder, applied, laid_out, make_context, make_model_deployment
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor

BACKENDS = pytest.mark.parametrize("backend", ["SeldonDeployment", "Deployment"])
CONTEXT = make_context()


def rendered(builder: ModelDeploymentBuilder, backend: str, version: str = "3") -> dict[str, Any]:
    return applied(builder.build(), version, CONTEXT, backend)[0]


def template_of(manifest: dict[str, Any]) -> Any:
    if manifest["kind"] == "Deployment":
        return manifest["spec"]["template"]
    return manifest["spec"]["predictors"][0]["componentSpecs"][0]


def containers_of(backend: str, builder: ModelDeploymentBuilder | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = template_of(rendered(builder or make_model_deployment(), backend))["spec"]
    return spec["initContainers"][0], spec["containers"][0]


@BACKENDS
def test_exactly_the_version_is_fetched_and_named_in_answers(backend: str) -> None:
    fetcher, server = containers_of(backend)
    assert fetcher["args"][fetcher["args"].index("--version") + 1] == "3"
    assert {"name": "MLSERVER_MODEL_VERSION", "value": "3"} in server["env"]


@BACKENDS
def test_credentials_are_the_fetchers_only(backend: str) -> None:
    fetcher, server = containers_of(backend)
    names = {item["name"] for item in fetcher["env"]}
    assert {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"} <= names
    assert not {item["name"] for item in server["env"]} & names


@BACKENDS
def test_the_model_is_read_only_for_the_server(backend: str) -> None:
    fetcher, server = containers_of(backend)
    by_name = ({mount["name"]: mount for mount in item["volumeMounts"]} for item in (fetcher, server))
    mounts = [found["modelyard-model"] for found in by_name]
    assert [mount.get("readOnly", False) for mount in mounts] == [False, True]


@BACKENDS
def test_pods_carry_the_version_whatever_the_template_says(backend: str) -> None:
    builder = make_model_deployment().with_pod_template(metadata={"labels": {"team": "a"}})
    labels = template_of(rendered(builder, backend))["metadata"]["labels"]
    assert (labels["team"], labels["modelyard.io/model-version"]) == ("a", "3")


@BACKENDS
def test_only_what_differs_between_versions_changes(backend: str) -> None:
    one, other = (template_of(rendered(make_model_deployment(), backend, version)) for version in ("3", "4"))
    assert one != other
    assert str(one).replace("'3'", "'4'") == str(other)


@BACKENDS
def test_a_new_pod_has_the_whole_deadline_to_start(backend: str) -> None:
    _, server = containers_of(backend, make_model_deployment().with_spec(progressDeadlineSeconds=100))
    probe = server["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 100


@BACKENDS
def test_a_pod_that_goes_still_answers_for_a_while(backend: str) -> None:
    spec = template_of(rendered(make_model_deployment(), backend))["spec"]
    drain = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1].split()[-1])
    assert 0 < drain < spec["terminationGracePeriodSeconds"]


def test_an_old_pod_goes_only_once_a_new_one_is_ready() -> None:
    strategy = rendered(make_model_deployment(), "Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"]["maxUnavailable"] == 0


def test_the_selector_of_a_deployment_never_changes() -> None:
    one, other = (rendered(make_model_deployment(), "Deployment", version) for version in ("3", "4"))
    assert one["spec"]["selector"] == other["spec"]["selector"]
    assert "modelyard.io/model-version" not in one["spec"]["selector"]["matchLabels"]


def test_the_service_has_the_ports_of_the_server() -> None:
    deployment, service = applied(make_model_deployment().build(), "3", CONTEXT, "Deployment")
    ports = {item["name"]: item["containerPort"] for item in template_of(deployment)["spec"]["containers"][0]["ports"]}
    assert {item["targetPort"]: item["port"] for item in service["spec"]["ports"]} == ports
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


def test_seldon_is_told_the_names_that_it_would_make_up() -> None:
    [predictor] = rendered(make_model_deployment(), "SeldonDeployment")["spec"]["predictors"]
    assert predictor["annotations"]["seldon.io/svc-name"] == "digits-main"
    assert predictor["annotations"]["seldon.io/no-engine"] == "true"
    assert predictor["graph"]["name"] == predictor["componentSpecs"][0]["spec"]["containers"][0]["name"]


@BACKENDS
def test_the_users_variables_do_not_replace_the_operators(backend: str) -> None:
    users = [{"name": "HOME", "value": "/x"}, {"name": "LEVEL", "value": "debug"}]
    _, server = containers_of(backend, make_model_deployment().with_spec(server={"env": users}))
    values = {item["name"]: item["value"] for item in server["env"]}
    assert (values["HOME"], values["LEVEL"]) == ("/tmp", "debug")  # noqa: S108 - the pod's


@pytest.mark.parametrize(
    ("surge", "strategy"),
    [("Allow", {"maxSurge": "25%", "maxUnavailable": 0}), ("Forbid", {"maxSurge": 0, "maxUnavailable": 1})],
)
def test_whether_a_new_pod_comes_before_an_old_one_goes_is_the_users_to_say(surge: str, strategy: Any) -> None:
    manifest = rendered(make_model_deployment().with_spec(rollout={"surge": surge}), "Deployment")
    assert manifest["spec"]["strategy"]["rollingUpdate"] == strategy


@BACKENDS
@pytest.mark.parametrize(("weight", "is_shared"), [(0, False), (25, True), (100, False)])
def test_clients_reach_the_pods_of_those_that_have_traffic(backend: str, weight: int, is_shared: bool) -> None:
    layout = Layout(Predictor(STABLE, "1", 2), Predictor(CANARY, "2", 1), weight)
    service = laid_out(make_model_deployment().build(), layout, CONTEXT, backend)[-1]
    chosen = service["spec"]["selector"].get("modelyard.io/predictor")
    assert chosen == (None if is_shared else CANARY if weight else STABLE)


@BACKENDS
def test_with_a_route_the_service_is_the_stable_pods_own(backend: str) -> None:
    layout = Layout(Predictor(STABLE, "1", 2), Predictor(CANARY, "2", 1), 25)
    service = laid_out(make_model_deployment().with_route().build(), layout, CONTEXT, backend)[-1]
    assert service["spec"]["selector"]["modelyard.io/predictor"] == STABLE


@BACKENDS
def test_a_canary_runs_the_same_pod_under_labels_of_its_own(backend: str) -> None:
    layout = Layout(Predictor(STABLE, "2", 2), Predictor(CANARY, "2", 1), 25)
    objects = laid_out(make_model_deployment().build(), layout, CONTEXT, backend)
    if backend == "Deployment":
        one, other = (item["spec"]["template"] for item in objects[:2])
    else:
        one, other = (item["componentSpecs"][0] for item in objects[0]["spec"]["predictors"])
    # Spread among those of its own predictor.
    assert str(one["spec"]).replace(STABLE, CANARY) == str(other["spec"])
    assert {
        name for name, value in one["metadata"]["labels"].items() if other["metadata"]["labels"][name] != value
    } == {"modelyard.io/predictor"}
