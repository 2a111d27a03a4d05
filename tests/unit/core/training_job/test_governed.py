"""A training sets no alias that a policy moves; its version is registered all the same."""

from typing import Any

import pytest

from builders import NOW, make_context, make_promotion_policy, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.training_job import governed
from modelyard.core.training_job.draft import Draft
from modelyard.core.training_job.observed import Observed


def draft_of(*aliases: str, policies: tuple[Any, ...] = ()) -> Draft:
    resource = make_training_job().with_model("digits", aliases=list(aliases)).build()
    observed = Observed(make_context(), policies=tuple(policy.build() for policy in policies))
    return Draft(resource, TrainingJobSpec.model_validate(resource["spec"]), observed, NOW)


@pytest.mark.parametrize(
    ("aliases", "left"),
    [
        (("champion",), ()),
        (("candidate",), ("candidate",)),
        (("candidate", "champion", "newest"), ("candidate", "newest")),
        ((), ()),
    ],
)
def test_only_the_alias_that_a_policy_moves_is_left_out(aliases: tuple[str, ...], left: tuple[str, ...]) -> None:
    draft = draft_of(*aliases, policies=(make_promotion_policy(),))
    assert draft.spec.model is not None
    assert governed.free_aliases(draft, draft.spec.model) == left


def test_without_a_policy_every_alias_is_free() -> None:
    draft = draft_of("champion")
    assert draft.spec.model is not None
    assert governed.free_aliases(draft, draft.spec.model) == ("champion",)
    assert governed.told(draft, draft.spec.model) is None


def test_a_policy_for_another_model_is_none_for_this() -> None:
    other = make_promotion_policy().with_spec(model={"name": "letters"})
    draft = draft_of("champion", policies=(other,))
    assert draft.spec.model is not None
    assert governed.free_aliases(draft, draft.spec.model) == ("champion",)


def test_the_message_names_alias_and_policy_and_what_to_write_instead() -> None:
    draft = draft_of("champion", policies=(make_promotion_policy(),))
    assert draft.spec.model is not None
    said = governed.told(draft, draft.spec.model)
    assert said is not None
    assert "champion (PromotionPolicy team-a/digits)" in said
    assert "name candidate in spec.model.aliases instead" in said
