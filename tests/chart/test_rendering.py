"""What is installed, seen without a cluster."""

from dataclasses import fields

import pytest
import yaml

from chart.rendering import (
    CHART,
    ROOT,
    VALUES_SETS,
    Helm,
    is_test,
    of_kind,
    operator_container,
    operator_deployment,
    operator_environment,
    values_file,
)
from modelyard.__about__ import __version__
from modelyard.core.workspaces import Workspaces
from modelyard.settings import Settings

pytestmark = pytest.mark.chart

FIXED = {"probe_host", "probe_port", "metrics_port"}
"""Settings that no value feeds: the chart's ports are the operator's defaults."""


@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_helm_lint_finds_nothing(helm: Helm, values_set: str) -> None:
    said = helm.output("lint", "--strict", "--values", str(values_file(values_set)), str(CHART))
    assert "[WARNING]" not in said
    assert "0 chart(s) failed" in said


def test_chart_and_operator_are_of_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_each_variable_is_one_that_the_operator_reads(helm: Helm, values_set: str) -> None:
    known = {f"MODELYARD_{field.name.upper()}" for field in fields(Settings)} | {"MLFLOW_TRACKING_SERVER_CERT_PATH"}
    known |= {"HTTPS_PROXY"}  # of extraEnvironment
    assert set(operator_environment(helm.render(values_set))) <= known


def test_each_setting_is_fed_by_a_value(helm: Helm) -> None:
    wanted = {f"MODELYARD_{field.name.upper()}" for field in fields(Settings) if field.name not in FIXED}
    assert wanted <= set(operator_environment(helm.render("everything")))


def test_the_operator_understands_what_the_values_say(helm: Helm) -> None:
    settings = Settings.from_environment(operator_environment(helm.render("everything")))
    assert settings.namespaces == ("team-a", "team-b")
    assert settings.tracking_uri_for_pods == "https://mlflow.internal.example.org"
    assert settings.tracking_timeout_seconds == 2.5
    assert settings.tracking_workspaces is Workspaces.PER_NAMESPACE
    assert settings.resync_seconds == 1_200_000
    assert settings.training_pods.max_resources == {"cpu": 8, "memory": "32Gi", "nvidia.com/gpu": 1}
    assert (
        settings.training_pods.service_accounts == settings.serving_pods.service_accounts == ["trainer", "cloud-reader"]
    )
    assert settings.serving_pods.tolerations == [{"key": "serving", "operator": "Exists"}]
    assert settings.service_url == "https://gateway.example.org/{namespace}/{service}/{port}"


def test_the_operator_knows_the_images_of_the_release_after_those_that_an_administrator_describes(helm: Helm) -> None:
    released, for_seldon = Settings.from_environment(operator_environment(helm.render("default"))).server_images.root
    assert released.image == "docker.io/modelyard/model-server:0.1.0"
    assert (released.python, released.flavours) == ("3.11", {"python_function", "sklearn"})
    assert for_seldon.image == "docker.io/modelyard/model-server-seldon:0.1.0"
    assert for_seldon.libraries["numpy"].startswith("1.")
    described, own, _ = Settings.from_environment(operator_environment(helm.render("everything"))).server_images.root
    assert (described.image, described.python) == ("registry.example.org/ml/xgboost-server:*", "3.12")
    assert own.libraries == released.libraries
    assert own.image == operator_environment(helm.render("everything"))["MODELYARD_SERVER_IMAGE"]


def test_defaults_of_chart_and_operator_are_the_same(helm: Helm) -> None:
    settings = Settings.from_environment(operator_environment(helm.render("default")))
    own = Settings()
    set_by_the_chart = {"pod_ip", "tracking_uri", "identity", "server_images"}
    set_by_the_chart |= {"trainer_image", "server_image", "seldon_server_image", "fetcher_image", "source_image"}
    differing = {field.name for field in fields(Settings) if getattr(settings, field.name) != getattr(own, field.name)}
    assert differing - {"operator_namespace"} == set_by_the_chart


def test_ports_are_those_that_the_operator_listens_on(helm: Helm) -> None:
    ports = {port["name"]: port["containerPort"] for port in operator_container(helm.render("default"))["ports"]}
    assert ports == {"probes": Settings().probe_port, "metrics": Settings().metrics_port}


def test_images_are_those_of_the_release(helm: Helm) -> None:
    objects = helm.render("default")
    assert operator_container(objects)["image"] == f"docker.io/modelyard/operator:{__version__}"
    environment = operator_environment(objects)
    assert environment["MODELYARD_SERVER_IMAGE"] == f"docker.io/modelyard/model-server:{__version__}"
    assert environment["MODELYARD_SELDON_SERVER_IMAGE"] == f"docker.io/modelyard/model-server-seldon:{__version__}"


def test_a_digest_wins_over_a_tag(helm: Helm) -> None:
    image = operator_container(helm.render("digests"))["image"]
    assert image == "docker.io/modelyard/operator@sha256:" + "1".zfill(64)


def test_a_whole_name_of_an_image_is_not_put_below_the_registry(helm: Helm) -> None:
    environment = operator_environment(helm.render("everything"))
    assert environment["MODELYARD_TRAINER_IMAGE"] == "registry.example.org/other/trainer:1"
    assert environment["MODELYARD_SERVER_IMAGE"] == "registry.example.org:5000/ml/server:2"


def test_credentials_are_mounted_and_never_in_the_environment(helm: Helm) -> None:
    objects = helm.render("everything")
    container = operator_container(objects)
    folder = operator_environment(objects)["MODELYARD_TRACKING_CREDENTIALS_DIR"]
    assert {"name": "tracking-credentials", "mountPath": folder, "readOnly": True} in container["volumeMounts"]
    assert not [variable for variable in container["env"] if "secretKeyRef" in variable.get("valueFrom", {})]


def test_the_bundle_is_where_mlflow_is_told_to_look(helm: Helm) -> None:
    objects = helm.render("everything")
    mounts = {mount["name"]: mount["mountPath"] for mount in operator_container(objects)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in operator_deployment(objects)["spec"]["template"]["spec"]["volumes"]}
    (item,) = volumes["tracking-ca"]["configMap"]["items"]
    path = f"{mounts['tracking-ca']}/{item['path']}"
    assert operator_environment(objects)["MLFLOW_TRACKING_SERVER_CERT_PATH"] == path


def test_webhooks_come_in_where_the_operator_listens_and_with_the_secret_that_it_reads(helm: Helm) -> None:
    objects = helm.render("everything")
    settings = Settings.from_environment(operator_environment(objects))
    ports = {port["name"]: port["containerPort"] for port in operator_container(objects)["ports"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in operator_container(objects)["volumeMounts"]}
    (service,) = [each for each in of_kind(objects, "Service") if each["metadata"]["name"].endswith("-webhook")]
    assert settings.webhook_port == ports["webhook"] == service["spec"]["ports"][0]["port"]
    assert settings.webhook_secret_file == f"{mounts['webhook']}/secret"


def test_only_mlflow_and_the_other_replicas_reach_the_webhooks_port(helm: Helm) -> None:
    (policy,) = of_kind(helm.render("everything"), "NetworkPolicy")
    (rule,) = [each for each in policy["spec"]["ingress"] if each["ports"][0]["port"] == "webhook"]
    mlflow, own = rule["from"]
    assert mlflow["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "mlflow"}
    assert own["podSelector"] == policy["spec"]["podSelector"]
    assert {"podSelector": own["podSelector"]} in [
        peer for rule in policy["spec"]["egress"] for peer in rule.get("to", [])
    ]


def test_nothing_is_received_unless_it_is_asked_for(helm: Helm) -> None:
    assert "webhook" not in helm.template("--values", str(values_file("default")))


def test_a_selector_has_nothing_that_an_upgrade_changes(helm: Helm) -> None:
    labels = operator_deployment(helm.render("default"))["spec"]["selector"]["matchLabels"]
    assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(labels)


@pytest.mark.parametrize("values_set", VALUES_SETS)
def test_the_operators_pods_are_selected_by_what_is_about_them(helm: Helm, values_set: str) -> None:
    objects = helm.render(values_set)
    labels = operator_deployment(objects)["spec"]["template"]["metadata"]["labels"]
    selectors = [each["spec"]["podSelector"]["matchLabels"] for each in of_kind(objects, "NetworkPolicy")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in of_kind(objects, "PodDisruptionBudget")]
    selectors += [each["spec"]["selector"] for each in of_kind(objects, "Service")]
    assert all(selector.items() <= labels.items() for selector in selectors)
    (pod,) = of_kind(objects, "Pod")
    assert not any(selector.items() <= pod["metadata"]["labels"].items() for selector in selectors)


def test_definitions_are_those_of_the_api_and_kept(helm: Helm) -> None:
    rendered = {each["metadata"]["name"]: each for each in of_kind(helm.render("default"), "CustomResourceDefinition")}
    for file in (ROOT / "crds").glob("*.yaml"):
        wanted = yaml.safe_load(file.read_text())
        made = rendered.pop(wanted["metadata"]["name"])
        assert made["spec"] == wanted["spec"]
        assert made["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not rendered


def test_definitions_can_be_left_out(helm: Helm) -> None:
    assert not of_kind(helm.render("namespaced"), "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("values_set", "namespace"), [("default", "modelyard-system"), ("namespaced", "team-a"), ("everything", "team-b")]
)
def test_the_test_trains_in_a_namespace_that_is_watched(helm: Helm, values_set: str, namespace: str) -> None:
    tests = [each for each in helm.render(values_set) if is_test(each)]
    assert {each["metadata"]["namespace"] for each in of_kind(tests, "Role")} == {namespace}
    (job,) = [
        yaml.safe_load(each["data"]["trainingjob.json"]) for each in tests if "trainingjob.json" in each.get("data", {})
    ]
    assert job["metadata"]["namespace"] == namespace


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "MISSING: mlflow.trackingUri is not set"),
        ([], "MISSING: Seldon Core is not installed"),
        (["serving.defaultBackend=Deployment"], "Only a ModelDeployment with backend SeldonDeployment would miss it"),
        (["mlflow.trackingUri=http://m", "mlflow.existingSecret=s"], "MISSING: the operator has credentials"),
        (["mlflow.trackingUri=http://m"], "helm test modelyard --namespace modelyard-system"),
        (["watchNamespaces={a,b}"], "works in the namespaces a, b."),
    ],
)
def test_notes_say_what_is_missing_and_what_comes_next(helm: Helm, settings: list[str], said: str) -> None:
    assert said in helm.notes(*(argument for setting in settings for argument in ("--set", setting)))


def test_notes_of_a_complete_installation_miss_nothing(helm: Helm) -> None:
    said = helm.notes("--set", "mlflow.trackingUri=http://m", "--set", "serving.defaultBackend=Deployment")
    assert "MISSING" not in said
