"""Every file of examples/ does what its first lines say, in a namespace that enforces Pod Security `restricted`."""

import subprocess
import sys
import time

import pytest
import yaml

from support.yard import EXAMPLES, Yard
from tools.localcluster.components import ADMINISTRATOR
from tools.localcluster.paths import CHECKOUT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

COVERED = {
    "00-mlflow-for-trying-out.yaml",  # installed for every test of this folder
    "01-minimal-training.yaml",
    "02-digits-seldon/1-train-and-serve.yaml",  # tests/e2e/test_chain.py
    "02-digits-seldon/2-next-version.yaml",  # tests/e2e/test_routes.py
    "02-digits-seldon/3-gate-and-canary.yaml",  # tests/e2e/test_chain.py
    "02-digits-seldon/4-candidate.yaml",
    "03-digits-plain-backend.yaml",
    "04-retry.yaml",
    "05-prepare-and-datasets.yaml",
    "06-code-from-git.yaml",
    "07-checkpoint.yaml",
    "08-two-nodes-pytorch.yaml",
    "09-route.yaml",  # tests/e2e/test_routes.py
    "10-canary-rolled-back/1-serve.yaml",
    "10-canary-rolled-back/2-hasty-version.yaml",
    "11-promotion/1-policy.yaml",  # tests/e2e/test_promotion.py
    "11-promotion/2-next-version.yaml",
    "11-promotion/3-worse-candidate.yaml",
    "11-promotion/4-roll-back.yaml",
    "12-notebook-candidate.yaml",
    "13-canary.yaml",  # tests/e2e/test_canary.py
    "14-canary-with-approval.yaml",
    "15-canary-through-a-gateway.yaml",  # tests/e2e/test_routes.py
    "16-seldon-protocol.yaml",  # tests/e2e/test_protocols.py
    "17-shadow/1-serve.yaml",  # tests/e2e/test_shadow.py
    "17-shadow/2-hasty-version.yaml",
    "17-shadow/3-next-version.yaml",
    "18-predictions-compared.yaml",  # tests/e2e/test_disagreement.py
}


def test_every_example_is_run_by_a_test() -> None:
    assert {str(file.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("*.yaml")} == COVERED


def test_every_example_says_how_to_apply_check_and_clean_it() -> None:
    for file in EXAMPLES.rglob("*.yaml"):
        head = file.read_text().split("\napiVersion", 1)[0]
        for word in ("Apply:", "Check:", "Clean:"):
            assert word in head, f"{file.name} does not say {word}"
        assert all(document for document in yaml.safe_load_all(file.read_text()))


def test_the_minimal_training_succeeds(yard: Yard) -> None:
    yard.apply(EXAMPLES / "01-minimal-training.yaml")
    (job,) = yard.items("trainingjob")
    done = yard.wait("trainingjob", job["metadata"]["name"], "Complete")
    assert yard.run_of(done["status"]["tracking"]["runID"])["status"] == "FINISHED"


def test_the_plain_backend_answers_as_the_seldon_one_does(yard: Yard) -> None:
    yard.apply(EXAMPLES / "02-digits-seldon" / "1-train-and-serve.yaml")
    yard.apply(EXAMPLES / "03-digits-plain-backend.yaml")
    yard.serves("digits", "digits-logistic")
    yard.serves("digits-plain", "digits-logistic")
    seldon, plain = yard.predict("digits"), yard.predict("digits-plain")
    assert plain == seldon
    assert yard.get("deployment", "digits-plain")["spec"]["template"]["spec"]["containers"][0]["name"] == "model"


def test_a_job_that_fails_is_tried_again(yard: Yard) -> None:
    yard.apply(EXAMPLES / "04-retry.yaml")
    done = yard.wait("trainingjob", "retry", "Complete")
    second, first = done["status"]["attempts"]
    assert (first["reason"], first["exitCode"], second["reason"]) == ("Error", 1, "Succeeded")
    failed = yard.run_of(first["runID"])
    assert failed["status"] == "FAILED"
    assert failed["tags"]["modelyard.io/exit-code"] == "1"
    assert failed["tags"]["modelyard.io/node"] == first["node"]
    assert yard.run_of(second["runID"])["status"] == "FINISHED"


def test_data_is_prepared_first_and_datasets_are_on_the_run(yard: Yard) -> None:
    yard.apply(EXAMPLES / "05-prepare-and-datasets.yaml")
    done = yard.wait("trainingjob", "prepared", "Complete")
    rows = next(item["value"] for item in done["status"]["metrics"] if item["name"] == "rows")
    assert rows == "1347"
    job = done["status"]["attempts"][0]["job"]
    assert "1347 digits to train with" in yard.kubectl("logs", f"job/{job}", "--container", "prepare")
    (dataset,) = yard.run_of(done["status"]["tracking"]["runID"])["datasets"]
    assert (dataset["name"], dataset["digest"]) == ("digits", "09f66e6debdee2cd2b5ae59e0d6abbb73fc2")


def test_a_training_that_runs_out_of_memory_goes_on_from_its_step(yard: Yard) -> None:
    yard.apply(EXAMPLES / "07-checkpoint.yaml")
    done = yard.wait("trainingjob", "checkpoint", "Complete", 600)
    second, first = done["status"]["attempts"]
    assert (first["reason"], second["reason"]) == ("OOMKilled", "Succeeded")
    assert first["runID"] == second["runID"]
    assert second["memory"] != "256Mi"
    steps = [point["step"] for point in yard.history_of(second["runID"], "loss")]
    assert steps == list(range(1, 31)), "every step once, in order"
    assert yard.run_of(second["runID"])["status"] == "FINISHED"


def test_two_pods_train_as_one_does(yard: Yard) -> None:
    subprocess.run([sys.executable, "-m", "tools.images", "load", "trainer-pytorch"], cwd=CHECKOUT, check=True)
    yard.apply(EXAMPLES / "08-two-nodes-pytorch.yaml")
    losses = {}
    for name in ("one-node", "two-nodes"):
        done = yard.wait("trainingjob", name, "Complete", 600)
        (attempt,) = done["status"]["attempts"]
        losses[name] = [point["value"] for point in yard.history_of(attempt["runID"], "loss")]
        assert yard.run_of(attempt["runID"])["status"] == "FINISHED"
    assert len(losses["one-node"]) == 40
    assert losses["two-nodes"] == pytest.approx(losses["one-node"], abs=1e-9)
    assert losses["one-node"][-1] < losses["one-node"][0]
    pods = yard.items("pods", "modelyard.io/owner-name=two-nodes")
    told = sorted(yard.kubectl("logs", pod["metadata"]["name"], "--container", "trainer") for pod in pods)
    run_id = yard.get("trainingjob", "two-nodes")["status"]["tracking"]["runID"]
    assert f"process 0 of 2, run {run_id}" in told[0] + told[1]
    assert "process 1 of 2, run none" in told[0] + told[1], "rank 0 alone has the run"


def test_code_comes_from_a_git_repository(yard: Yard) -> None:
    yard.apply(EXAMPLES / "06-code-from-git.yaml")
    done = yard.wait("trainingjob", "from-git", "Complete")
    shell = "git --git-dir=/tmp/served/digits.git rev-parse main"
    said = yard.site.kubectl.run(
        "exec", "--namespace", yard.namespace, "deployment/repository", "--", "sh", "-c", shell
    )
    assert done["status"]["sourceRevision"] == said.strip()
    run = yard.run_of(done["status"]["tracking"]["runID"])
    assert run["tags"]["mlflow.source.git.commit"] == said.strip()
    assert run["tags"]["note"] == "it's $(not run)"
    assert done["status"]["metrics"][0]["value"] == "0.2"
    assert (run["params"]["rounds"], run["params"]["pause"]) == ("5", "0.6"), "the file's own value is told too"
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= run["metrics"]
    assert run["tags"]["modelyard.io/applied-by"] == ADMINISTRATOR.user


def test_a_canary_that_errs_under_real_requests_is_rolled_back(yard: Yard) -> None:
    folder = EXAMPLES / "10-canary-rolled-back"
    yard.apply(folder / "1-serve.yaml")
    careful = yard.serves("scores", "scores-careful")
    yard.apply(folder / "2-hasty-version.yaml")
    shares: list[tuple[float, int]] = []

    def is_refused() -> bool:
        status = yard.get("modeldeployment", "scores")["status"]
        shares.append((time.monotonic(), (status.get("canary") or {}).get("weight") or 0))
        return bool(status.get("refusedVersions")) and not status.get("canary")

    yard.until(is_refused, "the hasty version is refused", 300)
    status = yard.get("modeldeployment", "scores")["status"]
    (refused,) = status["refusedVersions"]
    assert refused["reason"] == "AnalysisFailed"
    assert "errors: " in refused["message"]
    assert "is not <= 0.05; the stable version has 0 in the same window" in refused["message"]
    errors = next(item for item in status["analysis"] if item["name"] == "errors")
    assert errors["result"] == "Fail"
    assert float(errors["value"]) == pytest.approx(0.5, abs=0.25)
    assert status["stable"]["version"] == careful
    with_traffic = [at for at, weight in shares if weight]
    took = with_traffic[-1] - with_traffic[0]
    print(f"\nthe hasty version had traffic for {took:.1f} s; it is checked every 10 s")
    # Seen from outside, by looking every half second.
    assert took <= 10 + 2 + 1
