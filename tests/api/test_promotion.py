"""PromotionPolicy and Promotion against a real MLflow: who becomes champion, who does not, and what is told of it."""

from collections.abc import Callable

import pytest

from support.kube import Manifest, Refused
from support.manifests import promotion, promotion_policy
from support.promoting import Promoting, digest_of
from support.world import World, condition

pytestmark = pytest.mark.api

ACCURATE = {"name": "accurate", "metric": "accuracy", "min": "0.9"}
NO_WORSE = {"name": "no-worse", "metric": "accuracy", "maxRegression": "0.01"}
APPROVED = {"decision": "Approved", "by": "alice", "comment": "looks good"}


def test_a_candidate_that_passes_its_gates_becomes_champion(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE, NO_WORSE])
    digits.until_policy("AwaitingCandidate")
    digits.make(0.95, "candidate")
    made = digits.promote("digits-2")
    assert digits.champion == "2"
    status = made["status"]
    assert (status["previousVersion"], status["digest"], status["by"]) == ("1", digest_of("2"), "policy/digits")
    assert [(gate["name"], gate["value"], gate["result"]) for gate in status["gates"]] == [
        ("accurate", "0.95", "Passed"),
        ("no-worse", "0.95", "Passed"),
    ]
    assert status["gates"][1]["baseline"] == "0.9"
    for kind in ("Complete", "GatesPassed", "Approved", "Promoted", "Recorded"):
        assert condition(made, kind)["status"] == "True"
    digits.until_policy("Current")
    policy = digits.world.get("PromotionPolicy", "digits") or {}
    assert policy["status"]["champion"] == {"version": "2", "since": status["promotedAt"]}
    assert policy["status"]["lastPromotion"] == {"name": "digits-2", "version": "2", "result": "Promoted"}


def test_the_table_reads_as_an_audit_log(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE])
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    (row,) = digits.world.table("promotions")
    wanted = {"Model": digits.model, "Version": "2", "From": "1", "To": "champion", "Result": "Promoted"}
    assert {name: row[name] for name in [*wanted, "By"]} == {**wanted, "By": "policy/digits"}
    assert row["Message"] == f"{digits.model}@champion points at version 2, after version 1; by policy/digits"
    told = [event["reason"] for event in digits.world.events_about(digits.get("digits-2"))]
    assert told == ["GatesPassed", "Promoted"]


def test_the_version_tells_of_its_promotion(digits: Promoting) -> None:
    digits.policy(gates=[NO_WORSE])
    digits.make(0.895, "candidate")
    digits.promote("digits-2")
    tags = digits.world.tracking.tags_of(digits.model, "2")
    assert tags["modelyard.io/champion.gate.no-worse"] == (
        "Passed: accuracy is 0.895, asked for >= 0.89 (version 1 has 0.9; at most 0.01 worse)"
    )
    assert tags["modelyard.io/champion.result"] == "Promoted"
    assert tags["modelyard.io/champion.previous-version"] == "1"
    assert tags["modelyard.io/champion.by"] == "policy/digits"
    assert tags["modelyard.io/champion.digest"] == digest_of("2")


@pytest.mark.parametrize(("accuracy", "shown"), [(0.85, "0.85"), (float("nan"), "NaN"), (float("inf"), "Infinity")])
def test_a_candidate_that_fails_a_gate_does_not(digits: Promoting, accuracy: float, shown: str) -> None:
    digits.policy(gates=[ACCURATE])
    digits.make(accuracy, "candidate")
    ended = digits.until("digits-2", "GateFailed")
    assert ended["status"]["gates"][0]["value"] == shown
    assert shown in condition(ended, "Complete")["message"]
    assert condition(ended, "Failed")["status"] == "True"
    assert digits.champion == "1"
    assert not digits.pods("digits-2")
    digits.until_policy("NotPromoted")
    digits.world.until(
        lambda: digits.world.tracking.tags_of(digits.model, "2").get("modelyard.io/champion.result") == "GateFailed",
        "the version tells of it",
    )


def test_metrics_of_the_logged_model_come_before_those_of_its_run(digits: Promoting) -> None:
    version = digits.make(0.5)
    found = digits.world.tracking.client.get_model_version(digits.model, version)
    digits.world.tracking.client.log_metric(
        found.run_id, "accuracy", 0.97, model_id=found.source.removeprefix("models:/"), dataset_name="holdout",
        dataset_digest="d",
    )  # fmt: skip
    digits.by_hand(version, gates=[ACCURATE])
    gate = digits.promote("by-hand")["status"]["gates"][0]
    assert (gate["value"], gate["dataset"]) == ("0.97", "holdout")


def test_the_first_champion_has_nothing_to_be_compared_with(world: World) -> None:
    digits = Promoting(world)
    world.tracking.client.delete_registered_model_alias(digits.model, "champion")
    digits.by_hand("1", gates=[NO_WORSE])
    made = digits.promote("by-hand")
    assert made["status"]["gates"][0]["result"] == "Skipped"
    assert "previousVersion" not in made["status"]
    assert digits.champion == "1"


def test_a_person_has_to_approve_where_that_is_asked_for(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE], approval={"required": True})
    digits.make(0.95, "candidate")
    digits.hash("digits-2")
    digits.until("digits-2", "AwaitingApproval")
    digits.until_policy("AwaitingApproval")
    digits.world.at_no_time(lambda: digits.champion != "1", "it moved", 3)
    digits.world.patch("Promotion", "digits-2", approval=APPROVED)
    made = digits.until("digits-2", "Promoted")
    assert made["status"]["by"] == "alice"
    assert condition(made, "Approved")["message"] == "approved by alice: looks good"
    assert digits.champion == "2"


def test_a_rejection_is_final(digits: Promoting) -> None:
    digits.policy(approval={"required": True})
    digits.make(0.95, "candidate")
    digits.hash("digits-2")
    digits.until("digits-2", "AwaitingApproval")
    digits.world.patch("Promotion", "digits-2", approval={"decision": "Rejected", "by": "bob", "comment": "too slow"})
    ended = digits.until("digits-2", "Rejected")
    assert "rejected by bob: too slow" in condition(ended, "Complete")["message"]
    with pytest.raises(Refused, match=r"spec\.approval\.decision cannot change"):
        digits.world.patch("Promotion", "digits-2", approval=APPROVED)
    assert digits.champion == "1"


def test_a_newer_candidate_takes_the_place_of_an_open_one(digits: Promoting) -> None:
    digits.policy(approval={"required": True})
    digits.make(0.95, "candidate")
    digits.hash("digits-2")
    digits.until("digits-2", "AwaitingApproval")
    digits.make(0.96, "candidate")
    ended = digits.until("digits-2", "Superseded")
    assert "version 3" in condition(ended, "Complete")["message"]
    digits.hash("digits-3")
    digits.until("digits-3", "AwaitingApproval")


def test_an_alias_moved_by_hand_meanwhile_is_a_conflict(digits: Promoting) -> None:
    other = digits.make(0.91)
    digits.by_hand(digits.make(0.95), gates=[NO_WORSE])
    digits.until("by-hand", "Hashing")
    digits.world.tracking.point(digits.model, "champion", other)
    digits.hash("by-hand")
    ended = digits.until("by-hand", "Conflict")
    said = condition(ended, "Complete")["message"]
    assert "pointed at version 1 when the gates were judged and points at version 2 now" in said
    assert digits.champion == other


def test_of_two_at_once_one_wins_and_the_other_says_who_did(digits: Promoting) -> None:
    names = {"one": digits.make(0.95), "two": digits.make(0.96)}
    for name, version in names.items():
        digits.by_hand(version, name, gates=[NO_WORSE])
    for name in names:
        digits.until(name, "Hashing")
    for name in names:
        digits.hash(name)
    ends = ("Promoted", "Superseded")
    digits.world.until(lambda: all(digits.result(name).get("reason") in ends for name in names), "both are over")
    (winner,) = [name for name in names if digits.result(name)["reason"] == "Promoted"]
    (loser,) = set(names) - {winner}
    assert f"since Promotion {digits.world.namespace}/{winner}" in digits.result(loser)["message"]
    assert digits.champion == names[winner]


def test_a_roll_back_is_a_promotion_of_an_earlier_version(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE])
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    digits.by_hand("1", "roll-back")
    made = digits.promote("roll-back")
    assert digits.champion == "1"
    assert made["status"]["previousVersion"] == "2"
    assert made["status"]["by"] == "python-requests", "the program that made it, as the API server noted"
    digits.until_policy("PromotedBefore")
    digits.world.at_no_time(lambda: digits.champion != "1", "the policy promoted its candidate again", 3)


def test_by_hand_a_version_that_the_policy_never_promoted_takes_a_persons_yes(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE])
    digits.by_hand(digits.make(0.5))
    digits.hash("by-hand")
    made = digits.until("by-hand", "AwaitingApproval")
    assert "governs" in condition(made, "Complete")["message"]
    digits.world.at_no_time(lambda: digits.champion != "1", "it went past the policy", 3)
    digits.world.patch("Promotion", "by-hand", approval=APPROVED)
    digits.until("by-hand", "Promoted")
    assert digits.champion == "2"


def test_a_version_that_is_deleted_under_it_is_told(digits: Promoting) -> None:
    digits.by_hand(digits.make(0.95), approval={"required": True})
    digits.hash("by-hand")
    digits.until("by-hand", "AwaitingApproval")
    digits.world.tracking.client.delete_model_version(digits.model, "2")
    digits.world.patch("Promotion", "by-hand", approval=APPROVED)
    digits.until("by-hand", "VersionNotFound")
    assert digits.champion == "1"


def test_a_version_that_does_not_exist_is_told(digits: Promoting) -> None:
    digits.by_hand("7")
    said = condition(digits.until("by-hand", "VersionNotFound"), "Complete")
    assert f"registered model {digits.model} has no version 7" in said["message"]


def test_files_that_cannot_be_read_end_it(digits: Promoting) -> None:
    digits.by_hand(digits.make(0.95))
    message = '{"reason": "ModelIncomplete", "message": "version 2 has no files"}'
    digits.world.kubelet.fail(digits.pod("by-hand"), 1, message)
    ended = digits.until("by-hand", "ModelIncomplete")
    assert "version 2 has no files" in condition(ended, "Complete")["message"]
    assert digits.champion == "1"


def test_a_pod_that_only_claims_to_be_the_jobs_is_not_believed(digits: Promoting) -> None:
    digits.by_hand(digits.make(0.95))
    real = digits.pod("by-hand")
    job = real["metadata"]["ownerReferences"][0]
    forged: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "forged", "labels": real["metadata"]["labels"], "ownerReferences": [job]},
        "spec": {
            "containers": [{**real["spec"]["containers"][0], "command": ["/bin/sh"]}],
            "volumes": real["spec"]["volumes"],
            "restartPolicy": "Never",
        },
    }
    pod = digits.world.create(forged)
    lie = f'{{"digest": "{digest_of("a lie")}"}}'
    digits.world.kubelet.finish(pod, "Succeeded", exitCode=0, reason="Completed", message=lie)
    digits.world.at_no_time(lambda: digits.get("by-hand")["status"].get("digest"), "it was believed", 3)


def test_what_served_the_digest_is_taken_away(digits: Promoting) -> None:
    digits.by_hand(digits.make(0.95))
    digits.promote("by-hand")
    digits.world.until(lambda: not digits.pods("by-hand") and not digits.world.items("Job"), "no Job is left")


def test_suspended_it_promotes_nothing(digits: Promoting) -> None:
    digits.policy(approval={"required": True})
    digits.make(0.95, "candidate")
    digits.hash("digits-2")
    digits.until("digits-2", "AwaitingApproval")
    digits.world.patch("PromotionPolicy", "digits", suspend=True)
    digits.until_policy("Suspended")
    digits.world.patch("Promotion", "digits-2", approval=APPROVED)
    digits.until("digits-2", "Suspended")
    assert digits.champion == "1"
    digits.world.patch("PromotionPolicy", "digits", suspend=False)
    digits.until("digits-2", "Promoted")


def test_the_record_outlives_its_policy_and_is_taken_up_again(digits: Promoting) -> None:
    digits.policy()
    digits.make(0.95, "candidate")
    digits.promote("digits-2")
    digits.world.delete("PromotionPolicy", "digits")
    digits.world.at_no_time(lambda: digits.world.get("Promotion", "digits-2") is None, "it went", 3)
    digits.policy()
    digits.until_policy("Current")


def test_the_oldest_that_are_over_go_beyond_the_limit(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE], historyLimit=1)
    for version in ("2", "3", "4"):
        digits.make(0.5, "candidate")
        digits.until(f"digits-{version}", "GateFailed")
    digits.world.until(lambda: names_of(digits.world) == ["digits-3", "digits-4"], "the oldest is gone")


def test_a_promotion_that_is_deleted_is_tried_again(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE])
    version = digits.make(0.5, "candidate")
    first = digits.until("digits-2", "GateFailed")
    found = digits.world.tracking.client.get_model_version(digits.model, version)
    digits.world.tracking.log_metric(found.run_id, "accuracy", 0.99, step=1)
    digits.world.delete("Promotion", "digits-2")
    made = digits.promote("digits-2")
    assert made["metadata"]["uid"] != first["metadata"]["uid"]


def test_of_two_policies_for_one_alias_the_older_acts(digits: Promoting) -> None:
    digits.policy("first")
    digits.until_policy("AwaitingCandidate", "first")
    digits.world.apply(promotion_policy("second", digits.model))
    said = digits.until_policy("Conflict", "second")
    assert f"PromotionPolicy {digits.world.namespace}/first is older" in said["message"]
    digits.world.delete("PromotionPolicy", "first")
    digits.until_policy("AwaitingCandidate", "second")


def test_a_policy_of_another_namespace_gives_way_too(digits: Promoting) -> None:
    digits.policy()
    digits.until_policy("AwaitingCandidate")
    kube, elsewhere = digits.world.kube, f"{digits.world.namespace}-2"
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": elsewhere}})
    theirs = promotion_policy("zz", digits.model)
    kube.create(theirs | {"metadata": {"name": "zz", "namespace": elsewhere}})
    try:

        def is_told() -> bool:
            said = condition(kube.get("PromotionPolicy", elsewhere, "zz"), "Ready")
            return said.get("reason") == "Conflict" and f"{digits.world.namespace}/digits" in said["message"]

        digits.world.until(is_told, "the younger policy gives way")
    finally:
        kube.delete("PromotionPolicy", elsewhere, "zz")


def test_a_promotion_of_that_name_that_it_did_not_make_is_left_as_it_is(digits: Promoting) -> None:
    digits.by_hand("1", "digits-2", approval={"required": True})
    digits.policy()
    digits.make(0.95, "candidate")
    said = digits.until_policy("Conflict")
    assert "Promotion digits-2 exists" in said["message"]


def test_a_killed_operators_successor_goes_on(digits: Promoting) -> None:
    digits.policy(gates=[ACCURATE])
    digits.make(0.95, "candidate")
    digits.until("digits-2", "Hashing")
    digits.world.operator.kill()
    digits.hash("digits-2")
    digits.world.operator.start_and_wait()
    digits.until("digits-2", "Promoted", 60)
    assert digits.champion == "2"


@pytest.mark.parametrize(
    "change",
    [
        lambda spec: spec["model"].update(version="9"),
        lambda spec: spec["target"].update(alias="production"),
        lambda spec: spec.update(gates=[ACCURATE]),
        lambda spec: spec.update(policy="another"),
    ],
)
def test_the_record_cannot_be_changed(world: World, change: Callable[[Manifest], None]) -> None:
    made = world.create(promotion(approval={"required": True}))
    change(made["spec"])
    with pytest.raises(Refused, match="cannot change, the record stays as it is"):
        world.kube.patch("Promotion", world.namespace, "by-hand", {"spec": made["spec"]})


def names_of(world: World) -> list[str]:
    return sorted(item["metadata"]["name"] for item in world.items("Promotion"))
