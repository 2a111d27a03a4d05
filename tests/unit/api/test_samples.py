"""The samples of tests/support/samples.py know every field and every rule, so that no test of bad input misses one."""

import pytest

from modelyard.api.base import Kind
from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS
from support.bad_values import fields_of, holds, is_form, rules_of
from support.samples import RULES, SAMPLES

OF_BOTH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind_name)


@OF_BOTH
def test_every_field_has_a_good_value(kind: type[Kind]) -> None:
    fields = [path for path, _ in fields_of(schema_of(kind)["properties"]["spec"])]
    missing = [path for path in fields if not any(holds(sample, path) for sample in SAMPLES[kind.kind_name])]
    assert not missing, (
        f"tests/support/samples.py: give these fields of {kind.kind_name} a value in SAMPLES (a second sample where "
        f"fields exclude each other); tests/api/test_bad_input.py then tries wrong values of them: {missing}"
    )


@OF_BOTH
def test_every_rule_has_a_value_that_breaks_it(kind: type[Kind]) -> None:
    schema = schema_of(kind)
    rules = [*schema["x-kubernetes-validations"], *rules_of(schema["properties"]["spec"])]
    known = tuple(begin for begin, _, _ in RULES[kind.kind_name])
    missing = {
        rule["message"]
        for rule in rules
        if "oldSelf" not in rule["rule"] and not is_form(rule) and not rule["message"].startswith(known)
    }
    assert not missing, (
        f"tests/support/samples.py: add to RULES[{kind.kind_name!r}] how each of these messages begins, a field and a "
        f"value of it that breaks the rule: {sorted(missing)}"
    )
    unused = [begin for begin in known if not any(rule["message"].startswith(begin) for rule in rules)]
    assert not unused, f"tests/support/samples.py: no rule says this any more: {unused}"
