"""1,000 pod templates of somebody who tries everything, against the API server's own check `restricted`."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import builders
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job.job import build_job
from support.hostile import ACCOUNT, Template, hostile_templates
from support.kube import Kube, Manifest, Refused, path_of
from support.pod_security import violations
from support.rendered import pods_of_serving, pods_of_training
from support.waiting import eventually

pytestmark = pytest.mark.api

TEMPLATES = 1000
REFUSED_BY_RESTRICTED = "violates PodSecurity"
KINDS: dict[str, Callable[[Template], tuple[list[Manifest], str]]] = {
    "TrainingJob": pods_of_training,
    "ModelDeployment": lambda template: pods_of_serving(template, "Deployment"),
    "ModelDeployment with Seldon": lambda template: pods_of_serving(template, "SeldonDeployment"),
}


def generated(count: int) -> list[Template]:
    """The same templates in every run."""
    found: list[Template] = []

    @seed(20260101)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(hostile_templates())
    def collect(template: Template) -> None:
        found.append(template)

    collect()
    return found


@pytest.fixture(scope="module")
def templates() -> list[Template]:
    found = generated(TEMPLATES)
    assert len(found) == TEMPLATES
    return found


@dataclass
class Gate:
    """A namespace that lets nothing in but what `restricted` allows."""

    kube: Kube
    namespace: str
    verdicts: dict[str, str] = field(default_factory=dict)

    def refusal(self, pod: Manifest) -> str:
        """What it says to this pod; empty when it would be made."""
        key = repr(pod)
        if key not in self.verdicts:
            try:
                self.kube.send("POST", path_of("Pod", self.namespace), pod, query={"dryRun": "All"})
                self.verdicts[key] = ""
            except Refused as refusal:
                self.verdicts[key] = refusal.message
        return self.verdicts[key]


@pytest.fixture(scope="module")
def gate(kube: Kube) -> Iterator[Gate]:
    name = f"restricted-{uuid.uuid4().hex[:6]}"
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    for account in (ACCOUNT, "default"):
        manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": name}}
        kube.apply(manifest)
    eventually(lambda: kube.get("ServiceAccount", name, "default"), "pods can be made", lambda: name)
    yield Gate(kube, name)
    kube.delete("Namespace", "", name)


@pytest.mark.parametrize("kind", KINDS)
def test_no_hostile_template_reaches_a_pod_that_restricted_refuses(
    gate: Gate, templates: list[Template], kind: str, record_property: Callable[[str, object], None]
) -> None:
    told: Counter[str] = Counter()
    wrong: list[tuple[str, Template]] = []
    for template in templates:
        pods, refusal = KINDS[kind](template)
        told["refused by the operator" if refusal else "made"] += 1
        assert bool(refusal) != bool(pods), "either pods, or a reason why there are none"
        wrong += [(said, template) for pod in pods if (said := gate.refusal(pod))]
    for name, count in told.items():
        record_property(f"{kind}: {name}", count)
        print(f"{kind}: {name}: {count}")
    assert wrong[:3] == []
    # Neither side may be empty, or this would prove nothing.
    assert told["made"] >= TEMPLATES // 20
    assert told["refused by the operator"] >= TEMPLATES // 4


def unchecked(template: Template) -> Manifest:
    """The pod that would come of a template if the operator refused nothing."""
    resource = builders.make_training_job().build()
    spec = TrainingJobSpec.model_validate({"trainer": {}, "podTemplate": template})
    job = build_job(resource, spec, AttemptIdentity("c", "u", 1), Run("run-1", "7"), builders.make_context())
    made = job["spec"]["template"]
    metadata = {"name": "any", "annotations": made["metadata"]["annotations"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def test_without_the_operators_rules_many_would_be_refused_and_the_pure_check_knows_which(
    gate: Gate, templates: list[Template]
) -> None:
    wrong: list[tuple[list[str], str, Template]] = []
    by_restricted = no_pods = 0
    for template in templates[: TEMPLATES // 2]:
        pod = unchecked(template)
        said = gate.refusal(pod)
        if said and REFUSED_BY_RESTRICTED not in said:
            no_pods += 1  # whatever the namespace allows
            continue
        by_restricted += bool(said)
        found = violations(pod["spec"], pod["metadata"]["annotations"])
        if bool(found) != bool(said):
            wrong.append((found, said, template))
    print(f"without rules, of {TEMPLATES // 2}: refused by restricted {by_restricted}, no valid pods {no_pods}")
    assert wrong[:3] == []
    assert by_restricted >= TEMPLATES // 10
