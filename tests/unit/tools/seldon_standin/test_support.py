"""What Seldon's admission refuses, and what the stand-in does not do."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.seldon_standin.support import problems

Builder = Callable[..., dict[str, Any]]


def test_a_single_node_without_an_engine_is_fine(make_sdep: Builder) -> None:
    assert problems(make_sdep()) == []


@pytest.mark.parametrize("weights", [(80, 20), (100, 0), (50, 30, 20)])
def test_weights_that_sum_to_100_are_fine(
    weights: tuple[int, ...], make_sdep: Builder, make_predictor: Builder
) -> None:
    predictors = [make_predictor(f"p{index}", traffic=weight) for index, weight in enumerate(weights)]
    assert problems(make_sdep(*predictors)) == []


@pytest.mark.parametrize("weight", [0, 100, None])
def test_the_only_predictor_has_all_the_traffic(
    weight: int | None, make_sdep: Builder, make_predictor: Builder
) -> None:
    assert problems(make_sdep(make_predictor(traffic=weight))) == []


def test_the_recorded_inputs_are_fine(recorded_objects: dict[str, Any]) -> None:
    assert [problems(case["input"]) for case in recorded_objects.values()] == [[], []]


@pytest.mark.parametrize(
    ("predictors", "sentence"),
    [
        ([], "at least one predictor"),
        ([{"traffic": 50}], "must be 0 or 100, found 50"),
        ([{"traffic": 50}, {"name": "canary", "traffic": 40}], "must sum to 100, found 90"),
        ([{"traffic": 50}, {"traffic": 50}], "names must be unique, found main, main"),
        ([{"shadow": True}], "cannot stand alone"),
        ([{}, {"name": "b", "shadow": True}, {"name": "c", "shadow": True}], "at most one predictor may be a shadow"),
        ([{}, {"name": "b", "shadow": True, "traffic": 101}], "percentage to mirror"),
        ([{"annotations": {}}], "no executor"),
        ([{"graph": {"name": "other"}}], "needs a container of the same name"),
        ([{"graph": {"name": "model", "children": [{"name": "b"}]}}], "a graph has one node"),
        ([{"graph": {"name": "model", "modelUri": "s3://bucket/model"}}], "no prepackaged servers"),
        ([{"componentSpecs": []}], "must have one entry"),
        ([{"explainer": {"type": "AnchorTabular"}}], "explainer: not done"),
    ],
)
def test_what_is_refused_is_told(
    predictors: list[dict[str, Any]], sentence: str, make_sdep: Builder, make_predictor: Builder
) -> None:
    sdep = make_sdep()
    sdep["spec"]["predictors"] = [make_predictor(**{"name": "main", **fields}) for fields in predictors]
    assert sentence in "; ".join(problems(sdep))


def test_another_protocol_is_refused(make_sdep: Builder) -> None:
    assert "only does v2, kfserving, seldon" in "; ".join(problems(make_sdep(protocol="tensorflow")))


def test_seldons_own_protocol_is_done(make_sdep: Builder) -> None:
    assert problems(make_sdep(protocol="seldon")) == []


def test_one_service_name_for_two_predictors_is_refused(make_sdep: Builder, make_predictor: Builder) -> None:
    annotations = {"seldon.io/no-engine": "true", "seldon.io/svc-name": "same"}
    sdep = make_sdep(
        make_predictor("a", traffic=50, annotations=annotations),
        make_predictor("b", traffic=50, annotations=annotations),
    )
    assert "must be unique, found same, same" in "; ".join(problems(sdep))
