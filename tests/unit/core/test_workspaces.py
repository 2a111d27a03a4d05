"""Which workspace of MLflow a namespace has, what is beside it, and where people find its runs."""

from typing import Any

import pytest

from builders import make_context
from modelyard.core.tracking import Run
from modelyard.core.workspaces import Workspaces

RUN = Run("run-1", "7")


def in_namespace(namespace: str) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": "digits"}}


@pytest.mark.parametrize(("workspaces", "named"), [(Workspaces.NONE, ""), (Workspaces.PER_NAMESPACE, "team-a")])
def test_a_workspace_has_the_name_of_its_namespace(workspaces: Workspaces, named: str) -> None:
    assert workspaces.of("team-a") == named


@pytest.mark.parametrize(
    ("workspaces", "found"),
    [(Workspaces.NONE, ["team-a", "team-b", "team-a"]), (Workspaces.PER_NAMESPACE, ["team-a", "team-a"])],
)
def test_only_what_shares_the_registry_is_beside(workspaces: Workspaces, found: list[str]) -> None:
    items = [in_namespace(name) for name in ("team-a", "team-b", "team-a")]
    assert [item["metadata"]["namespace"] for item in workspaces.beside("team-a", items)] == found


@pytest.mark.parametrize(
    ("ui_url", "workspaces", "url"),
    [
        ("", Workspaces.NONE, None),
        ("", Workspaces.PER_NAMESPACE, None),
        ("https://mlflow.example/x/", Workspaces.NONE, "https://mlflow.example/x/#/experiments/7/runs/run-1"),
        (
            "http://localhost:5000",
            Workspaces.PER_NAMESPACE,
            "http://localhost:5000/#/experiments/7/runs/run-1?workspace=team-a",
        ),
    ],
)
def test_links_are_for_people(ui_url: str, workspaces: Workspaces, url: str | None) -> None:
    context = make_context(tracking_ui_url=ui_url, workspaces=workspaces)
    assert context.run_url(RUN, "team-a") == url
