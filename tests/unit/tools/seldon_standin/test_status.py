"""The status that Seldon Core 1.17.1 was recorded to write, its lies included."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tools.seldon_standin.render import render_deployments, render_services
from tools.seldon_standin.status import Observed, failed, next_outcome, says_the_same

Builder = Callable[..., dict[str, Any]]

NOW = "2026-11-23T08:47:35Z"
LATER = "2026-11-23T08:48:35Z"


def deployment_status(replicas: int, available: int) -> dict[str, Any]:
    is_available = "True" if available else "False"
    reason = "MinimumReplicasAvailable" if available else "MinimumReplicasUnavailable"
    message = f"Deployment {'has' if available else 'does not have'} minimum availability."
    return {
        "replicas": replicas,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": replicas - available,
        "conditions": [
            {"type": "Available", "status": is_available, "reason": reason, "message": message},
            {"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"},
        ],
    }


def children(sdep: dict[str, Any], replicas: int = 1, available: int = 1) -> Observed:
    """Everything that the object asks for, with the same numbers for each Deployment."""
    deployments = {d["metadata"]["name"]: d for d in render_deployments(sdep)}
    for deployment in deployments.values():
        deployment["status"] = deployment_status(replicas, available)
    return Observed(deployments, {s["metadata"]["name"]: s for s in render_services(sdep)})


def condition(status: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(c for c in status["conditions"] if c["type"] == kind)


# The recordings


@pytest.mark.parametrize("case", ["one-predictor", "canary"])
def test_the_final_status_is_the_recorded_one_but_for_its_times(case: str, recorded_objects: dict[str, Any]) -> None:
    recorded = copy.deepcopy(recorded_objects[case]["sdep"])
    expected = recorded.pop("status")
    recorded["metadata"]["uid"] = "<owner uid>"
    status = next_outcome(recorded, children(recorded), NOW).status
    assert says_the_same(status, expected)


def predictor_names(row: dict[str, Any]) -> list[str]:
    return ["main", "canary"] if row["step"] == "canary 80/20" else ["main"]


def replay(
    timeline: list[dict[str, Any]], make_sdep: Builder, make_predictor: Builder
) -> Iterator[tuple[dict[str, Any], dict[str, Any], tuple[tuple[str, str], ...]]]:
    """Each recorded row beside what the stand-in says, given the numbers that Seldon had seen by then."""
    status: dict[str, Any] = {}
    for row in (row for row in timeline if row["step"] != "deleted"):
        names = predictor_names(row)
        traffic = {"main": 80, "canary": 20} if len(names) > 1 else {"main": 100}
        sdep = make_sdep(*(make_predictor(name, traffic=traffic[name]) for name in names))
        sdep["status"] = status
        services = {s["metadata"]["name"]: s for s in render_services(sdep)}
        deployments = {d["name"]: recorded_deployment(row, d["name"]) for d in row["deployments"]}
        outcome = next_outcome(sdep, Observed(deployments, services), NOW)
        status = outcome.status
        yield row, status, outcome.departing


def recorded_deployment(row: dict[str, Any], name: str) -> dict[str, Any]:
    """The Deployment with the numbers that the recorded status repeats: what the manager had seen of it."""
    seen = (row["deploymentStatus"] or {}).get(name, {})
    status = deployment_status(seen["replicas"], seen.get("availableReplicas", 0)) if seen else {}
    return {"metadata": {"name": name}, "status": status}


def test_the_recorded_timeline_is_reproduced(
    recorded_timeline: list[dict[str, Any]], make_sdep: Builder, make_predictor: Builder
) -> None:
    rows = list(replay(recorded_timeline, make_sdep, make_predictor))
    assert len(rows) == 14
    for row, status, _ in rows:
        said = (status["state"], condition(status, "Ready")["status"], status.get("deploymentStatus"))
        assert said == (row["state"], row["ready"], row["deploymentStatus"]), row["step"]
        assert "observedGeneration" not in status


def test_only_the_removed_predictors_deployment_departs(
    recorded_timeline: list[dict[str, Any]], make_sdep: Builder, make_predictor: Builder
) -> None:
    departed = {row["step"]: departing for row, _, departing in replay(recorded_timeline, make_sdep, make_predictor)}
    assert departed.pop("canary removed") == (("Deployment", "churn-canary-0-model"),)
    assert set(departed.values()) == {()}


# The lies


def test_the_old_available_stands_while_the_deployment_has_not_told_of_the_update(make_sdep: Builder) -> None:
    sdep = make_sdep()
    sdep["status"] = next_outcome(sdep, children(sdep), NOW).status
    sdep["metadata"]["generation"] = 2
    observed = children(sdep)
    for deployment in observed.deployments.values():
        deployment["metadata"]["generation"] = 2
        deployment["status"]["observedGeneration"] = 1
    assert next_outcome(sdep, observed, LATER).status["state"] == "Available"


def test_an_update_that_never_gets_ready_is_creating_and_its_deployments_are_called_ready(make_sdep: Builder) -> None:
    sdep = make_sdep()
    observed = children(sdep, replicas=2, available=1)
    for deployment in observed.deployments.values():
        deployment["status"]["conditions"][1].update(status="False", reason="ProgressDeadlineExceeded")
    status = next_outcome(sdep, observed, NOW).status
    assert status["state"] == "Creating"
    assert condition(status, "DeploymentsReady")["status"] == "True"
    assert condition(status, "Ready")["status"] == "False"


def test_a_first_version_that_misses_its_deadline_has_failed(make_sdep: Builder) -> None:
    sdep = make_sdep()
    observed = children(sdep, replicas=1, available=0)
    for deployment in observed.deployments.values():
        deployment["status"]["conditions"][1].update(status="False", reason="ProgressDeadlineExceeded")
    status = next_outcome(sdep, observed, NOW).status
    assert (status["state"], status["description"]) == (
        "Failed",
        "Deployment is no longer progressing and not available.",
    )


def test_a_repaired_object_loses_its_description(make_sdep: Builder) -> None:
    sdep = make_sdep()
    sdep["status"] = failed(sdep, "predictor names must be unique")
    assert "description" not in next_outcome(sdep, children(sdep), NOW).status


# The steps of a life


def test_an_object_just_created_is_creating(make_sdep: Builder) -> None:
    sdep = make_sdep()
    status = next_outcome(sdep, Observed({}, {}), NOW).status
    assert status["state"] == "Creating"
    assert condition(status, "ServicesReady")["reason"] == "Not all services created"
    assert "deploymentStatus" not in status
    assert "serviceStatus" not in status
    assert "address" not in status


@pytest.mark.parametrize("changed", [("Deployment", "churn-main-0-model"), ("Service", "churn-main")])
def test_a_child_changed_in_this_pass_is_not_ready(changed: tuple[str, str], make_sdep: Builder) -> None:
    sdep = make_sdep()
    everything = children(sdep)
    observed = Observed(everything.deployments, everything.services, frozenset({changed}))
    assert next_outcome(sdep, observed, NOW).status["state"] == "Creating"


def test_one_unready_predictor_makes_all_of_it_unready(make_sdep: Builder, make_predictor: Builder) -> None:
    sdep = make_sdep(make_predictor(traffic=50), make_predictor("canary", traffic=50))
    observed = children(sdep)
    observed.deployments["churn-canary-0-model"]["status"] = deployment_status(1, 0)
    status = next_outcome(sdep, observed, NOW).status
    assert status["state"] == "Creating"
    assert condition(status, "DeploymentsReady")["reason"] == "MinimumReplicasUnavailable"


def test_of_several_ready_deployments_the_last_to_become_so_is_quoted(
    make_sdep: Builder, make_predictor: Builder
) -> None:
    sdep = make_sdep(make_predictor(traffic=50), make_predictor("canary", traffic=50))
    observed = children(sdep)
    for name, time in (("churn-main-0-model", LATER), ("churn-canary-0-model", NOW)):
        observed.deployments[name]["status"]["conditions"][0].update(lastTransitionTime=time, message=name)
    assert condition(next_outcome(sdep, observed, LATER).status, "DeploymentsReady")["message"] == "churn-main-0-model"


def test_the_replicas_are_those_of_the_first_predictor(make_sdep: Builder, make_predictor: Builder) -> None:
    sdep = make_sdep(make_predictor(traffic=50), make_predictor("canary", traffic=50))
    observed = children(sdep)
    observed.deployments["churn-main-0-model"]["status"] = deployment_status(3, 3)
    assert next_outcome(sdep, observed, NOW).status["replicas"] == 3


def test_a_condition_keeps_its_time_until_it_changes(make_sdep: Builder) -> None:
    sdep = make_sdep()
    sdep["status"] = next_outcome(sdep, children(sdep), NOW).status
    again = next_outcome(sdep, children(sdep), LATER).status
    assert again == sdep["status"]
    creating = next_outcome(sdep, children(sdep, replicas=2), LATER).status
    assert condition(creating, "Ready")["lastTransitionTime"] == LATER
    assert condition(creating, "HpasReady")["lastTransitionTime"] == NOW


# A removed predictor


def removed_canary(make_sdep: Builder, make_predictor: Builder) -> tuple[dict[str, Any], Observed]:
    both = make_sdep(make_predictor(traffic=80), make_predictor("canary", traffic=20))
    observed = children(both)
    only_main = make_sdep()
    only_main["status"] = next_outcome(both, observed, NOW).status
    return only_main, observed


def test_a_removed_predictor_stays_until_the_others_are_ready(make_sdep: Builder, make_predictor: Builder) -> None:
    sdep, observed = removed_canary(make_sdep, make_predictor)
    observed.deployments["churn-main-0-model"]["status"] = deployment_status(2, 1)
    assert next_outcome(sdep, observed, LATER).departing == ()


def test_a_removed_predictors_services_go_only_after_its_pods(make_sdep: Builder, make_predictor: Builder) -> None:
    sdep, observed = removed_canary(make_sdep, make_predictor)
    first = next_outcome(sdep, observed, LATER)
    assert first.departing == (("Deployment", "churn-canary-0-model"),)
    assert "churn-canary-0-model" in first.status["deploymentStatus"]
    main_only = {"churn-main-0-model": observed.deployments["churn-main-0-model"]}
    second = next_outcome({**sdep, "status": first.status}, Observed(main_only, observed.services), LATER)
    assert set(second.departing) == {("Service", "churn-canary"), ("Service", "churn-canary-model")}
    assert set(second.status["deploymentStatus"]) == {"churn-main-0-model"}
    assert set(second.status["serviceStatus"]) == {"churn-main", "churn-main-model"}
