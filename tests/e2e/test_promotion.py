"""Promotion on the real node: the examples, and files that somebody swaps after they were promoted."""

import json

import pytest
import yaml

from support.yard import EXAMPLES, MLFLOW, Yard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

PROMOTION = EXAMPLES / "11-promotion"


def promoted(yard: Yard, job: str, policy: str = "digits-gated") -> str:
    """The version that a TrainingJob made, once the policy made it the champion."""
    version: str = yard.wait("trainingjob", job, "Complete", 600)["status"]["modelVersion"]["version"]
    yard.until(
        lambda: champion(yard, policy) == version, f"version {version} of promotionpolicy {policy} is the champion", 300
    )
    return version


def champion(yard: Yard, policy: str = "digits-gated") -> str | None:
    status = yard.get("promotionpolicy", policy).get("status") or {}
    version: str | None = (status.get("champion") or {}).get("version")
    return version


def serves(yard: Yard, version: str) -> bool:
    status = yard.get("modeldeployment", "digits-gated").get("status") or {}
    is_stable = (status.get("stable") or {}).get("version") == version
    return is_stable and ready_reason(yard) == "Serving"


def ready_reason(yard: Yard) -> str | None:
    reason: str | None = yard.condition("modeldeployment", "digits-gated", "Ready").get("reason")
    return reason


def result(yard: Yard, name: str) -> str | None:
    reason: str | None = yard.condition("promotion", name, "Complete").get("reason")
    return reason


def in_mlflow(yard: Yard, script: str, *arguments: str) -> str:
    """What a script says that runs beside MLflow's server."""
    return yard.site.kubectl.run("exec", *MLFLOW, "--", "python3", "-c", script, *arguments)


SWAP = """
import sys, json, urllib.request as u
url = "http://localhost:5000/api/2.0/mlflow/model-versions/get?name=" + sys.argv[1] + "&version=" + sys.argv[2]
model = json.load(u.urlopen(url))["model_version"]["source"].removeprefix("models:/")
url = "http://localhost:5000/api/2.0/mlflow/logged-models/" + model
path = json.load(u.urlopen(url))["model"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
put = "http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/" + path + "/requirements.txt"
u.urlopen(u.Request(put, data=b"evil\\n", method="PUT"))
print(path)
"""


def test_candidates_are_judged_promoted_refused_and_rolled_back(yard: Yard) -> None:
    yard.apply(PROMOTION / "1-policy.yaml")
    first = promoted(yard, "gated-first")
    yard.until(lambda: serves(yard, first), "the first version serves", 300)
    pod = yard.items("pods", f"modelyard.io/owner-kind=ModelDeployment,modelyard.io/model-version={first}")[0]
    digest = yard.get("promotion", f"digits-gated-{first}")["status"]["digest"]
    assert pod["spec"]["initContainers"][0]["args"][-2:] == ["--digest", digest], "what serves was checked"

    yard.apply(PROMOTION / "2-next-version.yaml")
    second = promoted(yard, "gated-second")
    record = yard.get("promotion", f"digits-gated-{second}")["status"]
    assert record["previousVersion"] == first
    assert {gate["name"]: gate["result"] for gate in record["gates"]} == {"accurate": "Passed", "no-worse": "Passed"}
    yard.until(lambda: serves(yard, second), "the second version serves", 300)

    yard.apply(PROMOTION / "3-worse-candidate.yaml")
    third: str = yard.wait("trainingjob", "gated-third", "Complete", 600)["status"]["modelVersion"]["version"]
    yard.until(lambda: result(yard, f"digits-gated-{third}") == "GateFailed", "the third version fails its gates")
    assert champion(yard) == second

    back = json.loads(
        yard.kubectl("create", "--dry-run=client", "-o", "json", "-f", str(PROMOTION / "4-roll-back.yaml"))
    )
    back["spec"]["model"]["version"] = first  # 1 on a fresh MLflow
    yard.apply(back)
    yard.wait("promotion", "digits-gated-back-to-1", "Complete", 120)
    yard.until(lambda: serves(yard, first), "the first version serves again", 300)
    table = yard.kubectl("get", "promotions").splitlines()
    assert table[0].split() == ["NAME", "MODEL", "VERSION", "FROM", "TO", "RESULT", "BY", "AGE"]
    assert ["champion", "Promoted"] in [line.split()[4:6] for line in table[1:]]

    in_mlflow(yard, SWAP, "digits-gated", second)
    pinned = json.dumps({"spec": {"model": {"alias": None, "version": second}}})
    yard.kubectl("patch", "modeldeployment", "digits-gated", "--type=merge", "--patch", pinned)
    yard.until(lambda: ready_reason(yard) == "RolledBack", "the swapped version is refused", 180)
    assert yard.condition("modeldeployment", "digits-gated", "Degraded")["reason"] == "DigestMismatch"
    assert yard.get("modeldeployment", "digits-gated")["status"]["stable"]["version"] == first
    assert yard.predict("digits-gated").version == first


def test_a_notebooks_candidate_is_promoted_once_a_person_approves(yard: Yard) -> None:
    yard.apply(EXAMPLES / "12-notebook-candidate.yaml")

    def last() -> dict[str, str]:
        status = yard.get("promotionpolicy", "digits-notebook").get("status") or {}
        found: dict[str, str] = status.get("lastPromotion") or {}
        return found

    yard.until(lambda: last().get("result") == "AwaitingApproval", "a person is asked", 420)
    name = last()["name"]
    gate = yard.get("promotion", name)["status"]["gates"][0]
    assert (gate["dataset"], gate["result"]) == ("holdout", "Passed")
    me = yard.site.kubectl.run("auth", "whoami", "--output", "jsonpath={.status.userInfo.username}")
    decision = {"spec": {"approval": {"decision": "Approved", "by": me, "comment": "looks good"}}}
    yard.kubectl("patch", "promotion", name, "--type=merge", "--patch", json.dumps(decision))
    done = yard.wait("promotion", name, "Complete", 120)
    assert done["status"]["by"] == me
    assert champion(yard, "digits-notebook") == last()["version"]


def test_what_takes_only_promoted_versions_waits_for_a_promotion_and_serves_its_files(yard: Yard) -> None:
    train = yaml.safe_load_all((EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml").read_text("utf-8"))
    yard.apply([item for item in train if item["kind"] != "ModelDeployment"])
    served = yaml.safe_load((EXAMPLES / "03-digits-plain-backend.yaml").read_text("utf-8"))
    name, served["spec"]["model"] = served["metadata"]["name"], served["spec"]["model"] | {"promotedOnly": True}
    yard.apply(served)
    version = yard.wait("trainingjob", "digits-logistic", "Complete", 300)["status"]["modelVersion"]["version"]

    def reason() -> str | None:
        found: str | None = yard.condition("modeldeployment", name, "Ready").get("reason")
        return found

    yard.until(lambda: reason() == "AwaitingPromotion", "the champion that nobody promoted is not served", 60)
    assert yard.items("deployments") == []

    promotion = {"apiVersion": "modelyard.io/v1alpha1", "kind": "Promotion", "metadata": {"name": "first"}}
    yard.apply(promotion | {"spec": {"model": {"name": "digits", "version": version}, "target": {"alias": "champion"}}})
    digest = yard.wait("promotion", "first", "Complete", 120)["status"]["digest"]
    yard.until(lambda: reason() == "Serving", "the promoted champion serves", 120)
    assert yard.predict(name).version == version
    [pod] = yard.items("pods", f"modelyard.io/owner-name={name}")
    assert pod["spec"]["initContainers"][0]["args"][-2:] == ["--digest", digest]
