"""The names of registered models, held to their namespace by the administrator's choice: the operator's own check."""

from collections.abc import Callable
from typing import Any

import pytest

import builders
from modelyard.core import model_names
from modelyard.core.model_deployment.observed import Observed as ServingObserved
from modelyard.core.model_deployment.plan import plan as plan_serving
from modelyard.core.plan import Manifest, Plan
from modelyard.core.promotion.observed import Observed as PromotionObserved
from modelyard.core.promotion.plan import plan as plan_promotion
from modelyard.core.promotion_policy.observed import Observed as PolicyObserved
from modelyard.core.promotion_policy.plan import plan as plan_policy
from modelyard.core.training_job.observed import Observed as TrainingObserved
from modelyard.core.training_job.plan import plan as plan_training

HELD = builders.make_context(model_names="Namespaced")


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [("team.digits", False), ("digits", True), ("team", True), ("teams.digits", True), ("other.team.digits", True)],
)
def test_a_name_begins_with_the_namespace_and_a_dot(name: str, is_refused: bool) -> None:
    assert bool(model_names.problems_of(HELD, "team", name)) is is_refused


def test_names_are_free_unless_the_administrator_holds_them() -> None:
    assert model_names.problems_of(builders.make_context(), "team", "digits") == []


CASES: dict[str, tuple[Callable[[], Manifest], Callable[[Manifest], Plan]]] = {
    "TrainingJob": (
        lambda: builders.make_training_job().with_model("digits").build(),
        lambda made: plan_training(made, TrainingObserved(HELD), builders.NOW),
    ),
    "ModelDeployment": (
        lambda: builders.make_model_deployment().build(),
        lambda made: plan_serving(made, ServingObserved(HELD), builders.NOW),
    ),
    "Promotion": (
        lambda: builders.make_promotion().build(),
        lambda made: plan_promotion(made, PromotionObserved(HELD), builders.NOW),
    ),
    "PromotionPolicy": (
        lambda: builders.make_promotion_policy().build(),
        lambda made: plan_policy(made, PolicyObserved(HELD), builders.NOW),
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_an_object_that_names_another_namespaces_model_says_so_and_does_nothing(kind: str) -> None:
    make, decide = CASES[kind]
    made: dict[str, Any] = make()
    decided = decide(made)
    reasons = {item["reason"]: item["message"] for item in (decided.status or {})["conditions"]}
    namespace = made["metadata"]["namespace"]
    assert f"name it {namespace}." in reasons["InvalidSpec"]
    assert (decided.questions, decided.create, decided.apply) == ((), (), ())
