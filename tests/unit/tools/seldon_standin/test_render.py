"""The objects that Seldon Core 1.17.1 was recorded to make, and the rules that the recordings do not show."""

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tools.seldon_standin.render import address, render_deployments, render_services, service_status

Builder = Callable[..., dict[str, Any]]

RECORDED = ("one-predictor", "canary")
OWNER_UID = "<owner uid>"


def as_stored(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with what the API server fills in by default, so that it can be compared with a recording."""
    stored = copy.deepcopy(manifest)
    if stored["kind"] == "Deployment":
        stored["spec"].setdefault("revisionHistoryLimit", 10)
        stored["spec"].setdefault("replicas", 1)
        _fill_pod(stored["spec"]["template"]["spec"])
    else:
        networking = {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
        stored["spec"] = {**networking, **stored["spec"]}
    return stored


def _fill_pod(spec: dict[str, Any]) -> None:
    spec.setdefault("securityContext", {})
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
        for port in container.get("ports", []):
            port.setdefault("protocol", "TCP")
        for probe in (container[key] for key in container if key.endswith("Probe")):
            defaults = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}
            probe.update({**defaults, **probe})
            if "httpGet" in probe:
                probe["httpGet"].setdefault("scheme", "HTTP")


def without_what_the_server_sets(recorded: dict[str, Any]) -> dict[str, Any]:
    """The recorded object without generation, addresses and the Deployment controller's annotation."""
    bare = copy.deepcopy(recorded)
    bare["metadata"].pop("generation", None)
    bare["metadata"]["annotations"].pop("deployment.kubernetes.io/revision", None)
    for field in ("clusterIP", "clusterIPs"):
        bare["spec"].pop(field, None)
    return bare


def by_name(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(manifests, key=lambda manifest: manifest["metadata"]["name"])


@pytest.fixture(params=RECORDED)
def case(request: pytest.FixtureRequest, recorded_objects: dict[str, Any]) -> dict[str, Any]:
    return recorded_objects[request.param]


@pytest.fixture
def applied(case: dict[str, Any]) -> dict[str, Any]:
    sdep = copy.deepcopy(case["input"])
    sdep["metadata"].update(namespace="default", uid=OWNER_UID)
    return sdep


def test_the_deployments_are_those_recorded(case: dict[str, Any], applied: dict[str, Any]) -> None:
    rendered = by_name([as_stored(deployment) for deployment in render_deployments(applied)])
    assert rendered == [without_what_the_server_sets(deployment) for deployment in case["deployments"]]


def test_the_services_are_those_recorded(case: dict[str, Any], applied: dict[str, Any]) -> None:
    rendered = by_name([as_stored(service) for service in render_services(applied)])
    assert rendered == [without_what_the_server_sets(service) for service in case["services"]]


def test_the_endpoints_are_those_recorded(case: dict[str, Any], applied: dict[str, Any]) -> None:
    status = case["sdep"]["status"]
    assert service_status(applied) == status["serviceStatus"]
    assert address(applied) == status["address"]["url"]


def test_what_the_server_stored_renders_like_what_was_applied(case: dict[str, Any], applied: dict[str, Any]) -> None:
    stored = copy.deepcopy(case["sdep"])
    stored["metadata"]["uid"] = OWNER_UID
    assert [as_stored(d) for d in render_deployments(stored)] == [as_stored(d) for d in render_deployments(applied)]


def test_a_name_of_63_characters_stays_and_a_longer_one_becomes_its_md5(make_sdep: Builder) -> None:
    (fits,) = render_deployments(make_sdep(name="x" * (63 - len("-main-0-model"))))
    assert fits["metadata"]["name"] == "x" * 50 + "-main-0-model"
    (too_long,) = render_deployments(make_sdep(name="x" * 51))
    digest = hashlib.md5(("x" * 51 + "-main-0-model").encode(), usedforsecurity=False).hexdigest()
    assert too_long["metadata"]["name"] == f"seldon-{digest}"
    assert too_long["metadata"]["labels"]["app"] == f"seldon-{digest}"


def test_the_annotation_svc_name_fixes_the_service_and_the_selector(
    make_sdep: Builder, make_predictor: Builder
) -> None:
    sdep = make_sdep(make_predictor(annotations={"seldon.io/no-engine": "true", "seldon.io/svc-name": "fixed"}))
    assert [service["metadata"]["name"] for service in render_services(sdep)] == ["churn-main-model", "fixed"]
    assert render_services(sdep)[1]["spec"]["selector"] == {"seldon-app": "fixed"}
    assert render_deployments(sdep)[0]["spec"]["selector"]["matchLabels"]["seldon-app"] == "fixed"
    assert address(sdep).startswith("http://fixed.ml.svc.cluster.local:9000/")


@pytest.mark.parametrize(
    ("protocol", "path"),
    [("v2", "/v2/models/model/infer"), ("seldon", "/api/v1.0/predictions"), (None, "/api/v1.0/predictions")],
)
def test_the_address_has_the_path_of_the_protocol(make_sdep: Builder, protocol: str | None, path: str) -> None:
    sdep = make_sdep(protocol=protocol)
    if protocol is None:
        del sdep["spec"]["protocol"]
    assert address(sdep).endswith(f":9000{path}")


def test_annotations_of_spec_and_predictor_reach_the_pod_and_those_of_the_object_do_not(make_sdep: Builder) -> None:
    sdep = make_sdep(annotations={"from-spec": "1"})
    sdep["metadata"]["annotations"] = {"from-metadata": "1"}
    sdep["spec"]["predictors"][0]["annotations"]["from-predictor"] = "1"
    (deployment,) = render_deployments(sdep)
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert {"from-spec", "from-predictor"} <= annotations.keys()
    assert "from-metadata" not in annotations


@pytest.mark.parametrize(
    ("component", "predictor", "spec", "expected"),
    [(4, 3, 2, 4), (None, 3, 2, 3), (None, None, 2, 2), (0, 3, 2, 0), (None, None, None, None)],
)
def test_replicas_come_from_the_component_then_the_predictor_then_the_spec(
    component: int | None, predictor: int | None, spec: int | None, expected: int | None, make_sdep: Builder
) -> None:
    sdep = make_sdep(replicas=spec)
    sdep["spec"]["predictors"][0]["replicas"] = predictor
    sdep["spec"]["predictors"][0]["componentSpecs"][0]["replicas"] = component
    assert render_deployments(sdep)[0]["spec"].get("replicas") == expected


def test_the_progress_deadline_is_the_predictors(make_sdep: Builder, make_predictor: Builder) -> None:
    (deployment,) = render_deployments(make_sdep(make_predictor(progressDeadlineSeconds=77)))
    assert deployment["spec"]["progressDeadlineSeconds"] == 77


def test_a_variable_that_the_user_set_is_not_overwritten(make_sdep: Builder) -> None:
    sdep = make_sdep()
    container = sdep["spec"]["predictors"][0]["componentSpecs"][0]["spec"]["containers"][0]
    container["env"] = [{"name": "MLSERVER_MODEL_NAME", "value": "mine"}]
    env = render_deployments(sdep)[0]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [entry["value"] for entry in env if entry["name"] == "MLSERVER_MODEL_NAME"] == ["mine"]
    assert len({entry["name"] for entry in env}) == len(env)


def test_what_the_user_says_of_shutdown_is_kept(make_sdep: Builder) -> None:
    sdep = make_sdep()
    pod = sdep["spec"]["predictors"][0]["componentSpecs"][0]["spec"]
    pod["terminationGracePeriodSeconds"] = 90
    pod["containers"][0]["lifecycle"] = {"preStop": {"sleep": {"seconds": 1}}}
    rendered = render_deployments(sdep)[0]["spec"]["template"]["spec"]
    assert rendered["terminationGracePeriodSeconds"] == 90
    assert rendered["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 1}}}


def test_without_probes_the_port_is_probed(make_sdep: Builder) -> None:
    container = render_deployments(make_sdep())[0]["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["tcpSocket"] == {"port": 9000}
    assert container["readinessProbe"]["initialDelaySeconds"] == 20
    assert container["livenessProbe"]["initialDelaySeconds"] == 60


def test_undeclared_ports_are_numbered_and_metrics_differ_between_predictors(
    make_sdep: Builder, make_predictor: Builder
) -> None:
    sdep = make_sdep(make_predictor(traffic=50), make_predictor("canary", traffic=50))
    for predictor in sdep["spec"]["predictors"]:
        del predictor["componentSpecs"][0]["spec"]["containers"][0]["ports"]
    found = [
        {port["name"]: port["containerPort"] for port in d["spec"]["template"]["spec"]["containers"][0]["ports"]}
        for d in render_deployments(sdep)
    ]
    assert found == [
        {"metrics": 6000, "http": 9000, "grpc": 9500},
        {"metrics": 6001, "http": 9000, "grpc": 9500},
    ]


def test_a_second_container_is_left_as_it_is(make_sdep: Builder) -> None:
    sdep = make_sdep()
    pod = sdep["spec"]["predictors"][0]["componentSpecs"][0]["spec"]
    pod["containers"].append({"name": "sidecar", "image": "sidecar:1"})
    (deployment,) = render_deployments(sdep)
    assert deployment["spec"]["template"]["spec"]["containers"][1] == {"name": "sidecar", "image": "sidecar:1"}
    assert deployment["metadata"]["name"] == "churn-main-0-model-sidecar"


def test_rendering_leaves_the_object_untouched(make_sdep: Builder) -> None:
    sdep = make_sdep()
    before = copy.deepcopy(sdep)
    render_deployments(sdep)
    render_services(sdep)
    assert sdep == before
