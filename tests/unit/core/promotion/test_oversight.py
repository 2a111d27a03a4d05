"""By hand nobody does without a policy's gates alone; going back needs no one."""

import pytest

from builders import NOW, PromotionBuilder, make_context, make_promotion, make_promotion_policy
from modelyard.api.promotion import PromotionSpec
from modelyard.core.plan import Manifest
from modelyard.core.promotion.draft import Draft
from modelyard.core.promotion.observed import Observed
from modelyard.core.promotion.oversight import why_asked

POLICY = make_promotion_policy().build()
ELSEWHERE = POLICY | {"metadata": POLICY["metadata"] | {"namespace": "team-b"}}
FOR_ANOTHER_ALIAS = POLICY | {"spec": POLICY["spec"] | {"target": {"alias": "staging"}}}
BY_HAND = make_promotion("by-hand", "3")


def asked(builder: PromotionBuilder = BY_HAND, *others: PromotionBuilder, policies: tuple[Manifest, ...] = ()) -> str:
    resource = builder.build()
    made = tuple(item.build() for item in others)
    observed = Observed(make_context(), others=made, policies=policies)
    return why_asked(Draft(resource, PromotionSpec.model_validate(resource["spec"]), observed, NOW)) or ""


def promoted(version: str, before: str | None = "1") -> PromotionBuilder:
    status = {"previousVersion": before} if before else {}
    return make_promotion(f"to-{version}", version).over("Promoted", **status)


@pytest.mark.parametrize("policy", [POLICY, ELSEWHERE], ids=["of its namespace", "of another"])
def test_a_version_that_no_promotion_knows_takes_a_yes_where_a_policy_governs(policy: Manifest) -> None:
    told = asked(BY_HAND, promoted("2"), policies=(policy,))
    where = policy["metadata"]["namespace"]
    assert told == f"PromotionPolicy {where}/digits governs digits@champion, and no Promotion vouches for version 3"


@pytest.mark.parametrize(
    ("builder", "others", "policies"),
    [
        pytest.param(BY_HAND, (), (), id="no policy"),
        pytest.param(BY_HAND, (), (FOR_ANOTHER_ALIAS,), id="policy for another alias"),
        pytest.param(make_promotion("digits-3", "3").of_policy(), (), (POLICY,), id="made by the policy"),
        pytest.param(BY_HAND, (promoted("3"),), (POLICY,), id="back to what was promoted"),
        pytest.param(BY_HAND, (promoted("4", before="3"),), (POLICY,), id="back to what was found"),
    ],
)
def test_otherwise_nobody_is_asked(
    builder: PromotionBuilder, others: tuple[PromotionBuilder, ...], policies: tuple[Manifest, ...]
) -> None:
    assert asked(builder, *others, policies=policies) == ""


def test_one_that_failed_its_gates_vouches_for_nothing() -> None:
    refused = make_promotion("refused", "3").over("GateFailed")
    assert "vouches for version 3" in asked(BY_HAND, refused, policies=(POLICY,))


def test_its_own_spec_may_ask() -> None:
    builder = make_promotion("by-hand", "3").with_approval()
    assert asked(builder) == "spec.approval.required is true"
