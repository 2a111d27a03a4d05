"""Parameters reach the code as they were written; what cannot work is refused with the field's name."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import TRAINING_UID, make_context, make_training_job
from modelyard.api.training_job import TrainingJobSpec
from modelyard.core.tracking import AttemptIdentity, Run
from modelyard.core.training_job import parameters
from modelyard.core.training_job.job import build_job

ODD_VALUES = (
    "",
    " ",
    "it's",
    'say "no"',
    "$(touch /tmp/owned)",
    "$(PARAM_OTHER)",
    "$$(HOME) $HOME ${HOME} $",
    "`id`; rm -rf / && echo * | cat > x",
    "first\nsecond\r\n\tthird",
    "größer ≥ 0.5 深 🚀",
    "\\n \\ \\",
    "{'a': 1}",
    "--help",
)


def spec_of(**fields: object) -> TrainingJobSpec:
    return TrainingJobSpec.model_validate(make_training_job().with_spec(**fields).build()["spec"])


def with_values(*values: str) -> TrainingJobSpec:
    return spec_of(parameters=[{"name": f"p{number}", "value": value} for number, value in enumerate(values)])


def expanded(text: str, known: dict[str, str]) -> str:
    """What the kubelet makes of a variable's value, a command or an argument (k8s.io/kubernetes/third_party/forked)."""

    def replaced(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else known.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", replaced, text)


def seen_in_the_pod(spec: TrainingJobSpec) -> dict[str, str]:
    """The environment after the kubelet went through it, in order, as it does."""
    resource = make_training_job().build()
    job = build_job(resource, spec, AttemptIdentity("c", TRAINING_UID, 1), Run("run-1", "7"), make_context())
    seen: dict[str, str] = {}
    for item in job["spec"]["template"]["spec"]["containers"][0]["env"]:
        seen[item["name"]] = expanded(item.get("value", ""), seen)
    return seen


@pytest.mark.parametrize("value", ODD_VALUES)
def test_a_value_arrives_as_it_was_written(value: str) -> None:
    spec = with_values(value, "other")
    seen = seen_in_the_pod(spec)
    assert seen["PARAM_P0"] == value
    assert expanded("--depth=$(PARAM_P0)", seen) == f"--depth={value}"
    assert json.loads(parameters.as_json(spec))["p0"] == value


@given(st.text("$(){}`'\" \nPARAM_1ü", max_size=30))
def test_any_value_arrives_as_it_was_written(value: str) -> None:
    assert seen_in_the_pod(with_values(value, "other"))["PARAM_P0"] == value


def test_a_value_is_in_no_command() -> None:
    spec = spec_of(parameters=[{"name": "depth", "value": "; rm -rf /"}])
    job = build_job(
        make_training_job().build(), spec, AttemptIdentity("c", TRAINING_UID, 1), Run("run-1", "7"), make_context()
    )
    for container in job["spec"]["template"]["spec"]["containers"]:
        assert "rm" not in json.dumps([container.get("command"), container.get("args")])


@pytest.mark.parametrize(
    ("args", "is_fine"),
    [
        (["--depth", "$(PARAM_DEPTH)"], True),
        (["--depth=$(PARAM_DEPTH)/$(PARAM_DEPTH)"], True),
        (["$$(PARAM_DEPHT)"], True),
        (["$$$$(PARAM_DEPHT)"], True),
        (["$(HOSTNAME) $PARAM_DEPHT ${PARAM_DEPHT}"], True),
        (["$(PARAM_DEPHT)"], False),
        (["$$$(PARAM_DEPHT)"], False),
        (["$(PARAM_depth)"], False),
    ],
)
def test_a_reference_to_no_parameter_is_refused(args: list[str], is_fine: bool) -> None:
    spec = spec_of(trainer={"args": args}, parameters=[{"name": "depth", "value": "8"}])
    problems = parameters.problems_of(spec)
    assert [text[:18] for text in problems] == ([] if is_fine else ["spec.trainer.args:"])


def test_a_reference_in_the_command_is_named_with_its_cure() -> None:
    (problem,) = parameters.problems_of(spec_of(trainer={"command": ["python", "$(PARAM_A)"]}))
    assert problem.startswith("spec.trainer.command: $(PARAM_A) names no parameter; add it to spec.parameters")


def test_a_reference_may_come_from_a_secret_that_is_not_known_here() -> None:
    trainer = {"args": ["$(PARAM_A)"], "envFrom": [{"secretRef": {"name": "more"}}]}
    assert parameters.problems_of(spec_of(trainer=trainer)) == []


def test_names_that_become_one_variable_are_refused() -> None:
    (problem,) = parameters.problems_of(
        spec_of(parameters=[{"name": "rate", "value": "1"}, {"name": "Rate", "value": "2"}])
    )
    assert "PARAM_RATE" in problem


@pytest.mark.parametrize(("count", "is_fine"), [(21, True), (22, False)])
def test_more_text_than_a_pod_can_carry_is_refused(count: int, is_fine: bool) -> None:
    problems = parameters.problems_of(with_values(*["x" * 6000] * count))
    assert bool(problems) != is_fine
    assert all(problem.startswith("spec.parameters: together they take 132") for problem in problems)


def test_the_order_of_parameters_says_nothing() -> None:
    one, other = ({"a": "1", "b": "2"}, {"b": "2", "a": "1"})
    specs = [spec_of(parameters=[{"name": k, "value": v} for k, v in values.items()]) for values in (one, other)]
    assert parameters.as_json(specs[0]) == parameters.as_json(specs[1])
