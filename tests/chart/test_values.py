"""The values: what is refused, what they change, and that their schema and table are up to date."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.rendering import CHART, TEMPLATE, VALUES_SETS, Helm, values_file
from tools import chart_docs

pytestmark = pytest.mark.chart

Path_ = tuple[str, ...]


def leaf_paths(values: dict[str, Any], schema: dict[str, Any], above: Path_ = ()) -> Iterator[Path_]:
    for name, value in values.items():
        below = schema["properties"][name]
        if below.get("properties") is None:
            yield (*above, name)
        else:
            yield from leaf_paths(value, below, (*above, name))


def schema() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "values.schema.json").read_text()))


def without(values: dict[str, Any], path: Path_) -> dict[str, Any] | None:
    """The values with one of them left at its default; None when they do not set it."""
    changed = copy.deepcopy(values)
    below = changed
    for name in path[:-1]:
        below = below.get(name, {})
    return changed if below.pop(path[-1], None) is not None else None


ALL_VALUES = list(leaf_paths(yaml.safe_load((CHART / "values.yaml").read_text()), schema()))


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> dict[str, str]:
    """The objects of each of the chart's sets of values, as text."""
    return {each: helm.template("--values", str(values_file(each))) for each in VALUES_SETS}


@pytest.mark.parametrize("path", ALL_VALUES, ids=".".join)
def test_each_value_is_set_by_a_values_set_and_changes_what_is_installed(
    helm: Helm, rendered: dict[str, str], path: Path_, tmp_path: Path
) -> None:
    sets = {each: without(yaml.safe_load(values_file(each).read_text()), path) for each in VALUES_SETS}
    assert any(sets.values()), f"no file in ci/ sets {'.'.join(path)}"
    for values_set, values in sets.items():
        if values is None:
            continue
        (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
        if helm.run(*TEMPLATE, "--values", str(tmp_path / "values.yaml")).stdout != rendered[values_set]:
            return
    pytest.fail(f"{'.'.join(path)} changes nothing")


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("mlflow.trackingURI=http://mlflow", "trackingURI"),
        ("replica=3", "replica"),
        ("images.operator.name=x", "name"),
        ("mlflow.trackingUri=mlflow:5000", "/mlflow/trackingUri"),
        ("mlflow.trackingUri=http://user:password@mlflow", "/mlflow/trackingUri"),
        ("serving.defaultBackend=KServe", "/serving/defaultBackend"),
        ("images.operator.digest=sha256:abc", "/images/operator/digest"),
        ("workers=many", "/workers"),
        ("watchNamespaces={Team_A}", "/watchNamespaces/0"),
        ("watchNamespaces={a,a}", "/watchNamespaces"),
        ("crds.keep=maybe", "/crds/keep"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name(helm: Helm, setting: str, named: str) -> None:
    done = helm.run("template", "modelyard", str(CHART), "--set", setting)
    assert done.returncode != 0
    assert named in done.stderr


def test_values_of_a_parent_chart_are_no_mistake(helm: Helm) -> None:
    helm.template("--set", "global.anything=1")


def test_an_account_made_elsewhere_has_to_be_named(helm: Helm) -> None:
    done = helm.run("template", "modelyard", str(CHART), "--set", "serviceAccount.create=false")
    assert "serviceAccount.name: name an existing ServiceAccount" in done.stderr


def test_schema_and_table_are_what_the_comments_say() -> None:
    assert chart_docs.main(["--check"]) == 0
