"""MLflow refuses, answers with 500 or loses answers while a version is promoted: the alias moves once all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.mlflow_proxy import Fault, MlflowProxy
from support.operator_process import OperatorProcess, running
from support.world import condition

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.promoting import Promoting


pytestmark = pytest.mark.api

ACCURATE = {"name": "accurate", "metric": "accuracy", "min": "0.9"}
BACK_SECONDS = 45.0


@pytest.fixture(scope="module")
def operators(
    account: Path, settings: Mapping[str, str], _proxy: MlflowProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[OperatorProcess]]:
    """One replica whose MLflow is the proxy."""
    own = {**settings, "TRACKING_URI": _proxy.uri, "POD_TRACKING_URI": settings["TRACKING_URI"]}
    process = OperatorProcess(account, tmp_path_factory.mktemp("operator"), "faulted", own)
    with running([process]) as processes:
        yield processes


CALLS = {
    "alias": ("POST", "/mlflow/registered-models/alias"),
    "tag": ("POST", "/mlflow/model-versions/set-tag"),
    "version": ("GET", "/mlflow/model-versions/get"),
    "metrics": ("GET", "/mlflow/runs/get"),
}


@pytest.mark.parametrize("is_applied", [False, True], ids=["before it was sent", "after it was applied"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_breaks_changes_nothing(digits: Promoting, proxy: MlflowProxy, call: str, is_applied: bool) -> None:
    version = digits.make(0.95)
    proxy.fault = fault = Fault(*CALLS[call], is_applied=is_applied, times=1)
    digits.by_hand(version, gates=[ACCURATE])
    digits.hash("by-hand")
    made = digits.until("by-hand", "Promoted", BACK_SECONDS)
    assert fault.met == 1, "the call was made, and broke"
    assert digits.champion == version
    assert made["status"]["previousVersion"] == "1"
    told = digits.world.tracking.tags_of
    digits.world.until(
        lambda: told(digits.model, version).get("modelyard.io/champion.result") == "Promoted", "the version tells of it"
    )
    assert condition(digits.get("by-hand"), "Promoted")["status"] == "True"


def test_mlflow_that_answers_500_is_waited_for(digits: Promoting, proxy: MlflowProxy) -> None:
    version = digits.make(0.95)
    proxy.fault = Fault("*", "/", answer=(500, "Internal Server Error"))
    digits.by_hand(version, gates=[ACCURATE])
    said = condition(digits.until("by-hand", "TrackingUnavailable"), "Complete")
    assert "HTTP 500" in said["message"]
    proxy.fault = None
    digits.hash("by-hand")
    digits.until("by-hand", "Promoted", BACK_SECONDS)
    assert digits.champion == version


def test_an_alias_that_may_not_be_set_is_told_and_waited_for(digits: Promoting, proxy: MlflowProxy) -> None:
    version = digits.make(0.95)
    proxy.fault = Fault(*CALLS["alias"], answer=(403, "Permission denied"))
    digits.by_hand(version)
    digits.hash("by-hand")

    def is_told() -> bool:
        said = digits.result("by-hand")
        return said.get("reason") == "Promoting" and "AccessDenied" in said.get("message", "")

    digits.world.until(is_told, "it says so")
    assert digits.champion == "1"
    proxy.fault = None
    digits.until("by-hand", "Promoted", BACK_SECONDS)


def test_tags_that_may_not_be_set_keep_nothing_back(digits: Promoting, proxy: MlflowProxy) -> None:
    version = digits.make(0.95)
    proxy.fault = Fault(*CALLS["tag"], answer=(403, "Permission denied"))
    digits.by_hand(version)
    made = digits.promote("by-hand")
    assert condition(made, "Recorded")["reason"] == "AccessDenied"
    assert digits.champion == version
    proxy.fault = None
    digits.world.until(
        lambda: condition(digits.get("by-hand"), "Recorded")["status"] == "True", "the tags are written later"
    )
