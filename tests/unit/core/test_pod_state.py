"""What a pod says is put into the words of a condition: a reason, and what to do about it."""

from collections.abc import Callable

import pytest

from builders import PodBuilder, make_pod, make_serving_pod, make_training_job, seconds_ago
from modelyard.core import pod_state

Step = Callable[[PodBuilder], PodBuilder]
JOB = make_training_job().build()


def a_pod() -> PodBuilder:
    return make_pod(JOB)


def never_started(pod: PodBuilder) -> PodBuilder:
    ended = {"exitCode": 128, "reason": "StartError", "message": 'exec: "python9": executable file not found in $PATH'}
    return pod.failed().changed("status", "containerStatuses", to=[{"name": "trainer", "state": {"terminated": ended}}])


ENDINGS: list[tuple[str, Step, str, int | None, str]] = [
    ("success", lambda pod: pod.succeeded(), "Succeeded", 0, ""),
    ("failure", lambda pod: pod.failed(3, "no data"), "Error", 3, "no data"),
    ("memory", lambda pod: pod.out_of_memory(), "OOMKilled", 137, "raise resources.limits.memory"),
    ("command not found", never_started, "ConfigError", 128, "executable file not found"),
    ("eviction", lambda pod: pod.evicted(), "Evicted", 137, "low on resource"),
    ("preemption", lambda pod: pod.disrupted("PreemptionByScheduler"), "Preempted", 137, ""),
    ("eviction by the API", lambda pod: pod.disrupted("EvictionByEvictionAPI"), "Evicted", 137, ""),
    ("node shutdown", lambda pod: pod.disrupted("TerminationByKubelet"), "Evicted", 137, ""),
    ("lost node", lambda pod: pod.disrupted("DeletionByTaintManager"), "NodeLost", 137, ""),
    ("collected pod", lambda pod: pod.disrupted("DeletionByPodGC"), "NodeLost", 137, ""),
    ("unknown disruption", lambda pod: pod.disrupted("SomethingNew"), "Evicted", 137, ""),
]


@pytest.mark.parametrize(
    ("step", "reason", "code", "said"), [ending[1:] for ending in ENDINGS], ids=[e[0] for e in ENDINGS]
)
def test_an_end_has_a_reason(step: Step, reason: str, code: int | None, said: str) -> None:
    ending = pod_state.ending(step(a_pod()).build(), "trainer")
    assert (ending.reason, ending.exit_code) == (reason, code)
    assert said in ending.message


def test_the_end_of_the_trainer_counts_before_that_of_a_sidecar() -> None:
    pod = a_pod().failed(3, "mine").build()
    ended = {"name": "a-sidecar", "state": {"terminated": {"exitCode": 143, "reason": "Error"}}}
    pod["status"]["containerStatuses"].insert(0, ended)
    assert pod_state.ending(pod, "trainer").exit_code == 3


def test_a_sidecar_that_failed_alone_is_named() -> None:
    pod = a_pod().succeeded().changed("status", "phase", to="Failed").build()
    ended = {"name": "sidecar", "state": {"terminated": {"exitCode": 2, "message": "broken pipe"}}}
    pod["status"]["containerStatuses"].append(ended)
    ending = pod_state.ending(pod, "trainer")
    assert (ending.reason, ending.exit_code, ending.message) == ("Error", 2, "container sidecar: broken pipe")


def test_a_helper_says_why_it_failed() -> None:
    said = '{"reason": "SourceInvalid", "message": "the ConfigMap has no files"}'
    item = {"name": "modelyard-source", "state": {"terminated": {"exitCode": 1, "message": said}}}
    pod = (
        a_pod().starting().changed("status", "phase", to="Failed").changed("status", "initContainerStatuses", to=[item])
    )
    ending = pod_state.ending(pod.build(), "trainer")
    assert (ending.reason, ending.message) == (
        "SourceInvalid",
        "container modelyard-source: the ConfigMap has no files",
    )


def test_a_pod_that_never_began_says_what_the_kubelet_said() -> None:
    pod = a_pod().changed("status", to={"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "no GPU"})
    ending = pod_state.ending(pod.build(), "trainer")
    assert (ending.reason, ending.exit_code, ending.message) == ("UnexpectedAdmissionError", None, "no GPU")


def test_of_a_log_the_end_is_kept() -> None:
    log = "\n".join(f"line {number}" for number in range(500)) + "\nModuleNotFoundError: no module"
    ending = pod_state.ending(a_pod().failed(1, log).build(), "trainer")
    assert ending.message.endswith("ModuleNotFoundError: no module")
    assert ending.message.startswith("…")
    assert len(ending.message) <= 600


@pytest.mark.parametrize("message", ["[" * 4000, '{"reason": 1}', '"text"', "null", '{"message": "no reason"}'])
def test_words_that_are_no_report_are_words(message: str) -> None:
    ending = pod_state.ending(a_pod().failed(1, message).build(), "trainer")
    assert ending.reason == "Error"
    assert ending.message


TROUBLES: list[tuple[str, Step, str, str]] = [
    ("no node", lambda pod: pod.unschedulable(), "Unschedulable", "Insufficient memory"),
    ("no image", lambda pod: pod.without_image("a/b:1"), "ImagePullFailed", "image a/b:1 cannot be pulled"),
    ("a crash", lambda pod: pod.crashing("no module"), "ContainerFailed", "exit code 1: no module"),
    (
        "a helper",
        lambda pod: pod.with_failed_helper("modelyard-fetch", "ModelIncomplete", "no file MLmodel"),
        "ModelIncomplete",
        "container modelyard-fetch ended with exit code 1: no file MLmodel",
    ),
]


@pytest.mark.parametrize(
    ("step", "reason", "said"), [trouble[1:] for trouble in TROUBLES], ids=[t[0] for t in TROUBLES]
)
def test_trouble_has_a_reason(step: Step, reason: str, said: str) -> None:
    found = pod_state.trouble(step(make_serving_pod(JOB)).build())
    assert found is not None
    assert found.reason == reason
    assert said in found.message


@pytest.mark.parametrize("step", [lambda pod: pod, lambda pod: pod.starting(), lambda pod: pod.running()])
def test_a_pod_that_gets_on_has_no_trouble(step: Step) -> None:
    assert pod_state.trouble(step(make_serving_pod(JOB)).build()) is None


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"])
def test_a_container_that_cannot_be_made_says_why(reason: str) -> None:
    waiting = {"reason": reason, "message": 'secret "mlflow" not found'}
    item = {"name": "model", "state": {"waiting": waiting}}
    pod = make_serving_pod(JOB).starting().changed("status", "containerStatuses", to=[item])
    found = pod_state.trouble(pod.build())
    assert found == pod_state.Trouble("ConfigError", 'container model: secret "mlflow" not found')


def test_a_helper_that_succeeded_at_the_second_try_is_no_trouble() -> None:
    ended = {"exitCode": 1, "message": "once"}
    item = {"name": "modelyard-fetch", "state": {"terminated": {"exitCode": 0}}, "restartCount": 1, "ready": True}
    pod = make_serving_pod(JOB).starting()
    pod = pod.changed("status", "initContainerStatuses", to=[item | {"lastState": {"terminated": ended}}])
    assert pod_state.trouble(pod.build()) is None


def test_a_server_that_ran_out_of_memory_is_told_so() -> None:
    item = {"name": "model", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 1}
    ended = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    pod = make_serving_pod(JOB).starting().changed("status", "containerStatuses", to=[item | ended])
    found = pod_state.trouble(pod.build())
    assert found is not None
    assert found.reason == "OOMKilled"
    assert "resources.limits.memory" in found.message


def test_a_server_that_recovered_is_no_trouble() -> None:
    item = {"name": "model", "ready": True, "restartCount": 1, "state": {"running": {}}}
    ended = {"lastState": {"terminated": {"exitCode": 1}}}
    pod = make_serving_pod(JOB).running().changed("status", "containerStatuses", to=[item | ended])
    assert pod_state.trouble(pod.build()) is None


@pytest.mark.parametrize(
    ("step", "is_over", "is_started"),
    [
        (lambda pod: pod, False, False),
        (lambda pod: pod.starting(), False, False),
        (lambda pod: pod.running(), False, True),
        (lambda pod: pod.succeeded(), True, True),
        (lambda pod: pod.failed(1), True, True),
    ],
)
def test_how_far_a_pod_has_come(step: Step, is_over: bool, is_started: bool) -> None:
    pod = step(a_pod()).build()
    assert (pod_state.is_over(pod), pod_state.is_started(pod, "trainer")) == (is_over, is_started)


def test_an_end_knows_its_time() -> None:
    assert pod_state.ending(a_pod().failed(1, seconds_before=30).build(), "trainer").finished_at == seconds_ago(30)
