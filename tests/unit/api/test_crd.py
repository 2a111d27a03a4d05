"""The CRDs that come of the models are ones that an API server takes and a person can read."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from modelyard.api.base import Kind, KubeModel
from modelyard.api.crd import crd_of, schema_of
from modelyard.api.kinds import KINDS
from modelyard.api.model_deployment import ModelDeployment
from modelyard.api.promotion import Promotion
from modelyard.api.promotion_policy import PromotionPolicy
from modelyard.api.training_job import TrainingJob
from support.bad_values import is_form
from tools.generate import generated_files

Node = tuple[str, dict[str, Any]]
OF_BOTH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind_name)


def nodes(schema: dict[str, Any], path: str = "") -> Iterator[Node]:
    """Every node of a schema with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key], f"{path}[]")


def nodes_of(kind: type[Kind], part: str) -> list[Node]:
    return list(nodes(schema_of(kind)["properties"][part], part))


@OF_BOTH
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_node_is_structural(kind: type[Kind], part: str) -> None:
    for path, node in nodes_of(kind, part):
        assert not {"$ref", "$defs", "oneOf", "allOf", "not"} & set(node), path
        assert node.get("type") or node.get("x-kubernetes-int-or-string"), path
        if "anyOf" in node:
            union = {name: node[name] for name in ("anyOf", "x-kubernetes-int-or-string")}
            assert union == {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, (
                path
            )


@OF_BOTH
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_is_described(kind: type[Kind], part: str) -> None:
    for path, node in nodes_of(kind, part):
        is_named = not path.endswith("[]") and "x-kubernetes-int-or-string" not in node
        assert "description" in node or not is_named, path


@OF_BOTH
def test_every_list_and_text_of_spec_is_bounded(kind: type[Kind]) -> None:
    free = {"labels[]", "annotations[]", "requests[]", "limits[]", "command[]", "args[]"}
    for path, node in nodes_of(kind, "spec"):
        if node.get("type") == "array":
            assert "maxItems" in node, path
        if node.get("type") == "string" and path.rsplit(".", 1)[-1] not in free:
            assert "maxLength" in node or "enum" in node, path


@OF_BOTH
def test_the_keys_of_a_list_map_are_required(kind: type[Kind]) -> None:
    for part in ("spec", "status"):
        for path, node in nodes_of(kind, part):
            for key in node.get("x-kubernetes-list-map-keys", []):
                assert key in node["items"]["required"], f"{path}: {key}"


@OF_BOTH
def test_every_rule_has_a_message(kind: type[Kind]) -> None:
    rules = [rule for _, node in nodes(schema_of(kind)) for rule in node.get("x-kubernetes-validations", [])]
    assert rules
    for rule in (rule for rule in rules if not is_form(rule)):
        assert re.search(r"(spec|metadata)\.[a-zA-Z.]+|an alias|a tag's name", rule["message"]), rule


@OF_BOTH
def test_a_crd_stays_small(kind: type[Kind]) -> None:
    assert len(yaml.safe_dump(crd_of(kind)).encode()) < 100_000


@OF_BOTH
def test_a_kind_is_found_by_short_name_and_category(kind: type[Kind]) -> None:
    names = crd_of(kind)["spec"]["names"]
    assert names["categories"] == ["modelyard"]
    short = {"TrainingJob": "tj", "PromotionPolicy": "pp", "Promotion": "prom", "ModelDeployment": "md"}
    assert names["shortNames"] == [short[kind.kind_name]]


@OF_BOTH
def test_status_is_a_subresource(kind: type[Kind]) -> None:
    assert crd_of(kind)["spec"]["versions"][0]["subresources"]["status"] == {}


def test_a_model_deployment_scales() -> None:
    [version] = crd_of(ModelDeployment)["spec"]["versions"]
    scale = version["subresources"]["scale"]
    assert scale == {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }


@pytest.mark.parametrize(
    ("kind", "always", "wide"),
    [
        (TrainingJob, ["State", "Problem", "Attempt", "Model", "Version", "Metric", "Age"], ["Run", "Node", "Message"]),
        (
            PromotionPolicy,
            ["Ready", "Reason", "Model", "Candidate", "Champion", "Last", "Age"],
            ["Promotion", "Message"],
        ),
        (Promotion, ["Model", "Version", "From", "To", "Result", "By", "Age"], ["Digest", "Message"]),
        (
            ModelDeployment,
            ["Ready", "Reason", "Model", "Stable", "Canary", "Weight", "Desired", "Age"],
            ["URL", "Backend"],
        ),
    ],
)
def test_kubectl_get_shows_what_matters(kind: type[Kind], always: list[str], wide: list[str]) -> None:
    columns = crd_of(kind)["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] for column in columns if not column.get("priority")] == always
    assert [column["name"] for column in columns if column.get("priority")] == wide


@OF_BOTH
def test_every_column_shows_a_field_that_exists(kind: type[Kind]) -> None:
    paths = {path for part in ("spec", "status") for path, _ in nodes_of(kind, part)}
    for column in kind.columns:
        path = re.sub(r"\[[^]]*\]", "[]", column.json_path.removeprefix("."))
        assert path in paths or path.startswith("metadata."), column.name


@OF_BOTH
def test_unknown_fields_are_refused_except_where_core_checks_them(kind: type[Kind]) -> None:
    free = {path for path, node in nodes_of(kind, "spec") if node.get("x-kubernetes-preserve-unknown-fields")}
    has_pods = kind in {TrainingJob, ModelDeployment}
    assert ("spec.podTemplate.spec" in free) == has_pods
    assert all(re.search(r"podTemplate\.spec$|valueFrom$|envFrom\[\]$|volumeMounts\[\]$", path) for path in free)


def test_the_files_are_what_the_models_say() -> None:
    stale = [path for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    assert not stale, "run `make generate`"


def test_a_union_has_no_structural_schema() -> None:
    class Odd(KubeModel):
        """A spec."""

        value: int | str

    class OddKind(Kind):
        """A kind."""

        kind_name, plural, short_names, columns, rules = "Odd", "odds", (), (), ()
        spec: Odd
        status: Odd

    with pytest.raises(ValueError, match="no unions"):
        schema_of(OddKind)
