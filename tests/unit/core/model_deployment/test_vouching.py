"""Files are checked against the digest that a Promotion recorded, and no pod that serves is restarted for one."""

from typing import Any

import pytest

from builders import (
    NOW,
    PromotionBuilder,
    as_live,
    make_card,
    make_context,
    make_model_deployment,
    make_promotion,
    seconds_ago,
)
from modelyard.core.model_card import ReadModelCard
from modelyard.core.model_deployment.observed import Observed
from modelyard.core.model_deployment.plan import plan
from modelyard.core.plan import Manifest, ObjectRef
from modelyard.core.serving import ReadObject
from modelyard.core.tracking import RegisteredVersion, ResolveAlias

ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
BACKENDS = pytest.mark.parametrize("backend", ["SeldonDeployment", "Deployment"])


def fetchers(node: Any) -> list[list[str]]:
    """The arguments of every init container, wherever it is."""
    if isinstance(node, list):
        return [found for item in node for found in fetchers(item)]
    if not isinstance(node, dict):
        return []
    own = [item["args"] for item in node.get("initContainers", [])]
    return own + [found for item in node.values() for found in fetchers(item)]


def applied(
    backend: str,
    *promotions: PromotionBuilder,
    stable: str | None = None,
    digest: str | None = None,
    live: tuple[Manifest, ...] = (),
) -> Any:
    """What is applied to serve version 2."""
    builder = make_model_deployment().with_backend(backend)
    if stable:
        known = {"digest": digest} if digest else {}
        builder = builder.with_status({"stable": {"version": stable, "since": seconds_ago(60)} | known})
    answers: dict[Any, Any] = {ResolveAlias("digits", "champion"): RegisteredVersion("digits", "2", None, None)}
    answers |= {ReadModelCard("digits", version): make_card() for version in ("1", "2")}
    for version, kind in (("apps/v1", "Deployment"), ("v1", "Service"), ("machinelearning.seldon.io/v1", backend)):
        answers[ReadObject(ObjectRef(version, kind, "team-a", "digits"))] = None
    made = [item.build() for item in promotions]
    observed = Observed(make_context(), objects=live, answers=answers, promotions=tuple(made))
    return plan(builder.build(), observed, NOW).apply


@BACKENDS
def test_the_fetcher_is_told_what_a_promotion_recorded(backend: str) -> None:
    (arguments,) = fetchers(list(applied(backend, make_promotion(version="2").over(digest=ONE))))
    assert arguments[-2:] == ["--digest", ONE]


@BACKENDS
def test_without_a_promotion_of_this_version_nothing_is_told(backend: str) -> None:
    (arguments,) = fetchers(list(applied(backend, make_promotion(version="3").over(digest=ONE))))
    assert "--digest" not in arguments


def test_it_is_told_before_the_alias_is_said_to_have_moved() -> None:
    (arguments,) = fetchers(list(applied("Deployment", make_promotion(version="2").judged("Promoting", digest=ONE))))
    assert arguments[-1] == ONE


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (
            make_promotion("a", age_seconds=9).over(digest=ONE),
            make_promotion("b", age_seconds=5).over(digest=OTHER),
            OTHER,
        ),
        (
            make_promotion("a", age_seconds=9).over(digest=ONE),
            make_promotion("b", age_seconds=5).over("Conflict", digest=OTHER),
            ONE,
        ),
        (
            make_promotion("a", age_seconds=9).over("Conflict", digest=ONE),
            make_promotion("b", age_seconds=5).over(),
            ONE,
        ),
    ],
)
def test_the_newest_that_moved_an_alias_counts(first: PromotionBuilder, second: PromotionBuilder, told: str) -> None:
    for promotions in ((first, second), (second, first)):
        (arguments,) = fetchers(list(applied("Deployment", *promotions)))
        assert arguments[-1] == told


@BACKENDS
def test_pods_that_serve_are_not_restarted_for_a_digest(backend: str) -> None:
    live = tuple(as_live(item) for item in applied(backend))
    assert not applied(backend, make_promotion(version="2").over(digest=ONE), stable="2", live=live)


@BACKENDS
def test_pods_that_were_told_another_digest_serve_on(backend: str) -> None:
    live = tuple(as_live(item) for item in applied(backend, make_promotion(version="2").over(digest=ONE)))
    assert not applied(backend, make_promotion(version="2").over(digest=OTHER), stable="2", live=live)
    assert not applied(backend, stable="2", live=live), "the record may be gone"


def test_pods_that_do_not_serve_yet_are_told() -> None:
    live = tuple(as_live(item) for item in applied("Deployment"))
    (arguments,) = fetchers(
        list(applied("Deployment", make_promotion(version="2").over(digest=ONE), stable="1", live=live))
    )
    assert arguments[-1] == ONE


@BACKENDS
def test_a_digest_that_somebody_took_away_comes_back(backend: str) -> None:
    live = tuple(as_live(item) for item in applied(backend))
    (arguments,) = fetchers(list(applied(backend, stable="2", digest=ONE, live=live)))
    assert arguments[-2:] == ["--digest", ONE]
