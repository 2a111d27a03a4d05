"""The pods that come of a pod template, for both kinds and each backend."""

from typing import Any

import builders
from modelyard.core.model_card import ReadModelCard
from modelyard.core.model_deployment.observed import Observed as ServingObserved
from modelyard.core.model_deployment.plan import plan as plan_serving
from modelyard.core.plan import Manifest, Plan, Question
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import EnsureRun, RegisteredVersion, ResolveAlias, Run
from modelyard.core.training_job.observed import Observed as TrainingObserved
from modelyard.core.training_job.plan import plan as plan_training

ANSWERS: dict[type, Any] = {
    EnsureRun: Run("run-1", "7"),
    ReadModelCard: builders.make_card(),
    ResolveAlias: RegisteredVersion("digits", "1", None, "run-1"),
    ReadObject: None,
}


def pods_of_training(template: Manifest) -> tuple[list[Manifest], str]:
    """Pods that a TrainingJob with this template makes, or why it makes none."""
    resource = builders.make_training_job().with_spec(podTemplate=template).build()
    answers: dict[Question, Any] = {}
    while True:
        plan = plan_training(resource, TrainingObserved(builders.make_context(), answers=answers), builders.NOW)
        if not plan.questions:
            return [_pod(job["spec"]["template"]) for job in plan.create], _refusal(plan)
        answers |= {question: ANSWERS[type(question)] for question in plan.questions}


def pods_of_serving(template: Manifest, backend: str) -> tuple[list[Manifest], str]:
    """Pods that a ModelDeployment with this template makes, or why it makes none."""
    resource = builders.make_model_deployment().with_spec(podTemplate=template, backend=backend).build()
    answers: dict[Question, Any] = {}
    while True:
        plan = plan_serving(resource, ServingObserved(builders.make_context(), True, answers=answers), builders.NOW)
        if not plan.questions:
            made = [_template(item) for item in plan.apply if item["kind"] == backend]
            return [_pod(each) for each in made], _refusal(plan)
        answers |= {question: ANSWERS[type(question)] for question in plan.questions}


def _template(manifest: Manifest) -> Manifest:
    if manifest["kind"] == "Deployment":
        return dict(manifest["spec"]["template"])
    # Seldon puts a predictor's annotations on its pods.
    predictor = manifest["spec"]["predictors"][0]
    component = predictor["componentSpecs"][0]
    return component | {"metadata": component["metadata"] | {"annotations": predictor["annotations"]}}


def _pod(template: Manifest) -> Manifest:
    metadata = {"name": "any"} | {name: template["metadata"].get(name) or {} for name in ("labels", "annotations")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _refusal(plan: Plan) -> str:
    stated = {item["type"]: item for item in (plan.status or {}).get("conditions", [])}
    condition = stated.get("Stalled", {})
    return str(condition["message"]) if condition.get("reason") == "InvalidSpec" else ""
