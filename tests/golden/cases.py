"""Reads a case, makes its plan and writes it down.

resource.yaml is the object; observed.yaml is the world around it:
  now, context (changes to the usual one)
  jobs, pods, services        a TrainingJob's children
  policies                    the PromotionPolicies for its model
  jobs, pods, others, policy  a Promotion's Job, the others that move the same alias, and the policy that made it
  policies                    all policies for a model
  promotions, rivals          what a PromotionPolicy made, and the others for the same alias
  moves                       all Promotions to a policy's alias; what it made when left out
  applied, deployment, pods   what a ModelDeployment's backend was told, and the Deployment that came of it;
                              canaryDeployment where applied has a canary
  route                       its HTTPRoute: the spec.route and weights it was made for, and its status
  traffic                     what pods answered, by the name of a predictor's first pod
  answers                     by the question's name; a question without an answer stays open, and the plan shows it;
                              a version's card is one that suits, where the case does not say another
  gone, wasTraining           decide about a deleted object, and whether its pods were alive then
  refused                     decide about one whose plan the API server refused
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

import builders
from modelyard.core import disagreement, gateway, serving, tracking
from modelyard.core import plan as core_plan
from modelyard.core.context import Context
from modelyard.core.model_deployment import observed as serving_observed
from modelyard.core.model_deployment import plan as serving_plan
from modelyard.core.model_deployment.layout import CANARY, STABLE, Layout, Predictor
from modelyard.core.plan import Failure, Manifest, Plan, Question
from modelyard.core.pod_policy import PodPolicy
from modelyard.core.promotion import observed as promotion_observed
from modelyard.core.promotion import plan as promotion_plan
from modelyard.core.promotion_policy import observed as policy_observed
from modelyard.core.promotion_policy import plan as policy_plan
from modelyard.core.traffic import MeasureTraffic, Traffic
from modelyard.core.training_job import leftovers
from modelyard.core.training_job import observed as training_observed
from modelyard.core.training_job import plan as training_plan
from modelyard.core.workspaces import Workspaces

FOLDER = Path(__file__).parent
CASES = sorted(path.parent for path in FOLDER.glob("*/*/resource.yaml"))
_PATIENCE = 20

_SETTINGS: dict[str, Callable[[Any], object]] = {
    "training_pods": PodPolicy.model_validate,
    "serving_pods": PodPolicy.model_validate,
    "workspaces": Workspaces,
}
"""What fields of the context that are no plain values are made with."""

Decide = Callable[[dict[Question, Any]], Plan]


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def plan_of(case: Path) -> tuple[list[Question], Plan]:
    """What the case asked, in order, and the plan that came of it."""
    resource, world = read(case / "resource.yaml"), read(case / "observed.yaml")
    decide = _decider(resource, world)
    known: dict[str, Any] = {"ReadModelCard": builders.make_card()}
    known |= {name: _value(said) for name, said in (world.get("answers") or {}).items()}
    known |= {pod: Traffic(**said) for pod, said in (world.get("traffic") or {}).items()}
    answers: dict[Question, Any] = {}
    for _ in range(_PATIENCE):
        found = decide(answers)
        fresh = [question for question in found.questions if _subject(question) in known]
        if not fresh:
            return [*answers, *found.questions], found
        answers |= {question: known[_subject(question)] for question in fresh}
    raise AssertionError(f"{case.name} asks without end")


def _subject(question: Question) -> str:
    """What an answer is found by: the first pod where traffic is asked for, else the question's name."""
    return question.pods[0].name if isinstance(question, MeasureTraffic) else type(question).__name__


def _decider(resource: Manifest, world: dict[str, Any]) -> Decide:
    now = datetime.fromisoformat(world["now"])
    changes = {
        name: _SETTINGS[name](value) if name in _SETTINGS else value
        for name, value in (world.get("context") or {}).items()
    }
    context = builders.make_context(**changes)
    module, observe = _KINDS[resource["kind"]]

    def decide(answers: dict[Question, Any]) -> Plan:
        observed = observe(resource, world, context, answers)
        if world.get("gone"):
            return leftovers.plan_gone(
                observed, resource["metadata"]["uid"], now, was_training=world.get("wasTraining", False)
            )
        if world.get("refused"):
            return module.plan_refused(resource, observed, Failure(**world["refused"]), now)
        return module.plan(resource, observed, now)

    return decide


def _training(
    _resource: Manifest, world: dict[str, Any], context: Context, answers: dict[Question, Any]
) -> training_observed.Observed:
    jobs, pods = tuple(world.get("jobs") or ()), tuple(world.get("pods") or ())
    services = tuple(world.get("services") or ())
    policies = tuple(world.get("policies") or ())
    return training_observed.Observed(
        context, jobs=jobs, pods=pods, services=services, policies=policies, answers=answers
    )


def _serving(
    resource: Manifest, world: dict[str, Any], context: Context, answers: dict[Question, Any]
) -> serving_observed.Observed:
    return serving_observed.Observed(
        context,
        is_seldon_served=world.get("isSeldonServed", True),
        objects=tuple(_served_objects(resource, world, context)),
        pods=tuple(world.get("pods") or ()),
        answers=answers,
        is_route_served=world.get("isRouteServed", True),
    )


def _served_objects(resource: Manifest, world: dict[str, Any], context: Context) -> list[Manifest]:
    told = world.get("applied")
    if not told:
        return list(world.get("objects") or [])
    earlier = resource | {"spec": resource["spec"] | told.get("spec", {})}
    objects = builders.laid_out(earlier, _layout(earlier, told), context, told["backend"])
    routed = world.get("route")
    if routed:
        with_route = earlier | {"spec": earlier["spec"] | {"route": routed["spec"]}}
        objects.append(builders.make_route(with_route, routed.get("weights"), routed.get("mirrorPercent", 0)))
        objects[-1]["status"] = {"parents": routed.get("parents", [])}
    if told["backend"] == "SeldonDeployment":
        objects[0] |= {"status": told.get("status", {})}
    for predictor, field in ((STABLE, "deployment"), (CANARY, "canaryDeployment")):
        if world.get(field):
            _report(objects, earlier, predictor, world[field])
    return objects


def _layout(resource: Manifest, told: dict[str, Any]) -> Layout:
    stable = Predictor(STABLE, told["version"], resource["spec"].get("replicas", 1))
    canary = told.get("canary")
    if not canary:
        return Layout(stable)
    return Layout(stable, Predictor(CANARY, canary["version"], canary["replicas"]), canary["weight"])


def _report(objects: list[Manifest], resource: Manifest, predictor: str, said: dict[str, Any]) -> None:
    """Give the Deployment of a predictor its status; Seldon's is made for it."""
    if objects[0]["kind"] == "SeldonDeployment":
        replicas = said["status"].get("wanted", resource["spec"].get("replicas", 1))
        made = builders.make_seldon_child(resource, said["version"], predictor)
        found = made.changed("spec", "replicas", to=replicas).build()
        objects.append(found)
    else:
        name = resource["metadata"]["name"] + ("" if predictor == STABLE else "-canary")
        found = next(item for item in objects if (item["kind"], item["metadata"]["name"]) == ("Deployment", name))
    found["status"] = said["status"] | {"observedGeneration": 1}


def _promoting(
    _resource: Manifest, world: dict[str, Any], context: Context, answers: dict[Question, Any]
) -> promotion_observed.Observed:
    jobs, pods = tuple(world.get("jobs") or ()), tuple(world.get("pods") or ())
    others, policy = tuple(world.get("others") or ()), world.get("policy")
    policies = tuple(world.get("policies") or ())
    return promotion_observed.Observed(context, jobs, pods, others, policy, answers, policies)


def _policing(
    _resource: Manifest, world: dict[str, Any], context: Context, answers: dict[Question, Any]
) -> policy_observed.Observed:
    promotions, rivals = tuple(world.get("promotions") or ()), tuple(world.get("rivals") or ())
    moves = tuple(world.get("moves") or promotions)
    return policy_observed.Observed(context, promotions, rivals, answers, moves)


_KINDS: dict[str, tuple[Any, Any]] = {
    "TrainingJob": (training_plan, _training),
    "PromotionPolicy": (policy_plan, _policing),
    "Promotion": (promotion_plan, _promoting),
    "ModelDeployment": (serving_plan, _serving),
}


def _value(said: Any) -> Any:
    """An answer from YAML: {Run: {...}}, a list of such, or null."""
    if isinstance(said, list):
        return tuple(_value(item) for item in said)
    if not isinstance(said, dict):
        return said
    [(name, fields)] = said.items()
    if name == "Object":
        return fields
    if name == "ModelCard":
        return builders.make_card(**fields)
    kind: Any = next(
        found
        for module in (tracking, serving, gateway, disagreement, core_plan)
        if (found := getattr(module, name, None))
    )
    return kind(**{field: _field(value) for field, value in (fields or {}).items()})


def _field(value: Any) -> Any:
    if isinstance(value, dict) and "cluster" in value:
        return tracking.AttemptIdentity(**value)
    if not isinstance(value, list):
        return value
    return tuple(_value(item) if isinstance(item, dict) else _texts(item) for item in value)


def _texts(item: Any) -> Any:
    return item if isinstance(item, str) else tuple(item)


def as_yaml(asked: list[Question], plan: Plan) -> str:
    """The plan as a person reads it."""
    fields = {
        "asked": [{type(item).__name__: _plain(_told(item))} for item in asked],
        "open": [type(item).__name__ for item in plan.questions],
        "create": _plain(plan.create),
        "apply": _plain(plan.apply),
        "delete": _plain([dataclasses.asdict(ref) for ref in plan.delete]),
        "status": _plain(plan.status),
        "events": _plain([dataclasses.asdict(event) for event in plan.events]),
        "recheckAfter": plan.recheck_after,
    }
    kept = {name: value for name, value in fields.items() if value not in (None, [], ())}
    return yaml.dump(kept, Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)


def _told(question: Any) -> dict[str, Any]:
    """A question's fields; the usual protocol is not told."""
    told = dataclasses.asdict(question)
    return {name: value for name, value in told.items() if (name, value) != ("protocol", "v2")}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


class _Plain(yaml.CSafeDumper):
    """Writes repeated values out, never as anchors and aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True
