"""Whole plans, as they are expected: --update-golden writes those that are made now."""

from pathlib import Path

import jsonschema
import pytest

from golden import cases
from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS

NAMES = [f"{case.parent.name}/{case.name}" for case in cases.CASES]
STATUS_OF = {kind.kind_name: jsonschema.Draft202012Validator(schema_of(kind)["properties"]["status"]) for kind in KINDS}


@pytest.fixture
def is_update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.mark.parametrize("case", cases.CASES, ids=NAMES)
def test_the_plan_is_the_expected_one(case: Path, is_update: bool) -> None:
    made = cases.as_yaml(*cases.plan_of(case))
    if is_update:
        (case / "plan.yaml").write_text(made)
    assert made == (case / "plan.yaml").read_text()


@pytest.mark.parametrize("case", cases.CASES, ids=NAMES)
def test_the_expected_status_fits_the_schema(case: Path) -> None:
    status = cases.read(case / "plan.yaml").get("status") or {}
    STATUS_OF[cases.read(case / "resource.yaml")["kind"]].validate(status)


def test_there_are_cases_of_every_kind() -> None:
    assert {cases.read(case / "resource.yaml")["kind"] for case in cases.CASES} == {kind.kind_name for kind in KINDS}
