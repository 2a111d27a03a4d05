"""What the operator costs the API server, counted from its audit log, and whether its rights fit."""

import json
import time

import pytest

from support.audit import READS, WRITES, Request, counted
from support.kube import Manifest
from support.rights import granted
from support.serving import Serving
from support.training import Training
from support.world import World

pytestmark = pytest.mark.api

MOST_WRITES = 5
MOST_WRITES_PER_RETRY = 3
"""Its Job, and two statuses: that it waits, that it runs."""
MOST_EVENTS_OF_ONE_FAILURE = 1
"""A failure is told once, however often it repeats."""
MOST_END_SECONDS = 2.0
LIVES = 5
SETTLING_SECONDS = 7.0
"""Longer than anything that a life still wants to look at once it is over."""
QUIET_SECONDS = 20.0
FAILURES = 2


def requests_of(world: World, mark: int) -> list[Request]:
    """The operator's requests for objects of this namespace, once nothing more is to come."""
    time.sleep(SETTLING_SECONDS)
    return world.audit.since(mark, world.namespace)


def writes_in(requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.verb in WRITES]


def report(request: pytest.FixtureRequest, what: str, requests: list[Request]) -> None:
    """The figure for whoever reads the test's output, and for the report."""
    writes = writes_in(requests)
    print(f"\n{what}: {len(writes)} writes ({counted(writes)})")
    request.node.user_properties.append((what.replace(" ", "_"), len(writes)))


def test_a_life_without_a_model_costs_at_most_five_writes_and_no_read(
    world: World, request: pytest.FixtureRequest
) -> None:
    mark = world.audit.mark()
    training = Training(world)
    world.kubelet.succeed(training.start())
    training.until_over()
    requests = requests_of(world, mark)
    report(request, "a life without a model", requests)
    assert len(writes_in(requests)) <= MOST_WRITES
    assert not [item for item in requests if item.verb in READS]


def test_a_life_with_a_model_costs_at_most_five_writes_and_no_read(
    world: World, request: pytest.FixtureRequest
) -> None:
    mark = world.audit.mark()
    name = f"{world.namespace}.digits"
    model = {"name": name, "aliases": ["champion"]}
    training = Training(world, model=model, tracking={"metrics": ["val_accuracy"]})
    pod = training.start()
    world.tracking.log_metric(training.run_id(), "val_accuracy", 0.9)
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.status["modelVersion"]["version"] == "1"
    requests = requests_of(world, mark)
    report(request, "a life with a model", requests)
    assert len(writes_in(requests)) <= MOST_WRITES
    assert not [item for item in requests if item.verb in READS]


def test_a_life_with_several_pods_costs_at_most_five_writes_and_no_read(
    world: World, request: pytest.FixtureRequest
) -> None:
    mark = world.audit.mark()
    training = Training(world, nodes=3)
    for pod in training.start_nodes(3):
        world.kubelet.succeed(pod)
    training.until_over()
    requests = requests_of(world, mark)
    report(request, "a life with three pods", requests)
    assert len(writes_in(requests)) <= MOST_WRITES
    assert not [item for item in requests if item.verb in READS]


@pytest.mark.parametrize("has_model", [False, True], ids=["without a model", "with a model"])
def test_a_life_with_fetched_code_preparation_and_datasets_costs_at_most_five_writes_and_no_read(
    world: World, request: pytest.FixtureRequest, has_model: bool
) -> None:
    mark = world.audit.mark()
    model = {"model": {"name": f"{world.namespace}.digits", "aliases": ["champion"]}} if has_model else {}
    training = Training(
        world,
        source={"git": {"url": "https://git.example.com/team/digits.git", "revision": "main"}},
        prepare={"command": ["python3", "prepare.py"]},
        datasets=[{"name": "digits", "uri": "s3://data/digits", "digest": "sha256:abc"}],
        **model,
    )
    world.kubelet.run_helper(training.pod(), "modelyard-source")
    world.kubelet.end_helper(training.pod(), "modelyard-source", message=json.dumps({"revision": "ab" * 20}))
    world.kubelet.run_helper(training.pod(), "prepare")
    training.until_state("Preparing")
    world.kubelet.end_helper(training.pod(), "prepare")
    pod = training.start()
    world.tracking.log_model(training.run_id())
    world.kubelet.succeed(pod)
    training.until_over()
    assert training.status["sourceRevision"] == "ab" * 20
    assert ("modelVersion" in training.status) is has_model
    requests = requests_of(world, mark)
    report(request, f"a life with everything before it, model: {has_model}", requests)
    assert len(writes_in(requests)) <= MOST_WRITES
    assert not [item for item in requests if item.verb in READS]


def test_a_retry_costs_at_most_three_writes_more(world: World, request: pytest.FixtureRequest) -> None:
    mark = world.audit.mark()
    training = Training(world, retry={"limit": FAILURES, "backoff": {"initialSeconds": 1, "maxSeconds": 1}})
    for attempt in range(1, FAILURES + 1):
        world.kubelet.fail(training.start(attempt))
    world.kubelet.succeed(training.start(FAILURES + 1))
    training.until_over()
    assert training.condition("Complete")["status"] == "True"
    requests = requests_of(world, mark)
    report(request, "a life with two retries", requests)
    most = MOST_WRITES + FAILURES * MOST_WRITES_PER_RETRY + MOST_EVENTS_OF_ONE_FAILURE
    assert len(writes_in(requests)) <= most
    assert not [item for item in requests if item.verb in READS]


def test_from_a_pods_end_to_an_ended_run_and_the_final_status_it_takes_two_seconds(
    world: World, request: pytest.FixtureRequest
) -> None:
    """The best of several: a busy machine's share is not the operator's."""
    taken = []
    for number in range(LIVES):
        training = Training(world, f"life-{number}")
        pod = training.start()
        time.sleep(1.0)
        begun = time.monotonic()
        world.kubelet.succeed(pod)
        training.until_over()
        taken.append(time.monotonic() - begun)
        assert training.statuses_of_runs() == ["FINISHED"], "a final status comes after the run's end"
    print(f"\nfrom a pod's end to the end: {min(taken):.2f} s at best, {max(taken):.2f} s at worst of {LIVES}")
    request.node.user_properties.append(("seconds_to_the_end", f"{min(taken):.2f}"))
    assert min(taken) <= MOST_END_SECONDS


def test_once_everything_is_settled_nothing_is_written_and_nothing_is_read(
    world: World, request: pytest.FixtureRequest
) -> None:
    name = f"{world.namespace}.digits"
    running, done = Training(world, "running"), Training(world, "done", model={"name": name, "aliases": ["champion"]})
    running.start()
    pod = done.start()
    world.tracking.log_model(done.run_id())
    world.kubelet.succeed(pod)
    done.until_over()
    serving = Serving(world, model={"name": name, "alias": "champion"})
    serving.come_up("1")
    time.sleep(SETTLING_SECONDS)
    mark = world.audit.mark()
    time.sleep(QUIET_SECONDS)
    requests = world.audit.since(mark)
    in_namespace = [item for item in requests if item.namespace == world.namespace]
    report(request, f"{QUIET_SECONDS:.0f} s of peace", in_namespace)
    assert in_namespace == []
    # Leader election, and whether Seldon or a gateway was installed meanwhile, are looked after at any time.
    kept = {"leases", "seldondeployments", "httproutes"}
    assert [item for item in requests if item.resource not in kept] == []


def test_the_operator_asks_for_nothing_that_its_rights_do_not_grant(
    world: World, operator_roles: list[Manifest]
) -> None:
    """Over everything that the tests before this one made it do."""
    world.kubelet.succeed(Training(world).start())
    used = {item.right for item in world.audit.since(0)}
    rights = granted(operator_roles)
    print(f"\n{len(used)} of {len(rights)} rights used; unused: {sorted(rights - used)}")
    assert used <= rights
