"""With promotedOnly only a version that a Promotion vouches for is served; what serves serves on."""

from typing import Any

import pytest

from builders import NOW, ModelDeploymentBuilder, PromotionBuilder, make_context, make_model_deployment, make_promotion
from modelyard.api.model_deployment import ModelDeploymentSpec
from modelyard.core.errors import Waiting
from modelyard.core.model_deployment import versions
from modelyard.core.model_deployment.draft import Draft
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.tracking import GetVersion, RegisteredVersion, ResolveAlias

DIGEST = "sha256:" + "1" * 64
VERSION = RegisteredVersion("digits", "2", None, None)
ANSWERS: dict[Any, Any] = {ResolveAlias("digits", "champion"): VERSION, GetVersion("digits", "2"): VERSION}
VOUCHED = make_promotion(version="2").over(digest=DIGEST)

BY_ALIAS = make_model_deployment().changed("spec", "model", "promotedOnly", to=True)
BY_NUMBER = make_model_deployment().at_version("2").changed("spec", "model", "promotedOnly", to=True)


def draft_of(builder: ModelDeploymentBuilder, *promotions: PromotionBuilder) -> Draft:
    resource = builder.build()
    made = tuple(item.build() for item in promotions)
    observed = Observed(make_context(), answers=ANSWERS, promotions=made)
    return Draft(resource, ModelDeploymentSpec.model_validate(resource["spec"]), observed, NOW)


@pytest.mark.parametrize(
    ("builder", "promotion", "is_served"),
    [
        (BY_ALIAS, VOUCHED, True),
        (BY_NUMBER, VOUCHED, True),
        (BY_ALIAS, make_promotion(version="1").over(digest=DIGEST), False),
        (BY_ALIAS, make_promotion(version="2").over("GateFailed", digest=DIGEST), False),
        (BY_ALIAS, make_promotion(version="2").judged("AwaitingApproval", digest=DIGEST), False),
        (BY_ALIAS, make_promotion(version="2").over(), False),
        (BY_ALIAS, VOUCHED.with_spec(target={"alias": "staging"}), False),
        (BY_NUMBER, VOUCHED.with_spec(target={"alias": "staging"}), True),
    ],
    ids=[
        "promoted",
        "promoted, by number",
        "of another version",
        "not promoted",
        "not promoted yet",
        "without a digest",
        "to another alias",
        "to any alias, by number",
    ],
)
def test_a_version_needs_a_promotion_that_moved_the_alias_and_recorded_its_files(
    builder: ModelDeploymentBuilder, promotion: PromotionBuilder, is_served: bool
) -> None:
    draft = draft_of(builder, promotion)
    assert (versions.desired(draft) is not None) is is_served


def test_without_promotedonly_nobody_has_to_vouch() -> None:
    assert versions.desired(draft_of(make_model_deployment())) == VERSION


def test_what_is_missing_and_what_to_do_is_told() -> None:
    draft = draft_of(BY_ALIAS)
    versions.desired(draft)
    said = draft.conditions.get("ModelResolved")
    assert said is not None
    assert (said["status"], said["reason"]) == ("False", "AwaitingPromotion")
    assert (
        "no Promotion of namespace team-a promoted version 2 of digits to champion: promote it there"
        in (said["message"])
    )
    assert draft.status["desiredVersion"] == "2"


def test_what_serves_serves_on_and_nothing_else_begins() -> None:
    draft = draft_of(BY_ALIAS)
    wanted = versions.desired(draft)
    assert versions.target(draft, wanted, "1") == "1"
    with pytest.raises(Waiting) as waiting:
        versions.target(draft, wanted, None)
    assert waiting.value.reason == "AwaitingPromotion"


def test_one_that_moves_the_alias_right_now_is_looked_at_again_at_once() -> None:
    draft = draft_of(BY_ALIAS, make_promotion(version="2").judged("Promoting", digest=DIGEST))
    versions.desired(draft)
    assert draft.recheck_after is not None
    assert draft.recheck_after <= 1.0
