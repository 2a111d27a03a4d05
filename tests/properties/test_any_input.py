"""Whatever the spec and the world: a plan comes of it, its status fits the schema, and it comes to rest."""

import copy
import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import builders
from modelyard.api.base import Kind, KubeModel
from modelyard.api.crd import schema_of
from modelyard.api.model_deployment import ModelDeployment, ModelDeploymentStatus
from modelyard.api.training_job import TrainingJob
from modelyard.api.training_status import TrainingJobStatus
from modelyard.core.model_deployment.observed import Observed as ServingObserved
from modelyard.core.model_deployment.plan import plan as plan_serving
from modelyard.core.plan import Manifest, Plan, Question
from modelyard.core.serving import ReadObject
from modelyard.core.training_job.observed import Observed as TrainingObserved
from modelyard.core.training_job.plan import plan as plan_training
from properties import any_input as given_any
from properties.world import clone

ENOUGH = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
STEPS_TO_REST = 6
NOW = builders.NOW

Decide = Callable[[Manifest, Any, datetime], Plan]


def status_schema(kind: type[Kind]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema_of(kind)["properties"]["status"])


TRAINING_STATUS, SERVING_STATUS = status_schema(TrainingJob), status_schema(ModelDeployment)


def settled(decide: Decide, resource: Manifest, observed: Any, known: dict[type, Any]) -> Plan:
    """The plan once everything that it asks is answered; planning twice and looking for changes of the input."""
    answers: dict[Question, Any] = {}
    for _ in range(20):
        seen = dataclasses.replace(observed, answers=dict(answers))
        before = copy.deepcopy((resource, seen))
        plan = decide(resource, seen, NOW)
        assert decide(resource, seen, NOW) == plan
        assert (resource, seen) == before
        if not plan.questions:
            return plan
        for question in plan.questions:
            answers[question] = given_any.answer(known, question)
    raise AssertionError("asks without end")


def check_status(plan: Plan, model: type[KubeModel], schema: jsonschema.Draft202012Validator) -> None:
    if plan.status is not None:
        model.model_validate(dict(plan.status))
        schema.validate(clone(dict(plan.status)))


@ENOUGH
@given(st.data(), given_any.TRAINING_SPEC, given_any.answers())
def test_a_training_job_comes_to_rest(data: st.DataObject, spec: Manifest, known: dict[type, Any]) -> None:
    builder = builders.make_training_job().with_spec(**spec)
    jobs, pods = data.draw(given_any.jobs_and_pods(builder.build()))
    context, services = builders.make_context(), []
    for _ in range(STEPS_TO_REST):
        by_name = {job["metadata"]["name"]: job for job in jobs}
        observed = TrainingObserved(context, jobs=tuple(jobs), pods=tuple(pods), services=tuple(services))
        plan = settled(plan_training, builder.build(), observed, known | {ReadObject: None})
        check_status(plan, TrainingJobStatus, TRAINING_STATUS)
        assert max(Counter(item["kind"] for item in plan.create).values(), default=0) <= 1
        if plan.status is None and not plan.create and not plan.delete:
            return
        builder = builder.after(plan)
        gone = {ref.name for ref in plan.delete}
        made = {item["metadata"]["name"]: clone(item) for item in plan.create if item["kind"] == "Job"}
        services += [clone(item) for item in plan.create if item["kind"] == "Service"]
        jobs = [job for name, job in (made | by_name).items() if name not in gone]
        pods = [pod for pod in pods if not gone] if gone else pods
    raise AssertionError(f"still not at rest: {plan}")


@ENOUGH
@given(st.data(), given_any.SERVING_SPEC, given_any.answers(), st.sampled_from([True, True, True, False]))
def test_a_model_deployment_comes_to_rest(
    data: st.DataObject, spec: Manifest, known: dict[type, Any], has_seldon: bool
) -> None:
    builder = builders.make_model_deployment().with_spec(**spec)
    objects, pods = data.draw(given_any.served_objects(builder.build()))
    for _ in range(STEPS_TO_REST):
        observed = ServingObserved(builders.make_context(), has_seldon, tuple(objects), tuple(pods))
        plan = settled(plan_serving, builder.build(), observed, known)
        check_status(plan, ModelDeploymentStatus, SERVING_STATUS)
        if plan.status is None and not plan.apply:
            return
        builder = builder.after(plan)
        objects = merged(objects, plan)
    raise AssertionError(f"still not at rest: {plan}")


def merged(objects: list[Manifest], plan: Plan) -> list[Manifest]:
    """The objects after the plan's were applied; what controllers say stays."""
    by_identity = {(item["kind"], item["metadata"]["name"]): item for item in objects}
    for item in plan.apply:
        identity = (item["kind"], item["metadata"]["name"])
        status = by_identity.get(identity, {}).get("status")
        by_identity[identity] = builders.as_live(item) | ({"status": status} if status else {})
    return list(by_identity.values())
