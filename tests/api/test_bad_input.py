"""Every wrong value of every field, alone: refused as `kubectl apply` would show it, with the field in the message."""

from collections.abc import Iterator
from typing import Any

import pytest

from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS
from support.bad_values import MISSING, Bad, bad_values, fields_of, holds, rules_of, with_value
from support.kube import Kube, Manifest, Refused, path_of
from support.manifests import API_VERSION
from support.messages import Messages
from support.samples import RULES, SAMPLES

pytestmark = pytest.mark.api

NAMESPACE = "default"
SCHEMAS = {kind.kind_name: schema_of(kind) for kind in KINDS}


def manifest(kind: str, spec: Any, name: str = "digits") -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def refusal(kube: Kube, wanted: Manifest) -> str:
    """What `kubectl create` would print; empty when it would be made."""
    query = {"fieldValidation": "Strict", "dryRun": "All"}
    try:
        kube.send("POST", path_of(wanted["kind"], NAMESPACE), wanted, query=query)
    except Refused as refused:
        return refused.message
    return ""


@pytest.fixture(scope="module")
def messages(request: pytest.FixtureRequest) -> Iterator[Messages]:
    """What is said of each wrong value, for a person to read in review."""
    book = Messages("refused", is_update=bool(request.config.getoption("--update-golden")))
    yield book
    book.keep()


SAMPLE_CASES = [(kind, number) for kind, samples in SAMPLES.items() for number in range(len(samples))]


@pytest.mark.parametrize(("kind", "number"), SAMPLE_CASES)
def test_the_samples_themselves_are_fine(kube: Kube, kind: str, number: int) -> None:
    assert refusal(kube, manifest(kind, SAMPLES[kind][number])) == ""


def cases() -> Iterator[tuple[str, int, Bad]]:
    seen = set()
    for kind, number in SAMPLE_CASES:
        for bad in bad_values(SCHEMAS[kind]["properties"]["spec"], SAMPLES[kind][number]):
            if (kind, bad.path, bad.why) not in seen:
                seen.add((kind, bad.path, bad.why))
                yield kind, number, bad


CASES = list(cases())


@pytest.mark.parametrize(
    ("kind", "number", "bad"), [pytest.param(*case, id=f"{case[0]}-{case[2].path}-{case[2].why}") for case in CASES]
)
def test_a_wrong_value_is_refused_and_its_field_is_named(
    kube: Kube, messages: Messages, kind: str, number: int, bad: Bad
) -> None:
    told = refusal(kube, manifest(kind, with_value(SAMPLES[kind][number], bad.path, bad.value)))
    assert bad.named in told, f"{bad.why}: {str(bad.value)[:80]!r}"
    messages.check(kind, bad.path, bad.why, told)


@pytest.mark.parametrize(
    ("kind", "begins", "path", "value"),
    [pytest.param(kind, *row, id=f"{kind}-{row[0][:40]}") for kind, rows in RULES.items() for row in rows],
)
def test_a_broken_rule_is_told_in_its_own_words(  # noqa: PLR0917 - a row of the table
    kube: Kube, messages: Messages, kind: str, begins: str, path: str, value: Any
) -> None:
    told = [refusal(kube, wrong) for sample in SAMPLES[kind] if (wrong := broken(kind, sample, path, value))]
    fitting = [said for said in told if begins in said]
    assert fitting, told
    messages.check(kind, path, "left out" if value is MISSING else str(value)[:60], fitting[0])


def broken(kind: str, sample: Any, path: str, value: Any) -> Manifest | None:
    """The sample with that value; None where it has not what holds the field."""
    if path == "metadata.name":
        return manifest(kind, sample, value)
    try:
        return manifest(kind, with_value(sample, path, value))
    except KeyError:
        return None


CHANGES: dict[str, dict[str, Any]] = {
    "spec.trainer cannot change": {"trainer": {"image": "another"}},
    "spec.retry.backoff cannot change": {"retry": {"backoff": {"initialSeconds": 11}}},
    "spec.model.name cannot change": {"model": {"name": "another"}},
    "spec.backend cannot change": {"backend": "SeldonDeployment"},
    "spec.server.protocol cannot change": {"server": {"protocol": "v2"}},
    "spec.target.alias cannot change": {"target": {"alias": "production"}},
    "spec.model cannot change": {"model": {"name": "another", "version": "8"}},
    "spec.target cannot change": {"target": {"alias": "production"}},
    "spec.approval.required cannot change": {"approval": {"required": False}},
}
"""Changes of fields that cannot be removed, or whose default is the sample's; all others are removed."""
FIXED = [
    (kind, rule["message"])
    for kind, schema in SCHEMAS.items()
    for rule in [*schema["x-kubernetes-validations"], *rules_of(schema["properties"]["spec"])]
    if "oldSelf" in rule["rule"]
]


@pytest.mark.parametrize(
    ("kind", "message"), [pytest.param(*case, id=f"{case[0]}-{case[1].split(' cannot')[0]}") for case in FIXED]
)
def test_a_field_that_is_fixed_says_what_to_do_instead(kube: Kube, messages: Messages, kind: str, message: str) -> None:
    begins = message.partition(" cannot change")[0] + " cannot change"
    path = begins.removesuffix(" cannot change").removeprefix("spec.")
    sample = next(each for each in SAMPLES[kind] if holds(each, path))
    spec = sample | ({"suspend": False} if kind == "TrainingJob" else {})
    change: dict[str, Any] = CHANGES.get(begins, {})
    if not change:
        for name in reversed(path.split(".")):
            change = {name: change or None}
    kube.create(manifest(kind, spec, "fixed"))
    try:
        with pytest.raises(Refused) as refused:
            kube.patch(kind, NAMESPACE, "fixed", {"spec": change})
        assert message in refused.value.message
        messages.check(kind, path, "changed after the start", refused.value.message)
    finally:
        kube.delete(kind, NAMESPACE, "fixed")


def test_the_list_has_every_field_and_nothing_that_is_not_said_any_more(
    messages: Messages, request: pytest.FixtureRequest
) -> None:
    for kind, schema in SCHEMAS.items():
        fields = {path for path, _ in fields_of(schema["properties"]["spec"])}
        assert fields <= set(messages.known.get(kind, {})) or request.config.getoption("--update-golden")
    if len(request.session.items) > len(CASES):
        messages.check_that_there_are_no_others()


def test_nearly_every_field_can_be_got_wrong_in_more_than_one_way() -> None:
    tried = {(kind, bad.path) for kind, _, bad in CASES}
    assert len(CASES) > 2 * len(tried)
    print(f"{len(CASES)} wrong values of {len(tried)} fields")
