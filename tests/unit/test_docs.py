"""The pages of the kinds say what schema and code say: every field, every reason, and none that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.api.base import Kind
from modelyard.api.crd import schema_of
from modelyard.api.kinds import KINDS
from support.bad_values import fields_of

ROOT = Path(__file__).parents[2]
OPERATOR = ROOT / "operator" / "modelyard"
PAGES = {
    "TrainingJob": ROOT / "docs" / "training-job.md",
    "PromotionPolicy": ROOT / "docs" / "promotion-policy.md",
    "Promotion": ROOT / "docs" / "promotion.md",
    "ModelDeployment": ROOT / "docs" / "model-deployment.md",
}
OF_BOTH = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind_name)
CODE = re.compile(r"`([^`]+)`")

WHOLE = ("podTemplate", "env", "resources", "tags")
"""Fields whose parts are a Pod's or plain names and values: the page says so of the whole."""


def page(kind: type[Kind]) -> str:
    """The kind's page without its examples."""
    return re.sub(r"^```.*?^```$", "", PAGES[kind.kind_name].read_text(), flags=re.MULTILINE | re.DOTALL)


def section(kind: type[Kind], title: str) -> str:
    """A section of the kind's page, with those below it."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page(kind), re.MULTILINE | re.DOTALL)
    assert found, f"{PAGES[kind.kind_name].name} has no section {title}"
    return found[1]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of the section's first table."""
    lines = text.strip().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def documented(kind: type[Kind]) -> dict[str, str]:
    """Each field of the table of fields, with its row; further names of a row lie beside its first."""
    found = {}
    for cells in rows(section(kind, "Fields")):
        first, *others = [name.removesuffix("[]") for name in CODE.findall(cells[0])]
        above = f"{first.rpartition('.')[0]}." if "." in first else ""
        found |= dict.fromkeys([first, *(above + name for name in others)], " | ".join(cells))
    return found


def paths(kind: type[Kind]) -> set[str]:
    return {path.replace("[]", "") for path, _ in fields_of(schema_of(kind)["properties"]["spec"])}


def is_told(path: str, table: dict[str, str]) -> bool:
    """Whether the table has the field, or the row of what holds it tells of it."""
    if path in table or any(name.startswith(f"{path}.") for name in table):
        return True
    above, _, name = path.rpartition(".")
    if not above:
        return False
    row = table.get(above, "")
    is_whole = above.rpartition(".")[2] in WHOLE
    return (bool(row) and (is_whole or f"`{name}`" in row)) or (is_told_whole(above, table))


def is_told_whole(path: str, table: dict[str, str]) -> bool:
    """Whether something above is told of as a whole."""
    parts = path.split(".")
    return any(parts[n - 1] in WHOLE and ".".join(parts[:n]) in table for n in range(1, len(parts) + 1))


@OF_BOTH
def test_every_field_is_on_the_page(kind: type[Kind]) -> None:
    table = documented(kind)
    missing = sorted(path for path in paths(kind) if not is_told(path, table))
    assert not missing, f"add rows to the table Fields of docs/{PAGES[kind.kind_name].name}: {missing}"


@OF_BOTH
def test_the_page_names_no_field_that_is_not_there(kind: type[Kind]) -> None:
    odd = sorted(set(documented(kind)) - paths(kind))
    assert not odd, f"docs/{PAGES[kind.kind_name].name} has rows of fields that the schema does not have: {odd}"


@OF_BOTH
def test_every_field_of_status_is_on_the_page(kind: type[Kind]) -> None:
    told = set(re.findall(r"[A-Za-z]+", " ".join(CODE.findall(section(kind, "Status")))))
    names = schema_of(kind)["properties"]["status"]["properties"]
    missing = sorted(name for name in names if name not in {*told, "observedGeneration", "conditions"})
    assert not missing, f"tell of these fields of status in docs/{PAGES[kind.kind_name].name}: {missing}"


REASONS_OF = {
    "TrainingJob": [
        "core/training_job",
        "core/pod_state.py",
        "core/refusal.py",
        "core/unstarted.py",
        "adapters/mlflow/failures.py",
    ],
    "PromotionPolicy": ["core/promotion_policy"],
    "Promotion": ["core/promotion"],
    "ModelDeployment": [
        "core/model_deployment",
        "core/pod_state.py",
        "core/refusal.py",
        "core/unstarted.py",
        "adapters/model_server.py",
        "adapters/mlflow/failures.py",
        "../../images/model-fetcher/modelyard_fetch",
    ],
}
"""Where each kind's conditions, reasons and Events come from."""

NO_REASONS = frozenset(
    # What Kubernetes, Gateway API and MLflow call things, and what is compared with their words.
    [
        "Accepted",
        "Always",
        "Authorization",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "Resource",
        "ScalingActive",
        "ScheduleAnyway",
        "Utilization",
        "BackendNotFound",
        "Canary",
        "ConfigMap",
        "ContainerCannotRun",
        "CreateContainerConfigError",
        "CreateContainerError",
        "DeadlineExceeded",
        "Default",
        "DeletionByPodGC",
        "DeletionByTaintManager",
        "Deployment",
        "DisruptionTarget",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ErrorRate",
        "EvictionByEvictionAPI",
        "Fail",
        "FailedAttachVolume",
        "FailedCreate",
        "FailedMount",
        "FailureTarget",
        "FallbackToLogsOnError",
        "False",
        "Gateway",
        "ImageInspectError",
        "ImagePullBackOff",
        "Inconclusive",
        "Indexed",
        "Infinity",
        "InvalidImageName",
        "Job",
        "KeyRef",
        "MLmodel",
        "Maximize",
        "Never",
        "Mi",
        "NoMatchingListenerHostname",
        "NoMatchingParent",
        "None",
        "Normal",
        "NotAllowedByListeners",
        "Pass",
        "PathPrefix",
        "PersistentVolumeClaim",
        "Pod",
        "PodScheduled",
        "Preempting",
        "PreemptionByScheduler",
        "PriorityClass",
        "Queued",
        "ReplacePrefixMatch",
        "RequestMirror",
        "ReplicaFailure",
        "ResolvedRefs",
        "RollingUpdate",
        "RunContainerError",
        "RuntimeClass",
        "SchedulingGated",
        "Secret",
        "Server",
        "Service",
        "Shadow",
        "SplitReplicas",
        "ServiceAccount",
        "StartError",
        "SuccessCriteriaMet",
        "TerminationByKubelet",
        "True",
        "Unknown",
        "ValidatingAdmissionPolicy",
        "Warning",
    ]
)
OF_THE_OTHER_KIND = {
    "TrainingJob": frozenset({"ContainerFailed", "ModelUnreadable"}),
    "PromotionPolicy": frozenset({"Complete", "Watching"}),
    "Promotion": frozenset(),
    "ModelDeployment": frozenset(
        [
            "AliasContested",
            "Error",
            "Evicted",
            "ExperimentDeleted",
            "Failed",
            "NameInvalid",
            "NodeLost",
            "Pending",
            "Preempted",
            "RunDeleted",
            "RunNotFound",
            "Succeeded",
            "Queued",
        ]
    ),
}
"""Reasons of shared code that this kind never gives."""


def words(path: Path) -> Iterator[str]:
    """What could be a reason in the code: texts of one CamelCase word that are no docstrings."""
    for file in [path] if path.is_file() else path.glob("*.py"):
        tree = ast.parse(file.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            value = getattr(node, "value", None)
            if (
                isinstance(value, str)
                and id(node) not in docstrings
                and re.fullmatch(r"[A-Z][a-z]+([A-Z][A-Za-z]+)*", value)
            ):
                yield value


@OF_BOTH
def test_every_reason_of_the_code_is_on_the_page_with_its_cure(kind: type[Kind]) -> None:
    name = kind.kind_name
    used = {word for place in REASONS_OF[name] for word in words(OPERATOR / place)}
    told = set(CODE.findall(page(kind)))
    missing = sorted(used - told - NO_REASONS - OF_THE_OTHER_KIND[name] - {each.kind_name for each in KINDS})
    assert not missing, (
        f"docs/{PAGES[name].name}: say what these mean and what to do about them, or, where they are no reasons, add "
        f"them to NO_REASONS in {Path(__file__).name}: {missing}"
    )


@OF_BOTH
def test_every_condition_that_status_may_hold_is_on_the_page(kind: type[Kind]) -> None:
    description = schema_of(kind)["properties"]["status"]["properties"]["conditions"]["description"]
    conditions = re.findall(r"\b[A-Z][a-z]+[A-Za-z]*\b", description)
    assert len(conditions) > 2
    table = {
        word
        for cells in rows(section(kind, "Status").partition("### Conditions")[2])
        for word in CODE.findall(cells[0])
    }
    assert set(conditions) == table


@OF_BOTH
def test_the_readme_lists_every_kind_with_its_page(kind: type[Kind]) -> None:
    wanted = f"| {kind.kind_name} | `{kind.short_names[0]}` |"
    (row,) = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(wanted)]
    assert f"(docs/{PAGES[kind.kind_name].name})" in row


@pytest.mark.parametrize("listing", ["docs/index.md", "examples/README.md"])
def test_every_page_and_every_example_is_listed(listing: str) -> None:
    folder = (ROOT / listing).parent
    files = {*folder.glob("*.md"), *folder.glob("**/*.yaml")} - {ROOT / listing}
    linked = {(folder / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / listing).read_text())}
    assert {str(file.relative_to(folder)) for file in files if file.resolve() not in linked} == set()
