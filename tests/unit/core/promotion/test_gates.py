"""What passes a gate and what does not: numbers compared as the decimals that they are shown as."""

import pytest

from modelyard.api.gates import Gate
from modelyard.core.promotion.gates import Measured, Result, has_failed, judge, told
from modelyard.core.tracking import Measurement


def gate(**fields: str) -> Gate:
    return Gate.model_validate({"name": "accurate", "metric": "accuracy", **fields})


def measured(*values: str, version: str = "2") -> Measured:
    return Measured(version, [Measurement("accuracy", None, value) for value in values])


def judged(asked: Gate, value: str, baseline: str | None = None) -> Result:
    return judge(asked, measured(value), measured(baseline, version="1") if baseline else None)


@pytest.mark.parametrize(
    ("asked", "value", "baseline", "result"),
    [
        ({"min": "0.9"}, "0.9", None, "Passed"),
        ({"min": "0.9"}, "0.8999999999999999", None, "Failed"),
        ({"min": "-1e3"}, "-1000.0", None, "Passed"),
        ({"max": "5"}, "5.0", None, "Passed"),
        ({"max": "5"}, "5.000000000000001", None, "Failed"),
        ({"max": "0"}, "1e-320", None, "Failed"),
        ({"maxRegression": "0.01"}, "0.89", "0.9", "Passed"),
        ({"maxRegression": "0.01"}, "0.8899999", "0.9", "Failed"),
        ({"maxRegression": "0"}, "0.9", "0.9", "Passed"),
        ({"maxRegression": "0.1", "goal": "Minimize"}, "0.4", "0.3", "Passed"),
        ({"maxRegression": "0.1", "goal": "Minimize"}, "0.41", "0.3", "Failed"),
        ({"minImprovement": "0.01"}, "0.91", "0.9", "Passed"),
        ({"minImprovement": "0.01"}, "0.909", "0.9", "Failed"),
        ({"minImprovement": "0.1", "goal": "Minimize"}, "0.2", "0.3", "Passed"),
        ({"minImprovement": "0.1", "goal": "Minimize"}, "0.21", "0.3", "Failed"),
        # In binary, 0.3 - 0.1 is less than 0.2, and 0.1 + 0.2 more than 0.3.
        ({"maxRegression": "0.1"}, "0.2", "0.3", "Passed"),
        ({"minImprovement": "0.2"}, "0.3", "0.1", "Passed"),
    ],
)
def test_a_number_is_compared_exactly(asked: dict[str, str], value: str, baseline: str | None, result: str) -> None:
    assert judged(gate(**asked), value, baseline)["result"] == result


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "nan", "good", "", "0x1p3", "1_000", "٣", " 1", "1e9999"]
)
@pytest.mark.parametrize("asked", [{"min": "0"}, {"max": "0"}, {"maxRegression": "1"}, {"minImprovement": "0"}])
def test_what_is_no_finite_number_never_passes(value: str, asked: dict[str, str]) -> None:
    for baseline in (None, "0.5"):
        found = judged(gate(**asked), value, baseline)
        assert found["result"] == "Failed"
        assert found["value"] == value.strip()
        assert "no finite number" in found["message"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "good"])
def test_a_champion_without_a_number_cannot_be_compared_with(value: str) -> None:
    found = judged(gate(maxRegression="1"), "0.9", value)
    assert found["result"] == "Error"
    assert has_failed(found)
    assert (found["baseline"], "version 1" in found["message"]) == (value, True)


def test_a_missing_metric_fails_and_is_named() -> None:
    found = judge(gate(min="0"), Measured("2", []), None)
    assert found["result"] == "Failed"
    assert found["message"] == "version 2 has no metric accuracy, of its model or of its run"
    assert "value" not in found


def test_a_champion_without_the_metric_is_an_error_that_names_the_cure() -> None:
    found = judge(gate(minImprovement="0"), measured("0.9"), Measured("1", []))
    assert found["result"] == "Error"
    assert "version 1 has no metric accuracy" in found["message"]
    assert "without this gate" in found["message"]


def test_without_a_champion_there_is_nothing_to_compare_with() -> None:
    found = judged(gate(maxRegression="0.1"), "0.9")
    assert found["result"] == "Skipped"
    assert not has_failed(found)


def test_a_version_is_not_compared_with_itself() -> None:
    found = judge(gate(minImprovement="1"), measured("0.9"), measured("0.9"))
    assert found["result"] == "Skipped"


HOLDOUT, TRAIN = Measurement("accuracy", "holdout", "0.8"), Measurement("accuracy", "train", "0.99")
OF_RUN = Measurement("accuracy", None, "0.5", is_of_run=True)
PLAIN = Measurement("accuracy", None, "0.7")


@pytest.mark.parametrize(
    ("found", "dataset", "value"),
    [
        ([PLAIN, OF_RUN], None, "0.7"),
        ([HOLDOUT, OF_RUN], None, "0.8"),
        ([OF_RUN], None, "0.5"),
        ([HOLDOUT, TRAIN, PLAIN], None, "0.7"),
        ([HOLDOUT, TRAIN], "holdout", "0.8"),
        ([HOLDOUT, TRAIN, PLAIN], "train", "0.99"),
        ([PLAIN, Measurement("accuracy", "holdout", "0.6", is_of_run=True)], "holdout", "0.6"),
        ([Measurement("loss", None, "0.1"), OF_RUN], None, "0.5"),
    ],
)
def test_the_logged_models_metric_counts_before_the_runs(
    found: list[Measurement], dataset: str | None, value: str
) -> None:
    asked = gate(min="0", **({"dataset": dataset} if dataset else {}))
    assert judge(asked, Measured("2", found), None)["value"] == value


def test_of_several_datasets_the_gate_has_to_name_one() -> None:
    found = judge(gate(min="0"), Measured("2", [HOLDOUT, TRAIN]), None)
    assert found["result"] == "Failed"
    assert "several datasets (holdout, train): name one of them in spec.gates[].dataset" in found["message"]


def test_a_dataset_that_was_not_measured_on_is_missing() -> None:
    found = judge(gate(min="0", dataset="other"), Measured("2", [HOLDOUT, OF_RUN]), None)
    assert found["message"] == "version 2 has no metric accuracy on dataset other, of its model or of its run"


def test_a_result_is_told_on_one_line() -> None:
    asked = gate(maxRegression="0.005", dataset="holdout")
    champion = Measured("1", [Measurement("accuracy", "holdout", "0.95")])
    found = judge(asked, Measured("2", [HOLDOUT]), champion)
    assert told(found) == ("accuracy on holdout is 0.8, asked for >= 0.945 (version 1 has 0.95; at most 0.005 worse)")


def test_everything_of_a_result_is_bounded() -> None:
    long = "9" * 40
    found = judged(gate(maxRegression="1"), f"{long}.{long}", f"{long}.{long}")
    assert all(len(str(text)) <= 512 for text in found.values())
    assert len(found["value"]) <= 64
    assert len(found["threshold"]) <= 64
